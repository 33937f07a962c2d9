package bus_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
)

func TestProvisionChangesWhatLosesNothing(t *testing.T) {
	r := newRig(t)
	if _, err := r.bus.Commit(r.ctx, events.StreamDirectory, []bus.Group{{plain(events.DirectorySubject("hr", "person"), "kept")}}); err != nil {
		t.Fatal(err)
	}
	r.srv.SetStream(t, events.StreamDirectory, func(c *jetstream.StreamConfig) {
		c.Duplicates, c.Discard, c.MaxBytes, c.MaxMsgs = time.Minute, jetstream.DiscardNew, 1<<20, 1000
		c.AllowDirect, c.AllowAtomicPublish, c.Description = false, false, "theirs"
		c.Metadata = map[string]string{"team": "theirs"}
	})
	want := []string{
		"duplicate_window of stream DIRECTORY from 1m0s to 10m0s", "discard of stream DIRECTORY from DiscardNew to DiscardOld",
		"max_bytes of stream DIRECTORY from 1048576 to none", "max_msgs of stream DIRECTORY from 1000 to none",
		"allow_direct of stream DIRECTORY from false to true", "allow_atomic of stream DIRECTORY from false to true",
		"description of stream DIRECTORY from theirs to events as they came",
	}
	plan, err := r.bus.Plan(r.ctx, topo)
	if err != nil || len(plan.Make) != 0 || len(plan.Change) != len(want) {
		t.Fatalf("%+v, %v", plan, err)
	}
	if _, err := r.bus.Verify(r.ctx, topo); !errors.Is(err, bus.ErrSettings) || !strings.Contains(err.Error(), "discard is DiscardNew, must be DiscardOld") ||
		strings.Contains(err.Error(), "duplicate_window") {
		t.Errorf("verified: %v", err)
	}
	var log syncBuffer
	provisioner, err := bus.Connect(r.ctx, bus.Options{URL: r.srv.URL(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer provisioner.Close()
	if err := provisioner.Provision(r.ctx, topo); err != nil {
		t.Fatal(err)
	}
	said := fmt.Sprint(plan.Change)
	for _, w := range want {
		if !strings.Contains(said, w) {
			t.Errorf("%q is not in the plan: %s", w, said)
		}
		setting, _, _ := strings.Cut(w, " ")
		if strings.Count(log.String(), "setting="+setting+" ") != 1 {
			t.Errorf("the change of %s is not said once in\n%s", setting, log.String())
		}
	}
	if waits, err := r.bus.Verify(r.ctx, topo); err != nil || len(waits) != 0 {
		t.Errorf("afterwards: %v, %v", waits, err)
	}
	have := r.srv.Settings(t, events.StreamDirectory)
	if have.Duplicates != 10*time.Minute || have.Metadata["team"] != "theirs" {
		t.Errorf("%+v", have)
	}
	if s, err := r.bus.Stream(r.ctx, events.StreamDirectory); err != nil || s.Messages != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	lines := strings.Count(log.String(), "stream setting changed")
	if err := provisioner.Provision(r.ctx, topo); err != nil || strings.Count(log.String(), "stream setting changed") != lines {
		t.Errorf("again: %v\n%s", err, log.String())
	}
}

// What only shortens the time in which a repeat is recognised keeps nobody from
// starting.
func TestADuplicateWindowWaits(t *testing.T) {
	r := newRig(t)
	r.srv.SetStream(t, events.StreamOperator, func(c *jetstream.StreamConfig) { c.Duplicates = time.Minute })
	waits, err := r.srv.As(t, "retry-scheduler").Verify(r.ctx, topo)
	if err != nil || len(waits) != 1 || waits[0].Setting != "duplicate_window" {
		t.Errorf("%v, %v", waits, err)
	}
}

func TestProvisionLosesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		stream, says string
		change       func(*jetstream.StreamConfig)
	}{
		"retention":   {events.StreamDirectory, "retention is Interest", func(c *jetstream.StreamConfig) { c.Retention = jetstream.InterestPolicy }},
		"age":         {events.StreamDead, "max_age is 1h0m0s", func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour }},
		"per subject": {events.StreamDead, "max_msgs_per_subject is 3", func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 3 }},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.srv.SetStream(t, c.stream, func(cfg *jetstream.StreamConfig) {
				cfg.Description = "theirs"
				c.change(cfg)
			})
			err := r.bus.Provision(r.ctx, topo)
			if !errors.Is(err, bus.ErrSettings) || bus.Passing(err) || !strings.Contains(err.Error(), "stream "+c.stream+": "+c.says) {
				t.Errorf("provisioned: %v", err)
			}
			if have := r.srv.Settings(t, c.stream); have.Description != "theirs" {
				t.Errorf("half of it was changed: %+v", have)
			}
		})
	}
	t.Run("storage", func(t *testing.T) {
		t.Parallel()
		s := bustest.StartEmpty(t)
		nc, err := nats.Connect(s.URL())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		js, err := jetstream.New(nc)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
			Name: events.StreamDead, Subjects: []string{events.DeadAll}, Storage: jetstream.MemoryStorage,
		}); err != nil {
			t.Fatal(err)
		}
		if err := s.Bus(t).Provision(t.Context(), topo); err == nil || !strings.Contains(err.Error(), "storage is Memory") {
			t.Errorf("provisioned: %v", err)
		}
	})
}
