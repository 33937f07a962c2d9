package demo_test

import (
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/rollcall/demo"
)

// Salesforce makes no user without an Alias: what people start from has one for a
// name in any script.
func TestEveryNameHasAnAlias(t *testing.T) {
	t.Parallel()
	example, err := config.Load("../../../examples/rollcall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	built, err := config.Parse(demo.ConfigFile, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []config.File{example, built} {
		r, err := rules.Compile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"李", "Смирнова", "العلي", "Παππά", "Nguyễn", "김", "ทองดี", "वर्मा"} {
			person := &events.Person{
				UserName: "person@example.com", Name: &events.Name{FamilyName: name}, Emails: []events.Email{{Value: "person@example.com"}},
				Enterprise: &events.Enterprise{Department: "Sales"},
			}
			state := &events.PersonState{Key: "k", CorrelationID: "1", Sources: map[string]events.SourceState{"hr": {Person: person}}}
			wishes, err := r.Desire(state, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			for org, d := range wishes {
				if alias, _ := d.Fields["Alias"].(string); d.Problem != nil || alias == "" || len(alias) > 8 {
					t.Errorf("%s: %s has the alias %q, %v", org, name, d.Fields["Alias"], d.Problem)
				}
			}
			if len(wishes) != 1 {
				t.Errorf("%s is in %d orgs", name, len(wishes))
			}
		}
	}
}
