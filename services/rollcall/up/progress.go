package up

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
)

// display shows how far the work is.
type display interface {
	show(r reading)
	// close ends it; what is written afterwards stands below.
	close()
}

func newDisplay(w io.Writer, terminal bool) display {
	if terminal {
		return newBars(w)
	}
	return &lines{w: w}
}

// lineEvery is how often plain lines are written, at most.
const lineEvery = time.Second

// lines writes a plain line when something has changed.
type lines struct {
	w    io.Writer
	last string
	at   time.Time
}

func (l *lines) show(r reading) {
	text := describe(r)
	if text == l.last || time.Since(l.at) < lineEvery && !r.quiet() {
		return
	}
	l.last, l.at = text, time.Now()
	_, _ = fmt.Fprintln(l.w, text)
}

func (l *lines) close() {}

func describe(r reading) string {
	var b strings.Builder
	for _, s := range r.stages {
		if s.total == 0 {
			continue
		}
		if s.done == s.total {
			fmt.Fprintf(&b, "%s %d · ", s.name, s.done)
			continue
		}
		fmt.Fprintf(&b, "%s %d/%d · ", s.name, s.done, s.total)
	}
	fmt.Fprintf(&b, "parked %d", r.parked)
	if r.retries > 0 {
		fmt.Fprintf(&b, " · to be retried %d", r.retries)
	}
	for _, h := range r.held {
		fmt.Fprintf(&b, " · %s", h)
	}
	return b.String()
}

// bars draws a bar per stage in place.
type bars struct {
	writer   progress.Writer
	trackers map[string]*progress.Tracker
	done     chan struct{}
}

func newBars(w io.Writer) *bars {
	p := progress.NewWriter()
	p.SetOutputWriter(w)
	p.SetAutoStop(false)
	p.SetTrackerLength(24)
	p.SetMessageLength(16)
	p.SetTrackerPosition(progress.PositionRight)
	p.SetUpdateFrequency(100 * time.Millisecond)
	p.SetStyle(progress.StyleBlocks)
	p.Style().Visibility.ETA, p.Style().Visibility.Time = false, false
	b := &bars{writer: p, trackers: map[string]*progress.Tracker{}, done: make(chan struct{})}
	go func() {
		p.Render()
		close(b.done)
	}()
	return b
}

func (b *bars) show(r reading) {
	for _, s := range append(r.stages, stage{name: "parked", done: r.parked, total: r.parked}) {
		if s.total == 0 && b.trackers[s.name] == nil {
			continue
		}
		t, ok := b.trackers[s.name]
		if !ok {
			t = &progress.Tracker{Message: s.name, AutoStopDisabled: true}
			b.trackers[s.name] = t
			b.writer.AppendTracker(t)
		}
		t.UpdateTotal(int64(s.total)) //nolint:gosec // a count of messages
		t.SetValue(int64(s.done))     //nolint:gosec // a count of messages
	}
	b.writer.SetPinnedMessages(r.held...)
}

func (b *bars) close() {
	for _, t := range b.trackers {
		t.MarkAsDone()
	}
	// Stop does nothing before the first drawing has begun, so it is repeated.
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		b.writer.Stop()
		select {
		case <-b.done:
			return
		case <-again.C:
		}
	}
}
