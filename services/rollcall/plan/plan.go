package plan

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/preview"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/doctor"
	"github.com/rollcall-sync/rollcall/services/internal/inforce"
)

// Options say what is planned.
type Options struct {
	// File is the configuration, Keyer derives keys; nil where nobody is named.
	File  config.File
	Keyer *events.Keyer
	Bus   *bus.Bus
	// Publication are events that would be published; nil for the configuration alone.
	Publication preview.Publication
	// Person is the only one looked at; empty for everybody.
	Person events.Key
	// Ask asks an org for names and seats; nil where no org is asked.
	Ask func(ctx context.Context, org string) doctor.Supply
}

// Report is a plan, and what it is a plan of.
type Report struct {
	// Hash is the configuration's, InForce what assignment works with; nil where it
	// has never run.
	Hash    string   `json:"hash"`
	InForce *InForce `json:"inForce,omitempty"`
	// Waiting are events that assignment has not taken yet: what they change is not
	// in the plan.
	Waiting uint64       `json:"waiting"`
	Plan    preview.Plan `json:"plan"`
	// Supplies are what the orgs say; none where they were not asked.
	Supplies []doctor.Supply `json:"supplies,omitempty"`
	// Over says that more would be taken away than passes the gate at once.
	Over    bool    `json:"over"`
	Seconds float64 `json:"seconds"`
}

// InForce is the configuration that assignment works with.
type InForce struct {
	Hash       string `json:"hash"`
	Generation uint64 `json:"generation"`
	// Swept says that everybody has been compared with it.
	Swept bool `json:"swept"`
}

// Changed says whether the configuration is another than the one in force.
func (r *Report) Changed() bool { return r.InForce != nil && r.InForce.Hash != r.Hash }

// Make makes a plan. Nothing is written; an error of the configuration joins every
// fault.
func Make(ctx context.Context, o Options) (Report, error) {
	began := time.Now()
	r := Report{Hash: o.File.Hash()}
	p, err := preview.New(o.Bus, o.File, o.Keyer)
	if err != nil {
		return r, err
	}
	if err := r.look(ctx, o.Bus); err != nil {
		return r, err
	}
	asked := ask(ctx, o)
	r.Plan, err = work(ctx, p, o)
	r.Supplies = asked()
	r.Over, r.Seconds = r.Plan.Over(), time.Since(began).Seconds()
	return r, err
}

func work(ctx context.Context, p *preview.Preview, o Options) (preview.Plan, error) {
	after := uint64(0)
	if o.Publication != nil {
		s, err := o.Bus.Stream(ctx, events.StreamDirectory)
		if err != nil {
			return preview.Plan{}, err
		}
		after = s.LastSeq
	}
	switch {
	case o.Person != "":
		return p.Person(ctx, o.Person, o.Publication, after)
	case o.Publication != nil:
		return p.Publish(ctx, o.Publication, after)
	}
	return p.Everybody(ctx)
}

// look reads which configuration is in force, and what assignment has still to do.
func (r *Report) look(ctx context.Context, b *bus.Bus) error {
	is, err := inforce.Read(ctx, b)
	if err != nil {
		return err
	}
	if is.Generation > 0 {
		r.InForce = &InForce{Hash: is.Hash, Generation: is.Generation, Swept: is.Swept()}
	}
	all, err := b.Consumers(ctx, events.StreamDirectory)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(all, func(c bus.ConsumerStatus) bool { return c.Name == events.ConsumerAssignment }); i >= 0 {
		r.Waiting = all[i].Pending + uint64(max(0, all[i].AckPending))
	}
	return nil
}

// ask asks all orgs at once, while the plan is worked out.
func ask(ctx context.Context, o Options) (wait func() []doctor.Supply) {
	if o.Ask == nil {
		return func() []doctor.Supply { return nil }
	}
	names := slices.Sorted(maps.Keys(o.File.Orgs))
	out := make([]doctor.Supply, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() { out[i] = o.Ask(ctx, name) })
	}
	return func() []doctor.Supply {
		all.Wait()
		return out
	}
}
