package stage

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/test/chaos/dump"
	"github.com/rollcall-sync/rollcall/test/chaos/plan"
)

// fate lets trouble befall the system as the plan says. What lasts for a while ends
// by itself beside what comes next.
type fate struct {
	plan plan.Plan
	s    *Stage

	mu   sync.Mutex
	done []dump.Done
	wait sync.WaitGroup
}

// befall carries the steps out, and returns when the last of them is over.
func (f *fate) befall(ctx context.Context, steps []plan.Step, began time.Time) {
	defer f.wait.Wait()
	for _, step := range steps {
		if until(ctx, began.Add(step.At)) != nil {
			return
		}
		f.one(ctx, step)
	}
}

func (f *fate) one(ctx context.Context, step plan.Step) {
	d := dump.Done{At: time.Now(), What: step.String()}
	var err error
	switch step.Verb {
	case plan.Kill, plan.Freeze, plan.Rolling:
		f.process(ctx, step)
	case plan.NATSKill, plan.NATSStop:
		f.nats(step)
	case plan.Again:
		f.later(func() { _ = f.s.again(ctx) }) // who is not parked any more fails it
	case plan.HandPhone, plan.HandTitle, plan.HandActivate, plan.HandDeactivate, plan.HandStrip, plan.HandFlow:
		d.Org, d.Username = step.Org, username(f.plan.People[step.Person], step.Org)
		err = f.hand(step, d.Username)
	default:
		err = f.org(ctx, step)
	}
	if err != nil {
		d.Fault = err.Error()
	}
	f.mu.Lock()
	f.done = append(f.done, d)
	f.mu.Unlock()
}

// later does something beside what comes next.
func (f *fate) later(do func()) { f.wait.Go(do) }

// after does something a while later, or at the end of the run.
func (f *fate) after(ctx context.Context, wait time.Duration, do func()) {
	f.later(func() {
		_ = until(ctx, time.Now().Add(wait))
		do()
	})
}

func (f *fate) process(ctx context.Context, step plan.Step) {
	p := f.s.service(step.Service, step.Replica)
	switch step.Verb {
	case plan.Kill:
		p.kill()
		f.after(ctx, step.For, func() { _ = p.start() })
	case plan.Freeze:
		p.pause()
		f.after(ctx, step.For, p.resume)
	default:
		f.later(func() {
			for i := range plan.Services()[step.Service] {
				one := f.s.service(step.Service, i)
				one.stop()
				_ = one.start()
			}
		})
	}
}

func (f *fate) nats(step plan.Step) {
	p := f.s.procs["nats-server"]
	if step.Verb == plan.NATSKill {
		p.kill()
	} else {
		p.end(syscall.SIGTERM)
	}
	_ = p.start() // it ran before
}

// org has something happen in an org.
func (f *fate) org(ctx context.Context, step plan.Step) error {
	org := f.s.sf.orgs[step.Org]
	fault := emulator.Fault{Org: org.ID(), Operation: "mutating", Times: step.Times}
	one := fault
	one.Operation, one.Field, one.Value = "", "Username", username(f.plan.People[step.Person], step.Org)
	switch step.Verb {
	case plan.Readonly:
		f.after(ctx, step.For, func() { _ = org.Allow("", emulator.DenyWrites) })
		return org.Deny("", emulator.DenyWrites)
	case plan.Seats:
		used, _ := org.Seats(emulator.SalesforceLicense)
		f.after(ctx, step.For, func() { _ = org.SetSeats(emulator.SalesforceLicense, seats) })
		return org.SetSeats(emulator.SalesforceLicense, used)
	case plan.Session:
		org.ExpireSessions()
		return nil
	case plan.Gack:
		one.Effect = emulator.EffectGackRecord
		return f.s.sf.plan(one)
	case plan.Lock:
		one.Effect = emulator.EffectLockRow
		return f.s.sf.plan(one)
	case plan.Lost:
		fault.Effect = emulator.EffectDropAfter
		if step.Person%2 == 0 {
			fault.Effect = emulator.EffectDropBefore // whoever waits for the answer cannot tell
		}
	case plan.Late:
		fault.Effect, fault.LateMillis = emulator.EffectLate, int(step.For.Milliseconds())
	case plan.LateKill:
		// Nobody knows which of them calls next: all die while the call has no answer.
		fault.Field, fault.Value = one.Field, one.Value
		fault.Effect, fault.LateMillis, fault.Hold = emulator.EffectLate, int(step.For.Milliseconds()), true
		f.later(func() { f.killCaller(ctx, org) })
	case plan.Slow:
		fault.Effect, fault.DelayMillis = emulator.EffectSlow, int(step.For.Milliseconds())
	}
	return f.s.sf.plan(fault)
}

// callWithin is how long a call is waited for that is to be late.
const callWithin = 3 * time.Second

// killCaller kills the pushers while one of them waits for an answer that never
// comes.
func (f *fate) killCaller(ctx context.Context, org *emulator.Org) {
	waiting := len(org.Late().Calls())
	_ = eventually(ctx, callWithin, func(context.Context) error {
		if len(org.Late().Calls()) <= waiting {
			return errors.New("no call yet")
		}
		return nil
	})
	for i := range plan.Services()["salesforce-pusher"] {
		f.s.service("salesforce-pusher", i).kill()
	}
	for i := range plan.Services()["salesforce-pusher"] {
		_ = f.s.service("salesforce-pusher", i).start() // it ran before
	}
}

func (s *salesforce) plan(f emulator.Fault) error {
	_, err := s.server.Plan(f)
	return err
}

// hand changes a user behind Rollcall's back; one who is not there yet is no error
// of the run.
func (f *fate) hand(step plan.Step, name string) error {
	org := f.s.sf.orgs[step.Org]
	if _, there := org.UserByUsername(name); !there && step.Verb != plan.HandFlow {
		return nil
	}
	switch step.Verb {
	case plan.HandPhone:
		phone := fmt.Sprintf("555-%04d", step.At.Milliseconds()%10_000)
		f.s.phones[step.Org][name] = phone
		return org.UpdateUser(name, map[string]any{"Phone": phone})
	case plan.HandTitle:
		return org.UpdateUser(name, map[string]any{"Title": "By hand"})
	case plan.HandActivate:
		return org.UpdateUser(name, map[string]any{"IsActive": true})
	case plan.HandDeactivate:
		return org.DisableUser(name)
	case plan.HandStrip:
		return org.Take(name, emulator.Access{PermissionSets: []string{emulator.Everything}, Groups: []string{emulator.Everything}})
	}
	return org.PlantFlow(emulator.Flow{Access: emulator.Access{PermissionSets: []string{emulator.Everything}, Groups: []string{emulator.Everything}}, Fields: []string{"Title"}})
}

// again asks for a retry of everybody who is parked, as an admin would.
func (s *Stage) again(ctx context.Context) error {
	return s.rollcall(ctx, "tasks", "retry", "--all", "--as", "chaos", "--reason", "all is well again")
}

// rollcall runs the command line.
func (s *Stage) rollcall(ctx context.Context, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "rollcall"), append(args, "--nats-url", s.natsURL)...) //nolint:gosec // our own binary
	cmd.Dir = s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("rollcall %v: %w: %s", args, err, out)
	}
	return nil
}
