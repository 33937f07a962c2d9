package doctor

import (
	"context"
	"errors"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

const (
	natsClockWarn, natsClockFail = 2 * time.Second, 30 * time.Second
	// unseenWait is short: a server that may not be asked does not answer.
	unseenWait = time.Second
	// certificateSoon is how long before its end a certificate is spoken of.
	certificateSoon = 30 * 24 * time.Hour
	// full and nearlyFull are shares of what there is.
	nearlyFull, full = 0.80, 0.95
)

func (x *examination) nats(ctx context.Context) {
	x.check(ctx, natsReachable, x.reach)
	if x.bus == nil {
		for _, name := range []string{natsStreams, natsSync, natsDisk, natsClock, configInForce} {
			x.check(ctx, name, func(context.Context) []verdict { return skipped("NATS cannot be reached") })
		}
		return
	}
	x.check(ctx, natsStreams, x.streams)
	disk, err := x.disk(ctx)
	x.check(ctx, natsSync, func(context.Context) []verdict { return synced(disk, err) })
	x.check(ctx, natsDisk, func(ctx context.Context) []verdict { return x.space(ctx, disk, err) })
	x.check(ctx, natsClock, x.natsSkew)
	x.check(ctx, configInForce, x.inForce)
}

func (x *examination) reach(ctx context.Context) []verdict {
	const todo = "See that the server runs, that nats.url is right, and that nkey and CA are the ones it knows: docs/runbooks/nats-down.md."
	b, err := x.Connect(ctx)
	if err != nil {
		return fail(todo, "NATS cannot be used: %s", err)
	}
	s, err := b.Server()
	if err != nil {
		b.Close()
		return fail(todo, "%s", err)
	}
	x.bus = b
	return append(ok("connected to %s, version %s, %s away", s.Name, s.Version, s.RTT.Round(10*time.Microsecond)),
		certificate(s.CertifiedUntil, x.Now())...)
}

// certificate says when the server's certificate ends, if that is soon.
func certificate(until, now time.Time) []verdict {
	if until.IsZero() || until.Sub(now) > certificateSoon {
		return nil
	}
	return warn("Make a new one before nobody connects any more: docs/runbooks/nats-keys.md.",
		"the certificate of NATS ends on %s", stamp(until))
}

func (x *examination) streams(ctx context.Context) []verdict {
	if x.FileErr != nil {
		return skipped("what is needed follows from the configuration, which is not in order")
	}
	t := bus.Topology{Orgs: names(x.File.Orgs), Replicas: x.File.NATS.Replicas}
	const run = "Run `rollcall provision`; without nats.provision: false a start of any service does it. "
	waits, err := x.bus.Verify(ctx, t)
	if err != nil {
		return fail(run+"A setting by which something would be lost nobody changes: docs/runbooks/nats-down.md.", "%s", err)
	}
	var found []verdict
	for _, c := range waits {
		found = append(found, warn(run+"No promise of Rollcall's rests on it.", "%s of stream %s is %v, this version makes it %v", c.Setting, c.Stream, c.From, c.To)...)
	}
	if len(found) > 0 {
		return found
	}
	return ok("streams and consumers are as Rollcall needs them, with %d replica(s) at least", max(t.Replicas, 1))
}

// disk asks the server itself, which few accounts may.
func (x *examination) disk(ctx context.Context) (bus.Disk, error) {
	ctx, cancel := context.WithTimeout(ctx, unseenWait)
	defer cancel()
	return x.bus.Disk(ctx)
}

func synced(d bus.Disk, err error) []verdict {
	switch {
	case err != nil:
		return skipped("this account may not ask the server, as usual. See that jetstream{} in its configuration has sync_interval: always; " +
			"with a system account: nats server request jetstream --config. `rollcall up` always syncs.")
	case !d.SyncAlways:
		return fail("Set sync_interval: always in jetstream{} of the server's configuration and restart it.",
			"NATS writes to the disk every %s only: what was acknowledged may be gone after a power failure", d.SyncInterval)
	}
	return ok("every write is on the disk before it is acknowledged")
}

func (x *examination) space(ctx context.Context, d bus.Disk, err error) []verdict {
	if err == nil && d.Limit > 0 {
		return shareOf("NATS's disk (max_file_store)", d.Used, uint64(d.Limit))
	}
	ctx, cancel := context.WithTimeout(ctx, unseenWait)
	defer cancel()
	s, err := x.bus.Storage(ctx)
	switch {
	case errors.Is(err, bus.ErrUnseen):
		return skipped("this account may not ask. On the server: df of the store folder, or nats server report jetstream.")
	case err != nil:
		return fail("Run the doctor again; if it lasts, look at the server's log.", "%s", err)
	case s.Limit > 0:
		return shareOf("the account's limit", s.Used, uint64(s.Limit))
	}
	return skipped("the streams use %s; the account has no limit, and how much disk is left the server says to its system account only: "+
		"df of the store folder, or nats server report jetstream.", size(s.Used))
}

func shareOf(what string, used, limit uint64) []verdict {
	share := float64(used) / float64(limit)
	const todo = "Give NATS more disk, or look which stream grows (`rollcall status`). When it is full, nothing is accepted any more."
	switch {
	case share >= full:
		return fail(todo, "%.0f %% of %s are used: %s of %s", share*100, what, size(used), size(limit))
	case share >= nearlyFull:
		return warn(todo, "%.0f %% of %s are used: %s of %s", share*100, what, size(used), size(limit))
	}
	return ok("%.0f %% of %s are used: %s of %s", share*100, what, size(used), size(limit))
}

func (x *examination) natsSkew(ctx context.Context) []verdict {
	ahead, give, err := x.bus.Clock(ctx)
	if err != nil {
		return skipped("the server's clock cannot be seen: %s", err)
	}
	return skew("NATS", ahead, give, natsClockWarn, natsClockFail,
		"Leases, claims and delayed retries go by the clock.")
}

// skew judges a clock that is ahead of ours by so much, give or take.
func skew(whose string, ahead, give, warns, fails time.Duration, why string) []verdict {
	const todo = "Switch time synchronisation (NTP) on, here or there."
	apart := max(ahead.Abs()-give, 0)
	direction := "ahead of"
	if ahead < 0 {
		direction = "behind"
	}
	switch {
	case apart >= fails:
		return fail(todo, "the clock of %s is %s %s this machine's. %s", whose, ahead.Abs().Round(time.Millisecond), direction, why)
	case apart >= warns:
		return warn(todo, "the clock of %s is %s %s this machine's. %s", whose, ahead.Abs().Round(time.Millisecond), direction, why)
	}
	return ok("the clock of %s agrees with this machine's to within %s", whose, max(ahead.Abs(), give, 10*time.Millisecond).Round(10*time.Millisecond))
}
