package bus_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
)

// part is a message of an answer, end says that no more comes.
func part(f bustest.Frame) bool {
	return !f.ToServer && strings.Contains(f.Header, "Nats-Num-Pending") && !end(f)
}

func end(f bustest.Frame) bool { return !f.ToServer && strings.HasPrefix(f.Header, "NATS/1.0 204") }

// nth is the n-th frame from now on that is meant.
func nth(n int, match func(bustest.Frame) bool) func(bustest.Frame) bool {
	seen := 0
	return func(f bustest.Frame) bool {
		if match(f) {
			seen++
		}
		return seen == n && match(f)
	}
}

// fillPeople stores n people and returns their subjects.
func (r *rig) fillPeople(t *testing.T, n, size int) []string {
	t.Helper()
	subjects := make([]string, n)
	for i := range subjects {
		subjects[i] = person(i)
		r.commit(t, bus.Group{{Subject: subjects[i], Data: bytes.Repeat([]byte("x"), size)}})
	}
	return subjects
}

// Half an answer looks like people who do not exist.
func TestHalfAnAnswerIsAnError(t *testing.T) {
	l := setupLossy(t)
	subjects := l.fillPeople(t, 5, 10)
	latest := func() (int, error) {
		got, err := l.over.Latest(l.ctx, events.StreamRoster, subjects)
		return len(got), err
	}
	scan := func() (int, error) {
		n := 0
		err := l.over.Scan(l.ctx, events.StreamRoster, events.PersonsAll, 1, func(bus.Entry) error { n++; return nil })
		return n, err
	}
	for name, read := range map[string]func() (int, error){"latest": latest, "scan": scan} {
		for lost := 1; lost <= 5; lost++ {
			rule := l.wire.Lose(1, nth(lost, part))
			if n, err := read(); err == nil || !strings.Contains(err.Error(), "not whole") {
				t.Errorf("%s without its message %d: %d people, %v", name, lost, n, err)
			}
			met(t, 1, rule)
			// This also waits until the rest of that answer has passed the wire.
			if n, err := read(); n != 5 || err != nil {
				t.Errorf("%s of everything: %d people, %v", name, n, err)
			}
		}
	}
	rule := l.wire.Lose(1, end)
	if n, err := latest(); err == nil {
		t.Errorf("without its end: %d people", n)
	}
	met(t, 1, rule)
}

// More than one answer may hold comes in several.
func TestAnAnswerInParts(t *testing.T) {
	l := setupLossy(t)
	subjects := l.fillPeople(t, 12, 900<<10)
	ends := 0
	l.wire.Lose(1, func(f bustest.Frame) bool {
		if end(f) {
			ends++
		}
		return false
	})
	got, err := l.over.Latest(l.ctx, events.StreamRoster, append(subjects, person(1000)))
	if err != nil || len(got) != 12 || ends < 3 {
		t.Errorf("%d of 12 people in %d answers, %v", len(got), ends, err)
	}
	got, err = l.over.Latest(l.ctx, events.StreamRoster, []string{events.PersonsAll})
	if err != nil || len(got) != 12 {
		t.Errorf("by wildcard: %d of 12 people, %v", len(got), err)
	}
	n := 0
	if err := l.over.Scan(l.ctx, events.StreamRoster, events.PersonsAll, 1, func(bus.Entry) error { n++; return nil }); n != 12 || err != nil {
		t.Errorf("scanned %d of 12 people, %v", n, err)
	}
}

// What is there and cannot be read is not missing.
func TestUnreadableIsNotMissing(t *testing.T) {
	r := newRig(t)
	r.fillPeople(t, 12, 900<<10) // more than one file
	r.srv.Kill()
	r.srv.Restart(t) // with nothing of the first file in memory
	first, err := filepath.Glob(filepath.Join(r.srv.Dir(), "*", "streams", events.StreamRoster, "msgs", "1.blk"))
	if err != nil || len(first) != 1 {
		t.Fatalf("files of the stream: %v, %v", first, err)
	}
	if err := os.Remove(first[0]); err != nil {
		t.Fatal(err)
	}
	await(t, "connected", func() bool { return r.bus.Ready() == nil })
	// Asked once: from then on the server itself has forgotten them.
	got, err := r.bus.Latest(r.ctx, events.StreamRoster, []string{person(11), person(0)})
	if err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("somebody whose file is gone: %d people, %v", len(got), err)
	}
}

// A publisher sets any headers it likes: they must not become what the server
// says of the message.
func TestHeadersOfAPublisherAreNotTheServers(t *testing.T) {
	r := newRig(t)
	nc, err := nats.Connect(r.srv.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	mine := events.DirectorySubject("contractors", "person")
	ack, err := js.PublishMsg(r.ctx, &nats.Msg{Subject: mine, Header: nats.Header{
		"Nats-Subject": {events.DirectorySubject("hr", "person")}, "Nats-Sequence": {"7"}, "Nats-Num-Pending": {"9"},
		"Nats-Last-Sequence": {"5"}, "Nats-Time-Stamp": {"2000-01-01T00:00:00Z"}, "Status": {"404"}, "Nats-Stream": {"OTHER"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	check := func(how string, e bus.Entry) {
		t.Helper()
		if e.Subject != mine || e.Seq != ack.Sequence || e.Time.Year() < 2020 {
			t.Errorf("%s: %s at %d of %s", how, e.Subject, e.Seq, e.Time)
		}
	}
	e, err := r.bus.At(r.ctx, events.StreamDirectory, ack.Sequence)
	if err != nil {
		t.Fatal(err)
	}
	check("at", e)
	got, err := r.bus.Latest(r.ctx, events.StreamDirectory, []string{mine})
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	check("latest", got[mine])
	if err := r.bus.Scan(r.ctx, events.StreamDirectory, events.DirectoryAll, 1, func(e bus.Entry) error {
		check("scan", e)
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// Each request has its time, however many there are.
func TestManySlowRequests(t *testing.T) {
	l := setupLossy(t)
	anchor := l.commit(t, bus.Group{plain(person(0), "a")})[0].Seqs[0]
	slow := 0
	l.wire.Lose(1, func(f bustest.Frame) bool {
		if end(f) {
			slow++
			<-time.After(1300 * time.Millisecond)
		}
		return false
	})
	subjects := make([]string, 2500)
	for i := range subjects {
		subjects[i] = person(i)
	}
	got, err := l.over.LatestAsOf(l.ctx, events.StreamRoster, subjects, person(0), anchor)
	if err != nil || len(got) != 1 || slow != 3 {
		t.Errorf("%d people in %d slow requests, %v", len(got), slow, err)
	}
	if got, err := l.over.LatestAsOf(l.ctx, events.StreamRoster, subjects[:1], person(0), anchor+1); err == nil {
		t.Errorf("as of a message that no replica has: %v", got)
	}
}
