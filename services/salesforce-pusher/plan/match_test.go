package plan

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

func TestInsertFindsOnlyWhatItSends(t *testing.T) {
	t.Parallel()
	m := Matcher{Order: []string{MatchFederationID, MatchUsername, MatchExternalID}, ExternalField: "Key__c"}
	cases := map[string]struct {
		match  events.Match
		fields map[string]any
		m      Matcher
		want   bool
	}{
		"all sent":                {events.Match{FederationID: "f", Username: "u"}, map[string]any{"FederationIdentifier": "F", "Username": "u"}, m, true},
		"federation id not sent":  {events.Match{FederationID: "f", Username: "u"}, map[string]any{"Username": "u"}, m, false},
		"another one sent":        {events.Match{FederationID: "f"}, map[string]any{"FederationIdentifier": "g", "Username": "u"}, m, false},
		"external id sent":        {events.Match{ExternalID: "x"}, map[string]any{"Key__c": "x", "Username": "u"}, m, true},
		"e-mail is not unique":    {events.Match{Username: "u", Email: "e"}, map[string]any{"Username": "u", "Email": "e"}, Matcher{Order: []string{MatchUsername, MatchEmail}}, false},
		"no e-mail to compare":    {events.Match{Username: "u"}, map[string]any{"Username": "u"}, Matcher{Order: []string{MatchUsername, MatchEmail}}, true},
		"nothing to recognise by": {events.Match{}, map[string]any{"Username": "u"}, m, true},
		"nothing at all":          {events.Match{}, nil, Matcher{Order: []string{MatchFederationID}}, false},
	}
	for name, c := range cases {
		if got := c.m.sureOfInsert(events.Desired{Match: c.match, Fields: c.fields}); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestRecogniseNeverGuesses: whatever stands in the org, the answer is a user
// that a rule names, or nobody, or a failure; never one of several.
func TestRecogniseNeverGuesses(t *testing.T) {
	t.Parallel()
	value := rapid.SampledFrom([]string{"", "a", "A", "b", "c"})
	rapid.Check(t, func(t *rapid.T) {
		m := Matcher{Order: rapid.Permutation([]string{MatchFederationID, MatchUsername, MatchEmail, MatchExternalID}).Draw(t, "order"),
			ExternalField: "Key__c", ByEmail: rapid.Bool().Draw(t, "by e-mail")}
		d := events.Desired{Match: events.Match{FederationID: value.Draw(t, "fed"), Username: value.Draw(t, "user"),
			Email: value.Draw(t, "mail"), ExternalID: value.Draw(t, "ext")}}
		users := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *User {
			return &User{Username: value.Draw(t, "u"), Federation: value.Draw(t, "f"), Email: value.Draw(t, "e"), External: value.Draw(t, "x")}
		}), 0, 4).Draw(t, "users")
		for i, u := range users {
			u.ID = string(rune('0' + i))
		}
		got, failure := m.match(d, users)
		index := NewUsers(m, users)
		if again, f := m.match(d, index.candidates(d)); again != got || (f == nil) != (failure == nil) {
			t.Fatalf("the index answers %v %v, all users %v %v", again, f, got, failure)
		}
		if failure != nil {
			if got != nil || failure.Cause != events.CauseAmbiguousMatch {
				t.Fatalf("%v with failure %+v", got, failure)
			}
			return
		}
		strong := map[*User]bool{}
		for _, u := range users {
			if fits(u.Federation, d.Match.FederationID) || fits(u.Username, d.Match.Username) || fits(u.External, d.Match.ExternalID) {
				strong[u] = true
			}
		}
		switch {
		case len(strong) > 1:
			t.Fatalf("took %v of %d users that fit", got, len(strong))
		case len(strong) == 1 && !strong[got]:
			t.Fatalf("took %v, another one fits", got)
		case got != nil && len(strong) == 0 && (!m.ByEmail || !fits(got.Email, d.Match.Email)):
			t.Fatalf("took %v, which nothing names", got)
		case got != nil && got.Federation != "" && d.Match.FederationID != "" && !fits(got.Federation, d.Match.FederationID):
			t.Fatalf("took %v with another federation id", got)
		}
	})
}

func fits(have, want string) bool {
	return want != "" && (have == want || len(have) == 1 && len(want) == 1 && have[0]|32 == want[0]|32)
}
