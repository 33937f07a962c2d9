package retry

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// resyncBatch is how many people are read, and asked for, at once.
const resyncBatch = 500

// resync has everybody selected read anew. Only keys are held, however many they
// are. A request that comes again has them read once more, which does no harm.
func (s *Service) resync(ctx context.Context, asked events.OperatorRequest) error {
	keys, err := s.selected(ctx, *asked.Select)
	if err != nil {
		return err
	}
	err = s.audit(ctx, []auditEntry{{
		verb: events.VerbResynced, id: fmt.Sprintf("resynced:%s", asked.ID),
		result: events.OperatorResult{Request: asked.ID, By: asked.By, Note: asked.Reason, Select: asked.Select, Count: len(keys)},
	}})
	if err != nil || len(keys) == 0 {
		return err
	}
	body, err := events.Encode(events.Work{Reason: events.ReasonResync})
	if err != nil {
		return err
	}
	for part := range slices.Chunk(keys, resyncBatch) {
		groups := make([]bus.Group, len(part))
		for i, key := range part {
			groups[i] = bus.Group{{Subject: events.WorkSubject(asked.Select.Org, events.LaneCheck, key), Data: body, Header: header(ctx)}}
		}
		if _, err := s.store.Commit(ctx, events.StreamRoster, groups); err != nil {
			return fmt.Errorf("publish who is read anew: %w", err)
		}
	}
	s.tel.Log.InfoContext(ctx, "people are read anew", "request", asked.ID, "org", asked.Select.Org, "people", len(keys))
	return nil
}

// selected are the keys of everybody whom a selection takes.
func (s *Service) selected(ctx context.Context, sel events.Selection) ([]events.Key, error) {
	var out []events.Key
	var page []events.Desired
	flush := func() error {
		links, err := s.linksOf(ctx, sel, page)
		if err != nil {
			return err
		}
		for _, d := range page {
			if sel.Takes(d, links[d.Key]) {
				out = append(out, d.Key)
			}
		}
		page = page[:0]
		return nil
	}
	take := func(e bus.Entry) error {
		d, err := events.Decode[events.Desired](e.Data)
		switch {
		case errors.Is(err, events.ErrNewer):
			return fmt.Errorf("desired %d: %w", e.Seq, err)
		case err != nil: // theirs cannot be read; everybody else's can
			s.tel.Log.WarnContext(ctx, "somebody is left out of a resync, whose state cannot be read", "seq", e.Seq, "error", err)
			return nil
		}
		if page = append(page, d); len(page) < resyncBatch {
			return nil
		}
		return flush()
	}
	err := s.eachDesired(ctx, sel, take)
	if err == nil {
		err = flush()
	}
	return out, err
}

// eachDesired calls each with the desired state of everybody who may be selected.
func (s *Service) eachDesired(ctx context.Context, sel events.Selection, each func(bus.Entry) error) error {
	if len(sel.Keys) == 0 {
		if err := s.store.Scan(ctx, events.StreamRoster, events.DesiredSubject(sel.Org, "*"), 1, each); err != nil {
			return fmt.Errorf("read who is selected: %w", err)
		}
		return nil
	}
	subjects := make([]string, len(sel.Keys))
	for i, key := range sel.Keys {
		subjects[i] = events.DesiredSubject(sel.Org, key)
	}
	found, err := s.store.Latest(ctx, events.StreamRoster, subjects)
	if err != nil {
		return fmt.Errorf("read who is selected: %w", err)
	}
	for _, subject := range subjects {
		if e, ok := found[subject]; ok {
			if err := each(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// linksOf are the links of people, where a selection goes by them.
func (s *Service) linksOf(ctx context.Context, sel events.Selection, people []events.Desired) (map[events.Key]events.Link, error) {
	if sel.State != events.SelectDrifted || len(people) == 0 {
		return nil, nil //nolint:nilnil // nobody asks for them
	}
	subjects := make([]string, len(people))
	for i, d := range people {
		subjects[i] = events.LinkSubject(sel.Org, d.Key)
	}
	found, err := s.store.Latest(ctx, events.StreamRoster, subjects)
	if err != nil {
		return nil, fmt.Errorf("read who is selected: %w", err)
	}
	out := make(map[events.Key]events.Link, len(found))
	for _, e := range found {
		l, err := events.Decode[events.Link](e.Data)
		if err != nil {
			return nil, fmt.Errorf("link %d: %w", e.Seq, err)
		}
		out[l.Key] = l
	}
	return out, nil
}
