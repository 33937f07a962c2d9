package plan

import (
	"maps"
	"slices"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

func oneOf(names ...string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

// TestWhatAUserHasAlready: what was there before Rollcall stays theirs, what we
// gave stays ours, and of what was not asked for nothing is known.
func TestWhatAUserHasAlready(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		made  bool // the user is one that Rollcall made
		ours  bool // or has had as desired
		was   map[string]string
		have  map[string]string
		asked []string
		want  map[string]string
	}{
		"theirs":                     {have: map[string]string{"ps/A": "0Pa"}, asked: []string{"ps/A"}, want: map[string]string{"ps/A": found}},
		"of a user of ours":          {made: true, have: map[string]string{"ps/A": "0Pa"}, asked: []string{"ps/A"}, want: map[string]string{"ps/A": "0Pa"}},
		"ours, by a lost record":     {ours: true, have: map[string]string{"ps/A": "0Pa"}, asked: []string{"ps/A"}, want: map[string]string{"ps/A": "0Pa"}},
		"theirs, by a record":        {ours: true, was: map[string]string{"ps/A": found}, have: map[string]string{"ps/A": "0Pa"}, asked: []string{"ps/A"}, want: map[string]string{"ps/A": found}},
		"theirs, known before":       {made: true, was: map[string]string{"ps/A": found}, have: map[string]string{"ps/A": "0Pa"}, asked: []string{"ps/A"}, want: map[string]string{"ps/A": found}},
		"ours, known before":         {was: map[string]string{"ps/A": there}, have: map[string]string{"ps/A": "0Pa"}, asked: []string{"ps/A"}, want: map[string]string{"ps/A": "0Pa"}},
		"perhaps given, and it was":  {was: map[string]string{"ps/A": perhaps}, have: map[string]string{"ps/A": "0Pa"}, asked: []string{"ps/A"}, want: map[string]string{"ps/A": "0Pa"}},
		"perhaps given, and was not": {was: map[string]string{"ps/A": perhaps}, asked: []string{"ps/A"}, want: map[string]string{}},
		"taken by somebody else":     {was: map[string]string{"ps/A": "0Pa"}, asked: []string{"ps/A"}, want: map[string]string{}},
		"could not be asked for":     {was: map[string]string{"ps/A": "0Pa"}, want: map[string]string{"ps/A": "0Pa"}},
	} {
		p, _ := somebody("005")
		p.ownership.made, p.ownership.ours, p.Link.Assigned = c.made, c.ours, c.was
		p.Assignments().Saw(c.have, oneOf(c.asked...))
		if !maps.Equal(p.Link.Assigned, c.want) || !p.ownership.read {
			t.Errorf("%s: %v, want %v", name, p.Link.Assigned, c.want)
		}
	}
	p, _ := somebody("005")
	p.Link.Assigned, p.Link.UnsureUntil = map[string]string{"ps/A": perhaps, "ps/B": "0Pb"}, p.lateUntil
	if p.Assignments().Saw(nil, oneOf("ps/A", "ps/B")); !maps.Equal(p.Link.Assigned, map[string]string{"ps/A": perhaps}) {
		t.Errorf("what may still come is forgotten, or what is gone remembered: %v", p.Link.Assigned)
	}
}

// TestWhoseWhatAUserHasIs: of a user found, what they have is our doing where our
// integration user made them, or where they were as desired before; a crash right
// after they were adopted does not make it so.
func TestWhoseWhatAUserHasIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		user    User
		record  *events.Owner
		linked  string
		applied uint64
		want    bool
	}{
		"of before Rollcall":              {user: User{ID: "005"}},
		"made by our integration user":    {user: User{ID: "005", Ours: true}, want: true},
		"theirs, and was as desired":      {user: User{ID: "005"}, record: &events.Owner{By: ByAdopted}, linked: "005", applied: 7, want: true},
		"theirs, and never was":           {user: User{ID: "005"}, record: &events.Owner{By: ByAdopted}, linked: "005"},
		"as desired with another or none": {user: User{ID: "005"}, record: &events.Owner{By: ByAdopted}, applied: 7},
	} {
		p, _ := somebody(c.linked)
		p.Link.AppliedRevision, p.lookup.user = c.applied, &c.user
		p.Account().Own(c.record)
		if p.ownership.ours != c.want {
			t.Errorf("%s: ours %v", name, p.ownership.ours)
		}
	}
	p, _ := somebody("")
	p.Link.AppliedRevision, p.lookup.user = 7, &User{ID: "005"}
	if by := p.Account().Own(nil); by != ByAdopted {
		t.Fatalf("had by %q", by)
	}
	p.Account().Own(&events.Owner{By: ByAdopted}) // by the next worker
	if p.ownership.ours {
		t.Error("a user that was adopted a moment ago was as desired before")
	}
}

