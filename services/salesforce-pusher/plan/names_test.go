package plan

import (
	"slices"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// knowing is a catalogue in which names stand for ids: "kind/name" to id.
func knowing(ids map[string]string) *Catalogue {
	c := NewCatalogue(nil)
	for at, id := range ids {
		c.known[at] = Target{ID: id, asked: time.Unix(1, 0)}
	}
	return c
}

func TestNamesThatAreNotThere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		known  map[string]string
		role   string
		lacks  string
		absent []string
	}{
		"all there":      {known: map[string]string{"profile/p": "00e", "role/r": "00E", "ps/a": "0PS"}, role: "R"},
		"no role wanted": {known: map[string]string{"profile/p": "00e", "ps/a": "0PS"}},
		"no profile":     {known: map[string]string{"role/r": "00E", "ps/a": "0PS"}, role: "R", lacks: "P"},
		"no role":        {known: map[string]string{"profile/p": "00e", "ps/a": "0PS"}, role: "R", lacks: "R"},
		"no set":         {known: map[string]string{"profile/p": "00e"}, absent: []string{"ps/A"}},
	} {
		p, _ := somebody("005")
		p.names.done, p.Desired.Role = false, c.role
		p.Naming().Resolved(knowing(c.known), holding())
		switch {
		case c.lacks != "":
			if f := p.names.lacks; f == nil || f.Cause != events.CauseMisconfigured || f.Value != c.lacks {
				t.Errorf("%s: lacks %+v", name, f)
			}
		case p.names.lacks != nil:
			t.Errorf("%s: lacks %+v", name, p.names.lacks)
		case p.names.ids.Profile != "00e" || (p.names.ids.Role != "") != (c.role != ""):
			t.Errorf("%s: ids %+v", name, p.names.ids)
		}
		for _, a := range c.absent {
			if !p.names.absent[a] || slices.Contains(assignments(p.Desired), a) {
				t.Errorf("%s: %s is not there, absent %v, and desired %v", name, a, p.names.absent, assignments(p.Desired))
			}
		}
	}
}

// TestAWrongIDIsAskedForOnce: where the name stands for the same as before, the
// refusal stands; where it does not, the person goes on with the new id.
func TestAWrongIDIsAskedForOnce(t *testing.T) {
	t.Parallel()
	stale := map[string]string{"profile/p": "00eOLD", "ps/a": "0PS"}
	for name, c := range map[string]struct {
		refuse func(p *Person)
		now    map[string]string
		need   Need
		cause  events.Cause
		unsure bool
	}{
		"update, another id":         {refuse: func(p *Person) { p.Account().UpdateRefused(refused(salesforce.Reference)) }, now: map[string]string{"profile/p": "00eNEW", "ps/a": "0PS"}, need: NeedUpdate},
		"update, the same id":        {refuse: func(p *Person) { p.Account().UpdateRefused(refused(salesforce.Reference)) }, now: stale, cause: events.CauseMisconfigured, unsure: true},
		"update, the profile gone":   {refuse: func(p *Person) { p.Account().UpdateRefused(refused(salesforce.Reference)) }, now: map[string]string{"ps/a": "0PS"}, cause: events.CauseMisconfigured, unsure: true},
		"assignment, another id":     {refuse: func(p *Person) { p.Assignments().GiveRefused("ps/A", refused(salesforce.Reference)) }, now: map[string]string{"profile/p": "00eOLD", "ps/a": "0PSNEW"}, need: NeedUpdate},
		"assignment, the same id":    {refuse: func(p *Person) { p.Assignments().GiveRefused("ps/A", refused(salesforce.Reference)) }, now: stale, cause: events.CauseMisconfigured},
		"assignment, the set is not": {refuse: func(p *Person) { p.Assignments().GiveRefused("ps/A", refused(salesforce.Reference)) }, now: map[string]string{"profile/p": "00eOLD"}, need: NeedUpdate},
	} {
		c1 := knowing(stale)
		p, o := somebody("005")
		p.Naming().Resolved(c1, holding())
		if n := p.Next(o); n != NeedUpdate { // the profile: nothing is known of the user
			t.Fatalf("%s: needs %d first", name, n)
		}
		c.refuse(p)
		if n := p.Next(o); n != NeedNamesAgain {
			t.Errorf("%s: needs %d, want the names again", name, n)
		}
		used := p.Naming().Forget(c1)
		if _, known := c1.find(KindProfile, "P"); known {
			t.Errorf("%s: the wrong id is believed", name)
		}
		p.Naming().ResolvedAgain(knowing(c.now), holding(), used)
		if n := p.Next(o); c.cause == "" && n != c.need {
			t.Errorf("%s: needs %d, want %d", name, n, c.need)
		}
		if c.cause != "" {
			wantCause(t, p, c.cause)
		}
		if p.Link.Unsure != c.unsure {
			t.Errorf("%s: unsure %v", name, p.Link.Unsure)
		}
		if name == "assignment, the set is not" && slices.Contains(p.change.Give, "ps/A") {
			t.Errorf("%s: would be given all the same", name)
		}
	}
}
