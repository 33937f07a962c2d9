package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/correlation"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/rollcall/up"
)

const (
	// connectTimeout is short: somebody is waiting at a keyboard.
	connectTimeout = 5 * time.Second
)

// connection is the flags of a command that talks to a running system.
type connection struct {
	streams                              Streams
	natsURL, config                      string
	nkeySeedFile, caFile, certFile, keyF string
	// role is who we are on NATS; an operator where nothing is said.
	role string
	// patience is how long NATS is waited for.
	patience time.Duration
}

func (n *connection) flags(c *cobra.Command) {
	f := c.PersistentFlags()
	env := os.Getenv
	f.StringVar(&n.natsURL, "nats-url", env("ROLLCALL_NATS_URL"), "`URL` of NATS (ROLLCALL_NATS_URL; default nats://"+up.DefaultListen+")")
	f.StringVar(&n.config, "config", env("ROLLCALL_CONFIG"), "configuration `file` to take nats.* and deployment.keyFile from (ROLLCALL_CONFIG)")
	f.StringVar(&n.nkeySeedFile, "nkey", env("ROLLCALL_NATS_NKEY_SEED_FILE"), "`file` with the nkey seed (ROLLCALL_NATS_NKEY_SEED_FILE)")
	f.StringVar(&n.caFile, "ca", env("ROLLCALL_NATS_CA_FILE"), "`file` with the CA of the NATS server (ROLLCALL_NATS_CA_FILE)")
	f.StringVar(&n.certFile, "cert", "", "`file` with the client certificate")
	f.StringVar(&n.keyF, "key", "", "`file` with the client certificate's key")
}

// session is a connection to a running system.
type session struct {
	bus   *bus.Bus
	tel   *telemetry.Telemetry
	keyer *events.Keyer
}

// load reads the configuration; the flags go before the file.
func (n *connection) load() (config.File, error) {
	file := config.Default()
	if n.config != "" {
		var err error
		if file, err = config.Load(n.config); err != nil {
			return file, app.Usage(err)
		}
	}
	n.override(&file)
	return file, nil
}

// ids reads the correlation ids of a source as the configuration declares them;
// nil where it is not at hand, or has no such source.
func (n *connection) ids(source string) (*correlation.IDs, error) {
	file, err := n.load()
	if err != nil {
		return nil, err
	}
	cfg, ok := file.Sources[source]
	if !ok {
		return nil, nil //nolint:nilnil // assignment has the word then
	}
	return correlation.New(source, cfg)
}

// as is the connection of another role, with its nkey where one is given.
func (n connection) as(role, nkeySeedFile string) *connection {
	n.role, n.nkeySeedFile = role, cmp.Or(nkeySeedFile, n.nkeySeedFile)
	return &n
}

// open connects.
func (n *connection) open(ctx context.Context) (*session, error) {
	file, err := n.load()
	if err != nil {
		return nil, err
	}
	tel, err := telemetry.New(ctx, "rollcall-cli", app.Version(), config.Log{Level: "warn", Format: "text"}, telemetry.WithLogWriter(n.streams.Err))
	if err != nil {
		return nil, err
	}
	b, err := app.Connect(ctx, cmp.Or(n.role, bus.RoleOperator), file, tel)
	if err != nil {
		return nil, err
	}
	sess := &session{bus: b, tel: tel}
	if n.role != "" {
		return sess, nil // only an operator looks for people, and has the key to it
	}
	if sess.keyer, err = loadKeyer(file); err != nil {
		b.Close()
		return nil, err
	}
	return sess, nil
}

func (n *connection) override(file *config.File) {
	file.NATS.ConnectTimeout = cmp.Or(n.patience, connectTimeout)
	for _, o := range []struct {
		flag string
		to   *string
	}{
		{n.natsURL, &file.NATS.URL}, {n.nkeySeedFile, &file.NATS.NkeySeedFile},
		{n.caFile, &file.NATS.CAFile}, {n.certFile, &file.NATS.CertFile}, {n.keyF, &file.NATS.KeyFile},
	} {
		if o.flag != "" {
			*o.to = o.flag
		}
	}
}

// loadKeyer reads the deployment key, with which people are found by their
// correlation id. Without a configuration the demo's is tried; with none at all
// people are found by key and username.
func loadKeyer(file config.File) (*events.Keyer, error) {
	path, required := file.Deployment.KeyFile, true
	if path == "" {
		path, required = filepath.Join(up.DefaultDir, up.DeploymentKey), false
	}
	secret, err := os.ReadFile(path)
	if err != nil {
		if required {
			return nil, fmt.Errorf("deployment.keyFile: %w", err)
		}
		return nil, nil //nolint:nilnil // no key is a way of working
	}
	keyer, err := events.NewKeyer(secret)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keyer, nil
}

func (s *session) close() {
	s.bus.Close()
	app.Shutdown(s.tel)
}
