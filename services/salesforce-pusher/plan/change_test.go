package plan

import (
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// TestAnInsertIsMadeOnlyWhereItIsSure to make the only user of somebody who
// should have one.
func TestAnInsertIsMadeOnlyWhereItIsSure(t *testing.T) {
	t.Parallel()
	if p, o := somebody(""); !p.MayInsert(o) {
		t.Fatal("nobody yet, and nothing in doubt, and yet no insert")
	}
	for name, change := range map[string]func(p *Person, o *Policy){
		"a leaver":             func(p *Person, _ *Policy) { p.Desired.Active = false },
		"somebody with a user": func(p *Person, _ *Policy) { p.Link.UserID = "005" },
		"creating is off":      func(_ *Person, o *Policy) { o.Create = false },
		"in doubt":             func(p *Person, _ *Policy) { p.Link.Unsure = true },
		"a job is open":        func(p *Person, _ *Policy) { p.Link.Job = "750" },
		"no unique value":      func(p *Person, _ *Policy) { p.Desired.Match.Username = "other@x.test" },
	} {
		p, o := somebody("")
		if change(p, o); p.MayInsert(o) {
			t.Errorf("%s: inserted", name)
		}
	}
}

// TestNobodyIsLetInWhoIsNotActive: they are activated first.
func TestNobodyIsLetInWhoIsNotActive(t *testing.T) {
	t.Parallel()
	p, o := somebody("005")
	p.planned, p.change = true, Change{Unfreeze: true, Give: []string{"ps/A"}}
	if n := p.Next(o); n != NeedUnfreeze {
		t.Errorf("needs %d, want to be let in", n)
	}
	if p.Link.Active = false; p.Next(o) == NeedUnfreeze {
		t.Error("let in while not active")
	}
}

// TestARoleOfALostCreateIsOurs: nobody else gave a role to a user we made.
func TestARoleOfALostCreateIsOurs(t *testing.T) {
	t.Parallel()
	for made, want := range map[bool]bool{true: true, false: false} {
		p, o := somebody("005")
		p.lookup = lookup{done: true, user: &User{ID: "005", Active: true, Fields: map[string]any{"userroleid": "00E", "username": "ann@x.test"}}}
		p.ownership.made = made
		p.reconcile(o)
		if _, cleared := p.change.Update[FieldRole]; cleared != want {
			t.Errorf("a user we made: %v; the role that nobody wants is cleared: %v", made, cleared)
		}
	}
}

func TestProtectionIgnoresCase(t *testing.T) {
	t.Parallel()
	o := Policy{Protected: map[string]bool{"boss@x.test": true, "005a": true}}
	if !o.Protects("", "Boss@X.test") || !o.Protects("005A") || o.Protects("", "ann@x.test") || o.Protects("") {
		t.Error("protects whom it should not, or does not whom it should")
	}
}

// TestANewUserIsSentNoEmptyValue: they have none to clear.
func TestANewUserIsSentNoEmptyValue(t *testing.T) {
	t.Parallel()
	d := events.Desired{Active: true, Fields: map[string]any{"Title": " ", "Phone": nil, "City": "Bern"}}
	c := planCreate(d, IDs{Profile: "00e"})
	if len(c.Create) != 3 || c.Create["City"] != "Bern" || c.Create[FieldProfile] != "00e" || c.Create[FieldActive] != true {
		t.Errorf("sends %v", c.Create)
	}
}

func TestALeaverIsFrozenFirst(t *testing.T) {
	t.Parallel()
	left := events.Desired{}
	for name, c := range map[string]struct {
		link  events.Link
		first bool
		want  bool
	}{
		"asked for":       {events.Link{UserID: "005", Active: true}, true, true},
		"not asked for":   {events.Link{UserID: "005", Active: true}, false, false},
		"frozen already":  {events.Link{UserID: "005", Active: true, Frozen: true}, true, false},
		"inactive by now": {events.Link{UserID: "005"}, true, false},
	} {
		if got := planExisting(left, c.link, nil, IDs{}, c.first); got.Freeze != c.want || (len(got.Update) > 0) != c.link.Active {
			t.Errorf("%s: %+v", name, got)
		}
	}
	// Whom a call without an answer may let in again is shut out in any case.
	p, o := somebody("005")
	p.Desired, p.Link.UnsureUntil, o.FreezeFirst = left, p.At.Add(time.Minute), false
	if p.reconcile(o); !p.change.Freeze || !p.call.mustFreeze {
		t.Errorf("a late call may let them in: %+v", p.change)
	}
}

// TestValuesAreComparedAsSalesforceKeepsThem: it trims, and knows no empty text.
func TestValuesAreComparedAsSalesforceKeepsThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		have, want any
		same       bool
	}{
		{"a", "a ", true}, {"a", "b", false}, {"a", "A", false}, {nil, "", true}, {nil, " ", true}, {nil, "a", false}, {"a", "", false},
		{"a", nil, false}, {true, true, true}, {true, "true", false}, {1.0, 1.0, true}, {2.5, 1.0, false},
	} {
		if same(c.have, c.want) != c.same {
			t.Errorf("%#v and %#v: same %v", c.have, c.want, !c.same)
		}
		if (hashValue(c.have) == hashValue(c.want)) && !c.same {
			t.Errorf("%#v and %#v hash alike", c.have, c.want)
		}
	}
	if hashValue("") != hashValue(nil) || hashValue(" ") != hashValue(nil) {
		t.Error("an empty value is another than none")
	}
}
