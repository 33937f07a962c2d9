package up

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/services/rollcall/publish"
)

const (
	// busyEvery is how often progress is read while there is work, idleEvery
	// while there is none.
	busyEvery = 200 * time.Millisecond
	idleEvery = time.Second
)

// watching is how the watch over a run ended.
type watching struct {
	// ended says that the services have ended.
	ended bool
	err   error
}

// watch publishes the demo's export and shows progress until all is quiet
// (with Once) or until ctx or the services end.
func (s *stack) watch(ctx context.Context, g *gauge, services <-chan error) watching {
	w := &watch{stack: s, gauge: g, display: newDisplay(s.o.Stderr, s.o.Terminal), published: make(chan published, 1)}
	defer func() { w.display.close() }()
	if s.o.Demo {
		go func() {
			r, err := s.publishDemo(ctx)
			w.published <- published{result: r, err: err}
		}()
	} else {
		w.published <- published{}
	}
	limit := w.limit()
	tick := time.NewTimer(busyEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return watching{}
		case err := <-services:
			return watching{ended: true, err: err}
		case p := <-w.published:
			if p.err != nil {
				return watching{err: p.err}
			}
			w.result = &p.result
		case <-limit:
			return watching{err: fmt.Errorf("not quiet within %s: %s", s.o.OnceTimeout, describe(w.last))}
		case <-tick.C:
			done, err := w.look(ctx)
			if done || err != nil && ctx.Err() == nil {
				return watching{err: err}
			}
			tick.Reset(w.pace())
		}
	}
}

// published is what became of the demo's export.
type published struct {
	result publish.Result
	err    error
}

// watch is the state of the watch over a run.
type watch struct {
	stack     *stack
	gauge     *gauge
	display   display
	published chan published
	// result is set when everything that is to be published is.
	result *publish.Result
	last   reading
	// calm counts quiet readings in a row; greeted says that the hints have
	// been printed.
	calm    int
	greeted bool
}

// look takes a reading and shows it; done says that the run is over.
func (w *watch) look(ctx context.Context) (done bool, err error) {
	r, err := w.gauge.read(ctx)
	if err != nil {
		return false, err
	}
	w.last = r
	w.display.show(r)
	if !r.quiet() || w.result == nil {
		w.calm = 0
		return false, nil
	}
	w.calm++
	if w.calm < 2 {
		return false, nil
	}
	if w.stack.o.Once {
		return true, nil
	}
	w.greet()
	return false, nil
}

// greet prints, once all is quiet for the first time, what to try next. From
// then on plain lines tell of changes: bars would be drawn over what was printed.
func (w *watch) greet() {
	if w.greeted {
		return
	}
	w.greeted = true
	w.display.close()
	plain := &lines{w: w.stack.o.Stderr, last: describe(w.last)}
	w.display = plain
	w.stack.greet(w.last, *w.result)
}

func (w *watch) pace() time.Duration {
	if w.greeted && w.calm > 1 {
		return idleEvery
	}
	return busyEvery
}

// limit ends a run that does not become quiet.
func (w *watch) limit() <-chan time.Time {
	if !w.stack.o.Once || w.stack.o.OnceTimeout <= 0 {
		return nil
	}
	return time.After(w.stack.o.OnceTimeout)
}
