package check

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// people are those of whom something was seen, as ROSTER has them by now: a link
// that was read before Salesforce answered could tell a change of ours from
// nobody's. Users who are nobody's are no business of Rollcall's.
func (c *Checker) people(ctx context.Context, p page, seen Seen) ([]Person, error) {
	keys, err := c.keys(ctx, p, seen)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	var subjects []string
	for _, key := range keys {
		subjects = append(subjects, events.LinkSubject(c.cfg.Org, key), events.DesiredSubject(c.cfg.Org, key))
	}
	found, err := c.roster.Latest(ctx, events.StreamRoster, subjects)
	if err != nil {
		return nil, fmt.Errorf("read links and desired: %w", err)
	}
	var out []Person
	for _, key := range keys {
		link, desired := found[events.LinkSubject(c.cfg.Org, key)], found[events.DesiredSubject(c.cfg.Org, key)]
		one := Person{Key: key, Revision: desired.Seq, LinkSeq: link.Seq}
		if link.Seq == 0 || desired.Seq == 0 {
			continue
		}
		if one.Link, err = events.Decode[events.Link](link.Data); err != nil {
			continue // a newer version wrote it; whoever can read it compares it
		}
		if one.Desired, err = events.Decode[events.Desired](desired.Data); err != nil {
			continue
		}
		out = append(out, one)
	}
	return out, nil
}

