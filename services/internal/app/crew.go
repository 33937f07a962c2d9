package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// drainTimeout bounds the end of a program: longer than one API call may take,
// shorter than the 30 seconds after which Kubernetes and compose kill.
const drainTimeout = 25 * time.Second

// Member is one of the services of a process.
type Member struct {
	Name    string
	Service Service
}

// Alone is a [Service] that may hold what another of its kind in the same
// process would need, a port: the new one starts after the old one has ended.
type Alone interface{ Alone() bool }

// Remarker is a [Service] that is ready and has something to say.
type Remarker interface{ Remark() string }

// Refuser is a [Service] that tells others whether a changed configuration was
// refused.
type Refuser interface{ Refused(is bool) }

// Crew are the services of a process, which may be replaced while it runs.
type Crew struct {
	mu   sync.Mutex
	jobs map[string]*job
	// leaving were told to stop, and may not have finished their batch yet.
	leaving []*job
	ends    chan *job
	ctx     context.Context //nolint:containedctx // that of Run, from which those who come later get theirs
}

// job is one member's run.
type job struct {
	Member
	stop context.CancelFunc
	// dismissed says that it was told to stop.
	dismissed bool
	done      chan struct{}
	err       error
}

// NewCrew has these members first.
func NewCrew(members ...Member) *Crew {
	c := &Crew{jobs: map[string]*job{}, ends: make(chan *job, 2*len(members))}
	for _, m := range members {
		c.jobs[m.Name] = &job{Member: m, done: make(chan struct{})}
	}
	return c
}

// Run runs the members, and those who replace them, until ctx ends or one of
// them fails, then lets all finish the batch in hand, for a bounded time. probes
// may be nil.
func (c *Crew) Run(ctx context.Context, probes *Probes) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return c.finish(ctx, cancel, probes, c.begin(ctx))
}

// begin starts everybody.
func (c *Crew) begin(ctx context.Context) (running int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ctx = ctx
	for _, j := range c.jobs {
		c.start(j)
	}
	return len(c.jobs)
}

// finish waits for the end.
func (c *Crew) finish(ctx context.Context, cancel context.CancelFunc, probes *Probes, running int) error {
	var errs []error
	select {
	case <-ctx.Done():
	case j := <-c.ends:
		running--
		errs = append(errs, j.failure(ctx))
		cancel()
	}
	probes.Drain()
	return errors.Join(append(errs, c.drain(running))...)
}

// start lets a member run. Of those who are told to stop nobody waits for the
// end but who told them.
func (c *Crew) start(j *job) {
	var ctx context.Context
	ctx, j.stop = context.WithCancel(c.ctx)
	go func() {
		j.err = j.Service.Run(ctx)
		close(j.done)
		c.mu.Lock()
		dismissed := j.dismissed
		c.mu.Unlock()
		if !dismissed {
			c.ends <- j
		}
	}()
}

// drain waits for the rest, and for those who were replaced.
func (c *Crew) drain(running int) error {
	limit := time.NewTimer(drainTimeout)
	defer limit.Stop()
	late := fmt.Errorf("not finished %s after being told to stop; claims run out by themselves", drainTimeout)
	var errs []error
	for range running {
		select {
		case j := <-c.ends:
			if j.err != nil && !errors.Is(j.err, context.Canceled) {
				errs = append(errs, fmt.Errorf("%s: %w", j.Name, j.err))
			}
		case <-limit.C:
			return errors.Join(append(errs, late)...)
		}
	}
	c.mu.Lock()
	leaving := c.leaving
	c.mu.Unlock()
	for _, j := range leaving {
		select {
		case <-j.done:
		case <-limit.C:
			return errors.Join(append(errs, late)...)
		}
	}
	return errors.Join(errs...)
}

// failure is the error of a member that ended first: to end unasked is one.
func (j *job) failure(ctx context.Context) error {
	switch {
	case j.err != nil && ctx.Err() != nil && errors.Is(j.err, context.Canceled):
		return nil
	case j.err != nil:
		return fmt.Errorf("%s: %w", j.Name, j.err)
	case ctx.Err() == nil:
		return fmt.Errorf("%s: stopped unasked", j.Name)
	}
	return nil
}

// Replace lets a member take the place of the one of its name. It starts first,
// as one more replica would, so that nobody waits for the batch that the old one
// has in hand; the old one is told to stop then, and Replace returns when it has.
func (c *Crew) Replace(ctx context.Context, m Member) {
	c.mu.Lock()
	old := c.jobs[m.Name]
	next := &job{Member: m, done: make(chan struct{})}
	c.jobs[m.Name] = next
	old.dismissed = true
	c.leaving = append(slices.DeleteFunc(c.leaving, (*job).ended), old)
	alone, is := old.Service.(Alone)
	last := is && alone.Alone()
	if !last {
		c.start(next)
	}
	c.mu.Unlock()

	old.stop()
	limit := time.NewTimer(drainTimeout)
	defer limit.Stop()
	select {
	case <-old.done:
	case <-limit.C:
	case <-ctx.Done():
	}
	if last {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.start(next)
	}
}

func (j *job) ended() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// services are those that run now.
func (c *Crew) services(each func(Member)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, j := range c.jobs {
		each(j.Member)
	}
}

// Ready says which service does not do its work.
func (c *Crew) Ready() error {
	var errs []error
	c.services(func(m Member) {
		err := m.Service.Ready()
		if err != nil && len(c.jobs) > 1 {
			err = fmt.Errorf("%s: %w", m.Name, err)
		}
		errs = append(errs, err)
	})
	return errors.Join(errs...)
}

// Remark is what ready services have to say.
func (c *Crew) Remark() string {
	var out []string
	c.services(func(m Member) {
		if r, ok := m.Service.(Remarker); ok && r.Remark() != "" {
			out = append(out, m.Name+": "+r.Remark())
		}
	})
	return Remarks(out...)
}

// Remarks are those that are not empty, each on its lines.
func Remarks(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), "\n")
}

// Refused tells the services whether a changed configuration was refused.
func (c *Crew) Refused(is bool) {
	c.services(func(m Member) {
		if r, ok := m.Service.(Refuser); ok {
			r.Refused(is)
		}
	})
}

// RunFollowing is [Crew.Run], and replaces the members whenever the
// configuration changes by those that build makes of it.
func (c *Crew) RunFollowing(ctx context.Context, probes *Probes, w *Watcher, build func(context.Context, config.File) ([]Member, error)) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	running := c.begin(ctx)
	following, unfollow := context.WithCancel(ctx)
	var follower sync.WaitGroup
	follower.Go(func() {
		w.Run(following, func(ctx context.Context, file config.File) error {
			members, err := build(ctx, file)
			if err != nil {
				return err
			}
			for _, m := range members {
				c.Replace(ctx, m)
			}
			return nil
		}, c.Refused)
	})
	err := c.finish(ctx, stop, probes, running)
	unfollow()
	follower.Wait()
	return err
}

// RunAll runs services that nothing replaces: see [Crew.Run].
func RunAll(ctx context.Context, probes *Probes, members ...Member) error {
	return NewCrew(members...).Run(ctx, probes)
}
