package bus

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A limit is changed where nothing falls out by it.
func TestLimitsAreChangedWhereNothingFallsOut(t *testing.T) {
	t.Parallel()
	unlimited := jetstream.StreamConfig{MaxMsgs: -1, MaxBytes: -1, MaxMsgsPerSubject: -1}
	with := func(change func(*jetstream.StreamConfig)) jetstream.StreamConfig {
		c := unlimited
		change(&c)
		return c
	}
	bytes := func(n int64) jetstream.StreamConfig {
		return with(func(c *jetstream.StreamConfig) { c.MaxBytes = n })
	}
	msgs := func(n int64) jetstream.StreamConfig {
		return with(func(c *jetstream.StreamConfig) { c.MaxMsgs = n })
	}
	per := func(n int64) jetstream.StreamConfig {
		return with(func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = n })
	}
	for name, c := range map[string]struct {
		have, want jetstream.StreamConfig
		changes    string // the setting that is changed, empty where it is refused
	}{
		"bytes, none at all":        {bytes(100), bytes(-1), "max_bytes"},
		"bytes, as many as it has":  {bytes(-1), bytes(50), "max_bytes"},
		"bytes, fewer than it has":  {bytes(-1), bytes(49), ""},
		"messages, as many":         {msgs(7), msgs(5), "max_msgs"},
		"messages, fewer":           {msgs(7), msgs(4), ""},
		"per subject, more":         {per(1), per(-1), "max_msgs_per_subject"},
		"per subject, one of any":   {per(-1), per(1), ""},
		"per subject, one of three": {per(3), per(1), ""},
		"replicas, more": {with(func(c *jetstream.StreamConfig) { c.Replicas = 1 }),
			with(func(c *jetstream.StreamConfig) { c.Replicas = 3 }), "num_replicas"},
		"schedules, off": {with(func(c *jetstream.StreamConfig) { c.AllowMsgSchedules = true }), unlimited, ""},
		"an age, none":   {with(func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour }), unlimited, ""},
	} {
		have := jetstream.StreamInfo{Config: c.have, State: jetstream.StreamState{Msgs: 5, Bytes: 50}}
		to, changes, err := compareStream(have, c.want)
		switch {
		case c.changes == "" && (err == nil || len(changes) != 0):
			t.Errorf("%s: %v, %v; want it refused", name, changes, err)
		case c.changes != "" && (err != nil || len(changes) != 1 || changes[0].Setting != c.changes):
			t.Errorf("%s: %v, %v; want a change of %s", name, changes, err, c.changes)
		case c.changes != "":
			if _, again, err := compareStream(jetstream.StreamInfo{Config: to}, c.want); err != nil || len(again) != 0 {
				t.Errorf("%s: changed, it differs still: %v, %v", name, again, err)
			}
		}
	}
	more := jetstream.StreamConfig{Replicas: 3}
	if _, changes, err := compareStream(jetstream.StreamInfo{Config: more}, jetstream.StreamConfig{Replicas: 1}); err != nil || len(changes) != 0 {
		t.Errorf("more replicas than asked for: %v, %v", changes, err)
	}
	if to, changes := compareBucket(more, 1); len(changes) != 0 || to.Replicas != 3 {
		t.Errorf("more replicas of the bucket than asked for: %v", changes)
	}
	if to, changes := compareBucket(jetstream.StreamConfig{Replicas: 1}, 3); len(changes) != 1 || to.Replicas != 3 {
		t.Errorf("fewer replicas of the bucket than asked for: %v", changes)
	}
	_, changes, err := compareStream(jetstream.StreamInfo{Config: jetstream.StreamConfig{Subjects: []string{"a", "theirs"}}},
		jetstream.StreamConfig{Name: "S", Subjects: []string{"a", "b"}})
	if err != nil || len(changes) != 1 || !strings.Contains(changes[0].String(), "subjects of stream S from without b to with b") {
		t.Errorf("a subject of a newer version: %v, %v", changes, err)
	}
}