// TestWhatIsGivenAndTaken is the life of one assignment in the link.
func TestWhatIsGivenAndTaken(t *testing.T) {
	t.Parallel()
	const name = "ps/A"
	p, _ := somebody("005")
	a := p.Assignments()
	p.change = Change{Give: []string{name, "ps/B"}, Take: []string{name}}
	if a.Intend(name); !a.Nameless(name) || p.Link.Assigned[name] != perhaps {
		t.Errorf("intended: %v", p.Link.Assigned)
	}
	if a.NotGiven(name); len(p.Link.Assigned) != 0 || len(p.change.Give) != 2 {
		t.Errorf("not sent: %v, left %v", p.Link.Assigned, p.change.Give)
	}
	if a.HadAlready(name); !a.Nameless(name) || !slices.Equal(p.change.Give, []string{"ps/B"}) {
		t.Errorf("had already: %v, left %v", p.Link.Assigned, p.change.Give)
	}
	if give, take := planAssignments(events.Desired{}, p.Link.Assigned); len(give) != 0 || !slices.Equal(take, []string{name}) {
		t.Errorf("what we gave without an answer is not taken back: %v", take)
	}
	if a.Identified(name, "0Pa"); a.Nameless(name) {
		t.Errorf("identified: %v", p.Link.Assigned)
	}
	if a.Taken(name); len(p.Link.Assigned) != 0 || len(p.change.Take) != 0 || !slices.Equal(p.actions, []string{actAssigned, actUnassigned}) {
		t.Errorf("taken: %v, left %v, actions %v", p.Link.Assigned, p.change.Take, p.actions)
	}
}

// TestARefusedAssignmentIsNotOurs: it is not taken away later, for it was never
// given.
func TestARefusedAssignmentIsNotOurs(t *testing.T) {
	t.Parallel()
	const name = "ps/A"
	p, o := somebody("005")
	p.planned, p.change.Give = true, []string{name}
	p.Assignments().Intend(name)
	p.Assignments().GiveRefused(name, refused(salesforce.Licence))
	if len(p.Link.Assigned) != 0 {
		t.Errorf("link has %v", p.Link.Assigned)
	}
	p.Next(o)
	wantCause(t, p, events.CauseLicence)
	kept, o := somebody("005")
	kept.planned, kept.change.Take, kept.Link.Assigned = true, []string{name}, map[string]string{name: "0Pa"}
	kept.Assignments().TakeRefused(name, refused(salesforce.Forbidden))
	kept.Next(o)
	wantCause(t, kept, events.CauseForbidden)
	if len(kept.Link.Assigned) != 1 || kept.Failure().Operation != OpUnassign {
		t.Errorf("a removal was refused: link has %v, %+v", kept.Link.Assigned, kept.Failure())
	}
	for class, want := range map[salesforce.Class]bool{salesforce.NotFound: true, salesforce.Deleted: true, salesforce.Reference: true,
		salesforce.Forbidden: false, salesforce.Locked: false, salesforce.Unknown: false} {
		if Gone(refused(class)) != want {
			t.Errorf("%s means that nothing is there to delete: %v", class, !want)
		}
	}
}

// TestWhatIsMissingMayStillCome: an assignment whose call got no answer is looked
// for again while it can be made.
func TestWhatIsMissingMayStillCome(t *testing.T) {
	t.Parallel()
	const name = "ps/A"
	p, _ := somebody("005")
	p.change.Take, p.Link.Assigned = []string{name}, map[string]string{name: perhaps}
	p.Link.UnsureUntil = p.lateUntil
	if p.Assignments().Missing(name); len(p.Link.Assigned) != 1 || len(p.change.Take) != 0 || len(p.actions) != 0 {
		t.Errorf("forgotten while it may come: %v, left %v", p.Link.Assigned, p.change.Take)
	}
	p.At, p.change.Take = p.lateUntil, []string{name}
	if p.Assignments().Missing(name); len(p.Link.Assigned) != 0 || len(p.change.Take) != 0 {
		t.Errorf("remembered when nothing can come: %v, left %v", p.Link.Assigned, p.change.Take)
	}
}
