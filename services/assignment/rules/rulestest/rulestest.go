// Package rulestest has a configuration, and people and events that it fits, for
// the tests of assignment.
package rulestest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// File is a configuration with two sources and one org.
func File(t testing.TB) config.File {
	t.Helper()
	key := filepath.Join(t.TempDir(), "deployment.key")
	if err := os.WriteFile(key, []byte(strings.Repeat("k", events.MinDeploymentKeyBytes)), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.File{
		Deployment: config.Deployment{KeyFile: key},
		Sources: map[string]config.Source{
			"hr":        {Correlate: "enterprise.employeeNumber"},
			"directory": {Correlate: "externalId"},
		},
		Authority: []string{"hr"},
		Orgs:      map[string]config.Org{"sales": {Assign: Assign()}},
	}
}

// Assign is that org's.
func Assign() config.Assign {
	return config.Assign{
		Rules: []config.Rule{
			{Name: "seller", When: `person.?enterprise.?department.orValue("") == "Sales"`, Profile: "Sales User", Role: "Seller",
				Assignments: config.Assignments{"permissionSets": {"Base"}, "groups": {"Everybody"}}},
			{Name: "member", When: `groups.exists(g, g == "directory/CRM")`, Profile: "Reader"},
		},
		Fields: map[string]string{
			"Username":             `person.userName + ".crm"`,
			"FederationIdentifier": `correlation_id`,
			"Email":                `person.emails[0].value`,
			"LastName":             `require(person.name.familyName)`,
			"FirstName":            `person.?name.?givenName.orValue("")`,
			"Alias":                `truncate(ascii(person.name.familyName).lowerAscii(), 8)`,
			"Title":                `person.?title`,
			"Department":           `person.?enterprise.?department`,
			"TimeZoneSidKey":       `"Europe/Berlin"`,
			"LocaleSidKey":         `person.?locale.orValue("en_US").replace("-", "_")`,
		},
		Grants: []config.Grant{{When: `"directory/Leads" in groups`, Assignments: config.Assignments{"permissionSets": {"Lead", "Base"}}}},
	}
}

// Person is a whole person with number n.
func Person(n int) *events.Person {
	id := fmt.Sprintf("W%05d", n)
	return &events.Person{
		ExternalID: id, UserName: fmt.Sprintf("sample.person%05d@example.com", n),
		Name:       &events.Name{GivenName: "Sample", FamilyName: fmt.Sprintf("Pérson %05d", n)},
		Title:      "Consultant",
		Emails:     []events.Email{{Value: fmt.Sprintf("sample.person%05d@example.com", n), Primary: true}},
		Enterprise: &events.Enterprise{EmployeeNumber: id, Department: "Sales", Division: "North", CostCenter: "C1"},
		Custom:     map[string]string{"badge": "7"},
	}
}

// Event is that a person with number n is as they are.
func Event(n int, edit ...func(*events.Event)) *events.Event {
	e := &events.Event{
		SpecVersion: "1.0", ID: fmt.Sprintf("e-%d", n), Source: "https://hr.example.com", Type: events.TypePersonUpserted,
		Person: Person(n),
	}
	for _, f := range edit {
		f(e)
	}
	return e
}

// Encoded is the event as it is published.
func Encoded(t testing.TB, e *events.Event) []byte {
	t.Helper()
	data, err := events.EncodeEvent(e)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	return data
}
