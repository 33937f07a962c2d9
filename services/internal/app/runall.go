package app

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// drainTimeout bounds the end of a program: longer than one API call may take,
// shorter than the 30 seconds after which Kubernetes and compose kill.
const drainTimeout = 25 * time.Second

// Member is one of the services of a process.
type Member struct {
	Name    string
	Service Service
}

// ended is how a member's Run ended.
type ended struct {
	name string
	err  error
}

// RunAll runs services until ctx ends or one of them fails, then lets all
// finish the batch in hand, for a bounded time. probes may be nil.
func RunAll(ctx context.Context, probes *Probes, members ...Member) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ends := make(chan ended, len(members))
	for _, m := range members {
		go func() { ends <- ended{name: m.Name, err: m.Service.Run(ctx)} }()
	}
	var errs []error
	running := len(members)
	select {
	case <-ctx.Done():
	case e := <-ends:
		running--
		errs = append(errs, e.failure(ctx))
		cancel()
	}
	probes.Drain()
	return errors.Join(append(errs, drain(ends, running))...)
}

// drain waits for the rest.
func drain(ends <-chan ended, running int) error {
	limit := time.NewTimer(drainTimeout)
	defer limit.Stop()
	var errs []error
	for range running {
		select {
		case e := <-ends:
			if e.err != nil && !errors.Is(e.err, context.Canceled) {
				errs = append(errs, fmt.Errorf("%s: %w", e.name, e.err))
			}
		case <-limit.C:
			return errors.Join(append(errs, fmt.Errorf("not finished %s after being told to stop; claims run out by themselves", drainTimeout))...)
		}
	}
	return errors.Join(errs...)
}

// failure is the error of a member that ended first: to end unasked is one.
func (e ended) failure(ctx context.Context) error {
	switch {
	case e.err != nil && ctx.Err() != nil && errors.Is(e.err, context.Canceled):
		return nil
	case e.err != nil:
		return fmt.Errorf("%s: %w", e.name, e.err)
	case ctx.Err() == nil:
		return fmt.Errorf("%s: stopped unasked", e.name)
	}
	return nil
}
