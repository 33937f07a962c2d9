package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
)

// counter is a register with how many people were ever written, counted with
// them. before is called each time it has been read.
type counter struct {
	*rig
	before func(call int)
	calls  [][]int
}

func (c *counter) subject() string { return events.HealthSubject("counter") }

func (c *counter) sum(ctx context.Context, in []int) (bus.Group, error) {
	have, err := c.bus.Latest(ctx, events.StreamRoster, []string{c.subject()})
	if err != nil {
		return nil, err
	}
	e := have[c.subject()]
	n, _ := strconv.Atoi(string(e.Data))
	c.calls = append(c.calls, in)
	if c.before != nil {
		c.before(len(c.calls))
	}
	return bus.Group{upon(c.subject(), strconv.Itoa(n+len(in)), e.Seq)}, nil
}

func (c *counter) want(t *testing.T, n, calls int) {
	t.Helper()
	if e := c.newest(t, c.subject()); string(e.Data) != strconv.Itoa(n) || len(c.calls) != calls {
		t.Errorf("counted %s with %d sums, want %d with %d", e.Data, len(c.calls), n, calls)
	}
}

// Who drops out of a batch is not counted with it.
func TestASumIsOfTheGroupsThatAreIn(t *testing.T) {
	r := newRig(t)
	c := &counter{rig: r}
	r.commit(t, bus.Group{plain(person(1), "theirs")})
	out, err := r.bus.CommitSummed(r.ctx, events.StreamRoster, []bus.Group{
		{upon(person(0), "a", 0)}, {upon(person(1), "a", 0)}, nil, {upon(person(2), "a", 0), plain(person(3), "a")},
	}, c.sum)
	if err != nil || ended(out[:2]) != "stored conflict" || ended(out[3:]) != "stored" {
		t.Fatalf("%+v, %v", out, err)
	}
	c.want(t, 2, 2)
	if got := fmt.Sprint(c.calls); got != "[[0 1 3] [0 3]]" {
		t.Errorf("asked for %s", got)
	}
	if e := r.newest(t, person(2)); e.Seq != out[3].Seqs[0] {
		t.Errorf("stored at %d, told was %v", e.Seq, out[3].Seqs)
	}
}

// Each batch has its own sum, also one that others have counted into.
func TestASumPerBatch(t *testing.T) {
	r := newRig(t)
	c := &counter{rig: r, before: func(call int) {
		if call == 2 {
			r.commit(t, bus.Group{plain(events.HealthSubject("counter"), "5000")})
		}
	}}
	var groups []bus.Group
	for i := range 700 {
		groups = append(groups, bus.Group{upon(person(i), "a", 0), plain(events.DesiredSubject("acme", events.Key(fmt.Sprint("k", i))), "d")})
	}
	out, err := r.bus.CommitSummed(r.ctx, events.StreamRoster, groups, c.sum)
	if err != nil || out[699].Err != nil || r.newest(t, person(699)).Seq != out[699].Seqs[0] {
		t.Fatalf("%+v, %v", out[699], err)
	}
	c.want(t, 5000+700-len(c.calls[0]), 3)
}

// A lost try and then a conflict: the sum of the lost one is not stored.
func TestASumAfterALostTry(t *testing.T) {
	l := setupLossy(t)
	c := &counter{rig: l.rig}
	lost := l.wire.Lose(1, func(f bustest.Frame) bool {
		if publishing(f) {
			l.commit(t, bus.Group{plain(person(1), "theirs")})
			return true
		}
		return false
	})
	out, err := l.over.CommitSummed(l.ctx, events.StreamRoster, []bus.Group{{upon(person(1), "a", 0)}, {upon(person(2), "a", 0)}}, c.sum)
	met(t, 1, lost)
	if err != nil || ended(out) != "conflict stored" {
		t.Fatalf("%+v, %v", out, err)
	}
	c.want(t, 1, 2)
}

func TestASumMayRefuse(t *testing.T) {
	r := newRig(t)
	full := errors.New("full")
	_, err := r.bus.CommitSummed(r.ctx, events.StreamRoster, []bus.Group{{upon(person(1), "a", 0)}},
		func(context.Context, []int) (bus.Group, error) { return nil, full })
	if !errors.Is(err, full) || r.last(t) != 0 {
		t.Errorf("%v, and the stream is at %d", err, r.last(t))
	}
	_, err = r.bus.CommitSummed(r.ctx, events.StreamRoster, []bus.Group{{upon(person(1), "a", 0)}},
		func(context.Context, []int) (bus.Group, error) { return bus.Group{upon(person(1), "sum", 0)}, nil })
	if err == nil || r.last(t) != 0 {
		t.Errorf("a sum that is guarded by what a group writes: %v, and the stream is at %d", err, r.last(t))
	}
}

// A sum may be of any size: where it does not fit beside what it counts, that is
// stored in parts, each counted once.
func TestABatchMakesRoomForItsSum(t *testing.T) {
	r := newRig(t)
	c := &counter{rig: r}
	groups := make([]bus.Group, 985)
	for i := range groups {
		groups[i] = bus.Group{upon(person(i), "a", 0)}
	}
	wide := func(ctx context.Context, in []int) (bus.Group, error) {
		sum, err := c.sum(ctx, in)
		for i := range 40 {
			sum = append(sum, plain(events.HealthSubject("org"+strconv.Itoa(i)), "counted"))
		}
		return sum, err
	}
	out, err := r.bus.CommitSummed(r.ctx, events.StreamRoster, groups, wide)
	if err != nil {
		t.Fatal(err)
	}
	for i, one := range out {
		if one.Err != nil || len(one.Seqs) == 0 {
			t.Fatalf("group %d: %+v", i, one)
		}
	}
	c.want(t, len(groups), 3)
}
