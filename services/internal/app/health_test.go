package app_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
)

func TestHealthAsksTheRunningService(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{})
	for name, c := range map[string]struct {
		ready error
		says  string
	}{
		"ready":     {nil, ""},
		"not ready": {errors.New("no org is connected"), "503 Service Unavailable: no org is connected"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := writeConfig(t, "nats: {url: \""+s.URL()+"\"}\nserve: {listen: \""+freePort(t)+"\"}\n")
			w := newWorker()
			w.ready = c.ready
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() {
				done <- app.Run(ctx, "assignment", []string{"--config", cfg}, io.Discard, io.Discard, building(w))
			}()
			<-w.running
			err := askHealth(t, cfg)
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("health = %v, want %q", err, c.says)
			}
			if err != nil && app.ExitCode(err) != app.ExitFailed {
				t.Errorf("exit code %d, want %d", app.ExitCode(err), app.ExitFailed)
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHealthSaysWhyItCannotAsk(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"serve: {listen: \"\"}\n": "serve.listen is empty",
		"natz: {}\n":              "natz: is not a key",
		"serve: {listen: \"" + freePort(t) + "\"}\n": "connection refused",
	} {
		err := askHealth(t, writeConfig(t, text))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want it to say %q", text, err, says)
		}
		if got := app.ExitCode(err); got != app.ExitFailed {
			t.Errorf("%q: exit code %d, want %d", text, got, app.ExitFailed)
		}
	}
}

func askHealth(t *testing.T, config string) error {
	t.Helper()
	return app.Run(bounded(t), "assignment", []string{"--config", config, "--health"}, io.Discard, io.Discard, nil)
}
