package emulator_test

import (
	"fmt"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

func soqlOrg(t testing.TB) *emulator.Org {
	t.Helper()
	org := emulator.New().AddOrg(emulator.DefaultOrg(clientID, clientSecret))
	var boss string
	for i, name := range []string{"O'Neil", "back\\slash", "per%cent", "under_score", "Ünï"} {
		fields := map[string]any{"Username": fmt.Sprintf("u%d@people.example", i), "LastName": name, "IsActive": i%2 == 0, "FederationIdentifier": fmt.Sprintf("F%d", i)}
		if i > 0 {
			fields["ManagerId"], fields["Title"] = boss, "Clerk"
		}
		id, err := org.Create("User", fields)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			boss = id
		}
	}
	return org
}

func TestSOQL(t *testing.T) {
	t.Parallel()
	org := soqlOrg(t)
	for soql, want := range map[string]int{
		`SELECT Id FROM User`:                                                                                 6,
		`select id from user u where u.lastname = 'o\'neil'`:                                                  1,
		`SELECT Id FROM User WHERE LastName = 'back\\slash'`:                                                  1,
		`SELECT Id FROM User WHERE LastName LIKE 'per\%cent'`:                                                 1,
		`SELECT Id FROM User WHERE LastName LIKE 'under\_%'`:                                                  1,
		`SELECT Id FROM User WHERE LastName LIKE 'under\%'`:                                                   0,
		`SELECT Id FROM User WHERE LastName LIKE '%s%'`:                                                       2,
		`SELECT Id FROM User WHERE LastName LIKE 'ÜN_'`:                                                       1,
		`SELECT Id FROM User WHERE LastName = '\u00dcn\u00ef'`:                                                1,
		`SELECT Id FROM User WHERE IsActive = TRUE`:                                                           4,
		`SELECT Id FROM User WHERE NOT IsActive = TRUE`:                                                       2,
		`SELECT Id FROM User WHERE (NOT IsActive = true) AND Title != null`:                                   2,
		`SELECT Id FROM User WHERE Title = null`:                                                              2,
		`SELECT Id FROM User WHERE Title <> 'Clerk'`:                                                          2,
		`SELECT Id FROM User WHERE Title NOT IN ('Clerk')`:                                                    2,
		`SELECT Id FROM User WHERE Title IN ('Clerk', null)`:                                                  6,
		`SELECT Id FROM User WHERE Username IN ('U0@people.example') OR FederationIdentifier IN ('f1')`:       2,
		`SELECT Id FROM User WHERE Username IN ('u0@people.example','u1@people.example') AND IsActive = true`: 1,
		`SELECT Id FROM User WHERE Manager.Username = 'u0@people.example'`:                                    4,
		`SELECT Id FROM User WHERE Profile.Name = 'Standard User' AND (Title = 'x' OR Title = 'Clerk')`:       4,
		`SELECT Id FROM User WHERE CreatedDate >= 2020-01-01T00:00:00Z AND CreatedDate = TODAY`:               6,
		`SELECT Id FROM User WHERE CreatedDate < LAST_N_DAYS:3`:                                               0,
		`SELECT Id FROM User ORDER BY LastName DESC NULLS LAST, Id LIMIT 2 OFFSET 5`:                          1,
		`SELECT Id FROM PermissionSet WHERE IsOwnedByProfile = false AND Type != 'Group'`:                     6,
		`SELECT FIELDS(ALL) FROM User LIMIT 200`:                                                              6,
	} {
		rows, err := org.Query(soql)
		if err != nil || len(rows) != want {
			t.Errorf("%s: %d rows, want %d (%v)", soql, len(rows), want, err)
		}
	}
}

func TestSOQLRefused(t *testing.T) {
	t.Parallel()
	org := soqlOrg(t)
	for _, soql := range []string{
		``, `SELECT`, `SELECT Id`, `SELECT FROM User`, `SELECT Id FROM`, `SELECT Id, FROM User`, `SELECT Id FROM User WHERE`,
		`SELECT Id FROM User WHERE Title`, `SELECT Id FROM User WHERE Title = `, `SELECT Id FROM User WHERE Title = 'a' AND`,
		`SELECT Id FROM User WHERE Title = 'a' AND Title = 'b' OR Title = 'c'`, `SELECT Id FROM User WHERE Title = 'it''s'`,
		`SELECT Id FROM User WHERE Title = 'a`, `SELECT Id FROM User WHERE Title = 'a\x'`, `SELECT Id FROM User WHERE (Title = 'a'`,
		`SELECT Id FROM User WHERE Title IN ()`, `SELECT Id FROM User LIMIT -1`, `SELECT Id FROM User LIMIT x`, `SELECT Id FROM User;`,
		`SELECT Nope FROM User`, `SELECT Nope.Id FROM User`, `SELECT Id FROM Nope`, `SELECT Id FROM User WHERE IsActive = 'true'`,
		`SELECT Id FROM User WHERE Title = true`, `SELECT Id FROM User WHERE CreatedDate > '2020-01-01'`, `SELECT Id, Id FROM User`,
		"SELECT Id FROM User WHERE Title = 'a\nb'", `SELECT Id FROM User WHERE Id = 'x'`,
	} {
		if rows, err := org.Query(soql); err == nil {
			t.Errorf("%s: %d rows, want an error", soql, len(rows))
		}
	}
}

// FuzzSOQL: no text makes the parser or the evaluator panic or hang.
func FuzzSOQL(f *testing.F) {
	for _, seed := range []string{
		`SELECT Id, Profile.Name FROM User WHERE Username IN ('a','b') OR (NOT IsActive = true) ORDER BY Name LIMIT 5`,
		`SELECT COUNT() FROM User WHERE LastName LIKE '%\%\'%' AND CreatedDate = LAST_N_DAYS:3`,
		`SELECT COUNT(Id) c FROM User`, `SELECT FIELDS(STANDARD) FROM User`, `((((`, `'`, `SELECT a.b.c.d FROM User`,
	} {
		f.Add(seed)
	}
	org := soqlOrg(f)
	f.Fuzz(func(_ *testing.T, soql string) {
		_, _ = org.Query(soql) // only a panic is a failure
	})
}
