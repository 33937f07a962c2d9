package stage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nuid"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/test/chaos/dump"
	"github.com/rollcall-sync/rollcall/test/chaos/plan"
)

// journalOfAll asks for every request.
func journalOfAll() emulator.JournalFilter { return emulator.JournalFilter{} }

// atMost bounds a run beside its hostility.
const atMost = 5 * time.Minute

// Run carries a plan out with the programs in bin, in a folder of its own, and
// takes the dump. Its error says that there is none.
func Run(ctx context.Context, p plan.Plan, bin, dir string) (*dump.Dump, error) {
	ctx, cancel := context.WithTimeout(ctx, p.Length+atMost)
	defer cancel()
	s, err := open(ctx, p, bin, dir)
	if s != nil {
		defer s.close()
	}
	if err != nil {
		return nil, fmt.Errorf("start the system: %w", err)
	}
	began := time.Now()
	speak := &speaker{plan: p, js: s.js, run: nuid.Next()}
	hands := &fate{plan: p, s: s}
	if err := s.hostility(ctx, speak, hands, began); err != nil {
		return nil, err
	}
	calm := time.Now()
	restless := s.ending(ctx, speak)
	d, err := s.take(ctx)
	if err != nil {
		return nil, errors.Join(err, restless)
	}
	d.Began, d.Calm, d.ProbeFrom, d.ProbeTo, d.Said, d.Done = began, calm, s.probeFrom, s.probeTo, speak.said, hands.done
	if restless != nil {
		d.Restless = restless.Error()
	}
	return d, nil
}

// hostility is the part of the run in which everything goes wrong.
func (s *Stage) hostility(ctx context.Context, speak *speaker, hands *fate, began time.Time) error {
	if err := s.sf.hostile(s.plan.Seed); err != nil {
		return err
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		hands.befall(ctx, s.plan.Trouble, began)
	}()
	err := speak.tell(ctx, s.plan.Story, began)
	<-over
	return errors.Join(err, s.heal())
}

// ending is the quiet end: all is healed, some are in trouble while others are
// changed, all is healed again, and what nobody can read is given up. The error says
// why it did not become quiet.
func (s *Stage) ending(ctx context.Context, speak *speaker) error {
	if err := s.settle(ctx); err != nil {
		return fmt.Errorf("after hostility: %w", err)
	}
	if err := s.probe(ctx, speak); err != nil {
		return err
	}
	if err := s.heal(); err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil {
		return fmt.Errorf("after some were in trouble: %w", err)
	}
	if err := s.givenUp(ctx); err != nil {
		return err
	}
	if err := s.quiet(ctx); err != nil {
		return fmt.Errorf("at the end: %w", err)
	}
	return nil
}

// givenUp is what an admin does about those who stay parked: asks once more, and
// gives up what nobody can read.
func (s *Stage) givenUp(ctx context.Context) error {
	if err := s.again(ctx); err != nil {
		return err
	}
	if err := s.quiet(ctx); err != nil {
		return fmt.Errorf("after all were asked for: %w", err)
	}
	return s.rollcall(ctx, "tasks", "discard", "--cause", string(events.CausePoison), "--all", "--yes", "--as", "chaos", "--reason", "nobody can read it")
}
