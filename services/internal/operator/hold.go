package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// sampleOf is how many people stand for the others of a hold.
const sampleOf = 5

// HeldPerson is one aspect that is held of one person in one org.
type HeldPerson struct {
	// Seq is the number of what is held of the person; it changes with it, so that a
	// request says what an admin has seen. At is when it was stored.
	Seq      uint64     `json:"seq"`
	At       time.Time  `json:"at"`
	Org      string     `json:"org"`
	Key      events.Key `json:"key"`
	Username string     `json:"username,omitempty"`
	events.HeldAspect
}

// Target is what is held, as a request names it.
func (h HeldPerson) Target() events.Target {
	return events.Target{Org: h.Org, Key: h.Key, Seq: h.Seq, Aspect: h.Aspect}
}

// Hold is all that one cause has held in one org.
type Hold struct {
	// Name is the org's and the cause's: "production/source:hr".
	Name  string             `json:"name"`
	Org   string             `json:"org"`
	Cause events.ChangeCause `json:"cause"`
	// Group is what the group is called, where the cause is one.
	Group string `json:"group,omitempty"`
	// People counts those who wait for a decision, by aspect; Rejected those about
	// whom the decision is that nothing is taken from them.
	People   map[events.Aspect]int `json:"people"`
	Rejected int                   `json:"rejected,omitzero"`
	// Takes counts what would be taken.
	Takes map[string]int `json:"takes"`
	// Rules counts people by the rule under which they have it.
	Rules map[string]int `json:"rules,omitempty"`
	// Since is when the first came to be held, First the event about them that came
	// first, Config a hash of the configuration where that is the cause.
	Since  time.Time     `json:"since"`
	First  events.Origin `json:"first"`
	Config string        `json:"config,omitempty"`
	// Sample are some of the people.
	Sample []HeldPerson `json:"sample"`
}

// HoldFilter picks what is held; a zero field picks all.
type HoldFilter struct {
	// Name is a hold's.
	Name string
	Org  string
	// Aspect is the one that is held.
	Aspect events.Aspect
	// Person is a key, a correlation id or a part of a username.
	Person string
	// Waiting leaves out what is decided.
	Waiting bool
}

// HoldName names the hold of a cause in an org.
func HoldName(org string, cause events.ChangeCause) string { return org + "/" + string(cause) }

// Held returns what the filter picks of all that is held, in the order in which it
// was stored.
func (o *Operator) Held(ctx context.Context, f HoldFilter) ([]HeldPerson, error) {
	var out []HeldPerson
	org := f.Org
	if name, _, ok := strings.Cut(f.Name, "/"); ok {
		org = cmp.Or(org, name)
	}
	err := o.bus.Scan(ctx, events.StreamRoster, events.HeldSubject(cmp.Or(org, "*"), "*"), 1, func(e bus.Entry) error {
		held, err := events.Decode[events.Held](e.Data)
		if errors.Is(err, events.ErrNewer) {
			return fmt.Errorf("%s: %w", e.Subject, err)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", e.Subject, err)
		}
		for _, h := range held.Holds {
			p := HeldPerson{Seq: e.Seq, At: e.Time, Org: held.Org, Key: held.Key, Username: held.Username, HeldAspect: h}
			if o.picksHeld(f, p) {
				out = append(out, p)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list what is held: %w", err)
	}
	return out, nil
}

func (o *Operator) picksHeld(f HoldFilter, p HeldPerson) bool {
	switch {
	case f.Name != "" && f.Name != HoldName(p.Org, p.Cause), f.Org != "" && f.Org != p.Org,
		f.Aspect != "" && f.Aspect != p.Aspect, f.Waiting && p.Rejected:
		return false
	case f.Person == "" || string(p.Key) == f.Person || o.keyer != nil && o.keyer.Person(f.Person) == p.Key:
		return true
	}
	return strings.Contains(strings.ToLower(p.Username), strings.ToLower(f.Person))
}

// Holds puts together what is held because of one thing, the oldest first.
func (o *Operator) Holds(ctx context.Context, list []HeldPerson) ([]Hold, error) {
	byName := map[string]*Hold{}
	for _, p := range list {
		name := HoldName(p.Org, p.Cause)
		h := byName[name]
		if h == nil {
			h = &Hold{Name: name, Org: p.Org, Cause: p.Cause, Since: p.Since, First: p.Origin, Config: p.Config,
				People: map[events.Aspect]int{}, Takes: map[string]int{}, Rules: map[string]int{}}
			byName[name] = h
		}
		h.add(p)
	}
	out := make([]Hold, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		h := byName[name]
		if err := o.nameGroup(ctx, h); err != nil {
			return nil, err
		}
		out = append(out, *h)
	}
	slices.SortStableFunc(out, func(a, b Hold) int { return a.Since.Compare(b.Since) })
	return out, nil
}

func (h *Hold) add(p HeldPerson) {
	if p.Rejected {
		h.Rejected++
	} else {
		h.People[p.Aspect]++
	}
	for _, what := range p.Takes {
		h.Takes[what]++
	}
	h.Rules[cmp.Or(p.Rule, "none")]++
	if p.Since.Before(h.Since) {
		h.Since = p.Since
	}
	if p.Origin.Seq < h.First.Seq {
		h.First = p.Origin
	}
	if len(h.Sample) < sampleOf {
		h.Sample = append(h.Sample, p)
	}
}

// nameGroup adds what a group is called: a key says nothing to anybody.
func (o *Operator) nameGroup(ctx context.Context, h *Hold) error {
	group, ok := strings.CutPrefix(string(h.Cause), "group:")
	_, key, both := strings.Cut(group, "/")
	if !ok || !both {
		return nil
	}
	subject := events.GroupSubject(events.Key(key))
	have, err := o.bus.Latest(ctx, events.StreamRoster, []string{subject})
	if err != nil {
		return fmt.Errorf("look up a group: %w", err)
	}
	if e, known := have[subject]; known {
		if g, err := events.Decode[events.GroupState](e.Data); err == nil && g.Group != nil {
			h.Group = cmp.Or(g.Group.DisplayName, g.Group.Identity())
		}
	}
	return nil
}

// Decide asks for what is held to be let through (release) or not (reject), as the
// admin saw it. Urgent is for single people before a hold is judged.
func (o *Operator) Decide(ctx context.Context, verb events.Verb, by, reason string, urgent bool, list []HeldPerson) ([]Asked, error) {
	switch {
	case verb != events.VerbRelease && verb != events.VerbReject:
		return nil, fmt.Errorf("request %q: what is held is released or rejected", verb)
	case by == "":
		return nil, errors.New("request: it must say who asks")
	case strings.TrimSpace(reason) == "":
		return nil, errors.New("request: it must say why")
	}
	targets := make([]events.Target, len(list))
	for i, p := range list {
		targets[i] = p.Target()
	}
	var out []Asked
	for part := range slices.Chunk(targets, events.MaxTargets) {
		asked, err := o.enter(ctx, verb, events.OperatorRequest{By: by, Reason: reason, Urgent: urgent, Targets: part})
		if err != nil {
			return out, fmt.Errorf("request %s: %w", verb, err)
		}
		out = append(out, asked)
	}
	return out, nil
}
