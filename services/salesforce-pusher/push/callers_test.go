package push

import (
	"bufio"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

const (
	// callersEnv names the configuration file of a process of callers.
	callersEnv = "ROLLCALL_TEST_CALLERS"
	// callers is how many there are in a process.
	callers = 125
)

// TestCallersOfAProcess is no test by itself: the system tests run it as a
// process of its own, as often as they want. It says "ready" once its session
// works, waits for a line, has all callers call at once through the pusher's own
// client, and says how many were answered.
func TestCallersOfAProcess(t *testing.T) {
	path := os.Getenv(callersEnv)
	if path == "" {
		t.Skip("is run by the system tests")
	}
	file, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := app.Connect(t.Context(), "callers", file, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	cfg, err := ConfigFrom(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(cfg, b, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	o := s.orgs[0]
	go func() { _ = o.reader.Run(t.Context()) }() // ends with the test
	if _, err := o.client.Limits(t.Context()); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(os.Stdout, "ready")
	if !bufio.NewScanner(os.Stdin).Scan() {
		t.Fatal("nobody said go")
	}
	began := time.Now()
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			if _, err := o.client.Limits(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if !t.Failed() {
		fmt.Fprintf(os.Stdout, "answered %d in %s\n", callers, time.Since(began).Round(time.Millisecond))
	}
}
