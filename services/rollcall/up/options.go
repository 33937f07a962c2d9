package up

import (
	"io"
	"time"
)

// Options are the flags of `rollcall up`.
type Options struct {
	// Config is the configuration file; in a demo it may be empty.
	Config string
	// Dir holds streams, keys and the demo's state.
	Dir string
	// Listen is where the embedded NATS server listens, empty for nowhere.
	Listen string
	// EmulatorListen is where the demo's org listens.
	EmulatorListen string
	// ServeListen overrides serve.listen; ServeGiven says that it does.
	ServeListen string
	ServeGiven  bool
	// Demo adds the emulated org and publishes the sample export.
	Demo bool
	// Once stops when all is quiet.
	Once bool
	// OnceTimeout bounds the wait for quiet.
	OnceTimeout time.Duration
	// JSON prints the summary as one JSON object on Stdout.
	JSON bool

	Stdout, Stderr io.Writer
	// Terminal says that Stderr is one: progress is then drawn in place.
	Terminal bool
}

// Defaults of the flags.
const (
	DefaultDir            = ".rollcall"
	DefaultListen         = "127.0.0.1:4222"
	DefaultEmulatorListen = "127.0.0.1:8025"
)