// keys are whose users were seen: as the page has it, the others by their owner
// records.
func (c *Checker) keys(ctx context.Context, p page, seen Seen) ([]events.Key, error) {
	keys := map[events.Key]bool{}
	for _, key := range p.keys {
		keys[key] = true
	}
	var subjects []string
	for _, ids := range [][]string{slices.Collect(maps.Keys(seen.Users)), slices.Collect(maps.Keys(seen.Frozen)), slices.Collect(maps.Keys(seen.Assigned)), slices.Collect(maps.Keys(seen.Asked))} {
		for _, id := range ids {
			if _, ok := p.keys[id]; !ok && id != "" {
				subjects = append(subjects, events.OwnerSubject(c.cfg.Org, id))
			}
		}
	}
	slices.Sort(subjects)
	found, err := c.roster.Latest(ctx, events.StreamRoster, slices.Compact(subjects))
	if err != nil {
		return nil, fmt.Errorf("read whose users were changed: %w", err)
	}
	for _, e := range found {
		if o, err := events.Decode[events.Owner](e.Data); err == nil {
			keys[o.Key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys)), nil
}

// decide says what follows for everybody, and who has to be read again because
// somebody works on them, or did since the reading began.
func (c *Checker) decide(people []Person, seen Seen, began time.Time) (found []Finding, busy []string) {
	for _, p := range people {
		if p.Link.Claim != nil || !p.Link.At.Before(began) {
			busy = append(busy, p.Link.UserID)
			continue
		}
		if f, ok := c.cfg.Decide(p, seen, began); ok {
			found = append(found, f)
		}
	}
	return found, slices.DeleteFunc(busy, func(id string) bool { return id == "" })
}

// raise writes what was found: each link by compare-and-set and, where something is
// to be put right, the work with it. Here and nowhere else it is decided that
// Salesforce is to be changed for the sake of what a check saw. It returns the
// users of those whom somebody else changed meanwhile.
func (c *Checker) raise(ctx context.Context, found []Finding, seen Seen) (late []string, err error) {
	if len(found) == 0 {
		return nil, nil
	}
	groups := make([]bus.Group, len(found))
	for i, f := range found {
		if groups[i], err = c.group(f, seen); err != nil {
			return nil, err
		}
	}
	done, err := c.roster.Commit(ctx, events.StreamRoster, groups)
	if err != nil {
		return nil, fmt.Errorf("write what was seen: %w", err)
	}
	for i, f := range found {
		if done[i].Err != nil {
			late = append(late, f.Link.UserID)
			continue
		}
		c.metrics.found(ctx, c.cfg, f)
		if f.Repair {
			c.log.InfoContext(ctx, "person differs in Salesforce and is put right", "org", c.cfg.Org, "key", f.Key, "kinds", f.Drift.Repair)
		}
	}
	return late, nil
}

// remind has those looked at whom nothing else brings back. Of somebody who is
// claimed or unsure a check says nothing: forgotten, they would be seen by none.
func (c *Checker) remind(ctx context.Context, keys []events.Key) error {
	if len(keys) == 0 {
		return nil
	}
	data, err := events.Encode(events.Work{Reason: events.ReasonLook})
	if err != nil {
		return fmt.Errorf("work: %w", err)
	}
	groups := make([]bus.Group, len(keys))
	for i, key := range keys {
		groups[i] = bus.Group{{Subject: events.WorkSubject(c.cfg.Org, events.LaneChange, key), Data: data, Header: header()}}
	}
	if _, err := c.roster.Commit(ctx, events.StreamRoster, groups); err != nil {
		return fmt.Errorf("have people looked at who are overdue: %w", err)
	}
	c.log.InfoContext(ctx, "people were overdue to be looked at, and are looked at now", "org", c.cfg.Org, "people", len(keys))
	return nil
}

// group is what is written of one person.
func (c *Checker) group(f Finding, seen Seen) (bus.Group, error) {
	link := f.Link
	link.Drift, link.Active = f.Drift, f.Active
	if seen.Users[link.UserID] != nil {
		link.Seen = seen.at(f)
	}
	if f.Repair {
		link.AppliedHash = "" // whoever looks sends all that is not so
	}
	if f.Drift != nil && slices.Contains(f.Drift.Repair, events.DriftGiven) {
		link.Assigned = withGiven(f, seen)
	}
	data, err := events.Encode(link)
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	g := bus.Group{{Subject: events.LinkSubject(c.cfg.Org, f.Key), Data: data, Header: header(), Guarded: true, LastSeq: f.LinkSeq}}
	if !f.Repair {
		return g, nil
	}
	lane := events.LaneCheck
	if slices.Contains(f.Drift.Repair, events.DriftActive) {
		lane = events.LaneLeaver
	}
	if data, err = events.Encode(events.Work{Reason: events.ReasonDrift}); err != nil {
		return nil, fmt.Errorf("work: %w", err)
	}
	return append(g, bus.Write{Subject: events.WorkSubject(c.cfg.Org, lane, f.Key), Data: data, Header: header()}), nil
}

// at is when a finding was seen.
func (Seen) at(f Finding) time.Time {
	if f.Drift != nil {
		return f.Drift.At
	}
	return f.Link.Seen
}

// withGiven notes what somebody gave as if Rollcall had: it is taken away again.
func withGiven(f Finding, seen Seen) map[string]string {
	out := map[string]string{}
	maps.Copy(out, f.Link.Assigned)
	for name, a := range seen.Assigned[f.Link.UserID] {
		kind, rest, _ := strings.Cut(name, "/")
		if slices.Contains(f.Drift.Names, name) {
			out[kind+"/"+rest] = a.ID
		}
	}
	return out
}

// count keeps how many people there are of whom something is only reported.
func (c *Checker) count(reg *events.Check, people []Person, found []Finding, p page) {
	now := map[events.Key]*events.Drift{}
	for _, one := range people {
		now[one.Key] = one.Link.Drift
	}
	reg.Reported = maps.Clone(reg.Reported)
	for _, f := range found {
		c.tally(&reg.Reported, now[f.Key], -1)
		c.tally(&reg.Reported, f.Drift, 1)
		now[f.Key] = f.Drift
	}
	reg.Counting = maps.Clone(reg.Counting)
	for _, key := range p.keys {
		c.tally(&reg.Counting, now[key], 1)
	}
}

func (c *Checker) tally(into *map[string]int, d *events.Drift, by int) {
	if d == nil {
		return
	}
	for _, kind := range d.Left {
		if c.cfg.mode(kind) == config.DriftAccept {
			continue
		}
		if *into == nil {
			*into = map[string]int{}
		}
		if (*into)[kind] += by; (*into)[kind] <= 0 {
			delete(*into, kind)
		}
	}
}
