package salesforce_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// orgRig is an emulated org and a client signed in to it.
type orgRig struct {
	client *salesforce.Client
	server *emulator.Server
	org    *emulator.Org
	web    *httptest.Server
}

func newOrgRig(t *testing.T) orgRig {
	t.Helper()
	server := emulator.New()
	org := server.AddOrg(emulator.DefaultOrg("consumer", "secret"))
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	oauth, err := salesforce.NewOAuth(salesforce.OAuthConfig{
		LoginURL: web.URL, ClientID: "consumer", ClientSecret: func() (string, error) { return "secret", nil },
		ExpectedOrgID: org.ID(), AllowLoopbackHTTP: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := salesforce.NewClient(salesforce.Config{
		Sessions: salesforce.SessionsFrom(oauth.ClientCredentials), OrgID: org.ID(), AllowLoopbackHTTP: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return orgRig{client: client, server: server, org: org, web: web}
}

// one returns the only record of a query.
func (r orgRig) one(t *testing.T, soql string) salesforce.Record {
	t.Helper()
	records, err := r.client.Query(t.Context(), soql)
	if err != nil || len(records) != 1 {
		t.Fatalf("%s: %v, %v", soql, records, err)
	}
	return records[0]
}

// person is a complete new user.
func (r orgRig) person(t *testing.T, name string) salesforce.Record {
	t.Helper()
	profile := r.one(t, "SELECT Id FROM Profile WHERE Name = 'Standard User'")
	return salesforce.Record{
		"Username": name + "@people.example", "LastName": name, "Email": name + "@people.example",
		"Alias": name[:min(8, len(name))], "CommunityNickname": name, "FederationIdentifier": "E-" + name,
		"ProfileId": profile.ID(), "IsActive": true, "TimeZoneSidKey": "Europe/Paris", "LocaleSidKey": "en_US",
		"EmailEncodingKey": "UTF-8", "LanguageLocaleKey": "en_US",
	}
}

func classOf(err error) salesforce.Class {
	var e *salesforce.Error
	if errors.As(err, &e) {
		return e.Class
	}
	return salesforce.Unknown
}

// The whole life of a user: joins, is found, gets and loses permissions, is
// changed, frozen, leaves and comes back.
func TestUserLifeCycle(t *testing.T) {
	t.Parallel()
	r := newOrgRig(t)
	ctx := t.Context()
	results, err := r.client.CreateRecords(ctx, "User", []salesforce.Record{r.person(t, "ada")})
	if err != nil || results[0].Err() != nil {
		t.Fatal(results, err)
	}
	id := results[0].ID
	found, err := r.client.QueryIn(ctx, salesforce.InQuery{
		Fields: []string{"Username", "IsActive", "Profile.Name"}, From: "User",
		Any: []salesforce.InTerm{{Field: "FederationIdentifier", Values: []string{"E-ada", "E-O'Brien"}}, {Field: "Username", Values: []string{"ada@people.example"}}},
	})
	if err != nil || len(found) != 1 || found[0].ID() != id || !found[0].Bool("IsActive") || found[0].String("Profile.Name") != "Standard User" {
		t.Fatal(found, err)
	}
	r.assign(t, id)
	if updated, err := r.client.UpdateRecords(ctx, "User", []salesforce.Record{{"Id": id, "Title": "Countess", "Department": nil}}); err != nil || updated[0].Err() != nil {
		t.Fatal(updated, err)
	}
	login := r.one(t, "SELECT Id, IsFrozen FROM UserLogin WHERE UserId = "+salesforce.Quote(id))
	if err := r.client.Update(ctx, "UserLogin", login.ID(), salesforce.Record{"IsFrozen": true}); err != nil {
		t.Fatal(err)
	}
	if err := r.client.Update(ctx, "User", id, salesforce.Record{"IsActive": false}); err != nil {
		t.Fatal(err)
	}
	user, _ := r.org.UserByUsername("ada@people.example")
	if user.IsActive || !user.IsFrozen || user.Fields["Title"] != "Countess" {
		t.Errorf("user %+v", user)
	}
	if err := r.client.Update(ctx, "User", id, salesforce.Record{"IsActive": true}); err != nil {
		t.Fatal(err)
	}
	record, err := r.client.Read(ctx, "User", id, "IsActive", "Title")
	if err != nil || !record.Bool("IsActive") || record.String("Title") != "Countess" {
		t.Error(record, err)
	}
}

// assign gives a permission set and a group in one call, twice, and takes them.
func (r orgRig) assign(t *testing.T, id string) {
	t.Helper()
	set := r.one(t, "SELECT Id FROM PermissionSet WHERE Name = 'Sales_Base' AND IsOwnedByProfile = false")
	group := r.one(t, "SELECT Id FROM Group WHERE DeveloperName = 'Sales_Team'")
	rows := []salesforce.Record{
		{"attributes": map[string]any{"type": "PermissionSetAssignment"}, "AssigneeId": id, "PermissionSetId": set.ID()},
		{"attributes": map[string]any{"type": "GroupMember"}, "GroupId": group.ID(), "UserOrGroupId": id},
	}
	first, err := r.client.CreateMixed(t.Context(), rows)
	if err != nil || first[0].Err() != nil || first[1].Err() != nil {
		t.Fatal(first, err)
	}
	again, err := r.client.CreateMixed(t.Context(), rows)
	if err != nil || classOf(again[0].Err()) != salesforce.AlreadyDone || again[1].Err() != nil || again[1].ID != first[1].ID {
		t.Fatal(again, err)
	}
	gone, err := r.client.DeleteRecords(t.Context(), []string{first[0].ID, first[1].ID})
	if err != nil || gone[0].Err() != nil || gone[1].Err() != nil {
		t.Fatal(gone, err)
	}
	if user, _ := r.org.UserByUsername("ada@people.example"); len(user.PermissionSets) != 0 || len(user.Groups) != 0 {
		t.Errorf("user %+v", user)
	}
}

func TestRefusalsOfTheOrg(t *testing.T) {
	t.Parallel()
	r := newOrgRig(t)
	r.server.TakeUsernames("taken@people.example")
	if _, err := r.client.Create(t.Context(), "User", r.person(t, "first")); err != nil {
		t.Fatal(err)
	}
	change := func(name, field string, value any) salesforce.Record {
		rec := r.person(t, name)
		rec[field] = value
		return rec
	}
	records := []salesforce.Record{
		r.person(t, "taken"),
		change("nick", "CommunityNickname", "first"),
		change("fed", "FederationIdentifier", "E-first"),
		change("long", "Alias", "far too long for it"),
		change("mail", "Email", "no address"),
		change("zone", "TimeZoneSidKey", "Mars/Olympus"),
		change("role", "UserRoleId", "00E0000000ZZZZZAAA"),
		change("none", "LastName", nil),
		change("field", "NoSuchField__c", "x"),
	}
	want := []salesforce.Class{
		salesforce.Duplicate, salesforce.Duplicate, salesforce.Duplicate, salesforce.Invalid, salesforce.Invalid,
		salesforce.Invalid, salesforce.Reference, salesforce.Invalid, salesforce.Misconfigured,
	}
	results, err := r.client.CreateRecords(t.Context(), "User", records)
	if err != nil {
		t.Fatal(err)
	}
	for i, rec := range results {
		if classOf(rec.Err()) != want[i] {
			t.Errorf("record %d: %v, want %v", i, rec.Err(), want[i])
		}
	}
	if _, err := r.client.Read(t.Context(), "User", "005000000000000AAA"); classOf(err) != salesforce.NotFound {
		t.Error(err)
	}
}

// What a planned fault does to a creation, as the caller sees it.
func TestFaultsAsTheCallerSeesThem(t *testing.T) {
	t.Parallel()
	cases := []struct {
		effect  emulator.Effect
		class   salesforce.Class
		outcome salesforce.Outcome
		applied bool
	}{
		{emulator.EffectDailyLimit, salesforce.Throttled, salesforce.NotApplied, false},
		{emulator.EffectConcurrentLimit, salesforce.Throttled, salesforce.NotApplied, false},
		{emulator.EffectUnavailable, salesforce.Unavailable, salesforce.MaybeApplied, false},
		{emulator.EffectGack, salesforce.Unknown, salesforce.MaybeApplied, false},
		{emulator.EffectDropBefore, salesforce.Unavailable, salesforce.MaybeApplied, false},
		{emulator.EffectGackAfterCommit, salesforce.Unknown, salesforce.MaybeApplied, true},
		{emulator.EffectDropAfter, salesforce.Unavailable, salesforce.MaybeApplied, true},
		{emulator.EffectTorn, salesforce.Unavailable, salesforce.MaybeApplied, true},
	}
	for _, tc := range cases {
		t.Run(string(tc.effect), func(t *testing.T) {
			t.Parallel()
			r := newOrgRig(t)
			person := r.person(t, "ada")
			fault, err := r.server.Plan(emulator.Fault{Operation: "collections.create", Effect: tc.effect, Times: 1})
			if err != nil {
				t.Fatal(err)
			}
			results, err := r.client.CreateRecords(t.Context(), "User", []salesforce.Record{person})
			var e *salesforce.Error
			if !errors.As(err, &e) || e.Class != tc.class || e.Outcome != tc.outcome || results != nil {
				t.Errorf("%v, %v; want %v/%v", results, err, tc.class, tc.outcome)
			}
			if struck, _ := r.server.Fault(fault.ID); struck.Used != 1 {
				t.Errorf("the fault struck %d times", struck.Used)
			}
			if _, there := r.org.UserByUsername("ada@people.example"); there != tc.applied {
				t.Errorf("applied: %v", there)
			}
		})
	}
}

func TestExpiredSessionIsRenewed(t *testing.T) {
	t.Parallel()
	r := newOrgRig(t)
	person := r.person(t, "ada")
	r.org.ExpireSessions()
	if created, err := r.client.CreateRecords(t.Context(), "User", []salesforce.Record{person}); err != nil || created[0].Err() != nil {
		t.Error(created, err)
	}
}

// Ten thousand people cost two calls per 200 at most: one to look, one to make.
func TestCallsOfALargeLookup(t *testing.T) {
	t.Parallel()
	r := newOrgRig(t)
	var ids, names []string
	for i := range 200 {
		ids = append(ids, fmt.Sprintf("E-%06d", i))
		names = append(names, fmt.Sprintf("some.quite.long.name.%06d@people.of.a.company.example", i))
	}
	r.one(t, "SELECT Id FROM Profile WHERE Name = 'Standard User'")
	r.org.ResetJournal()
	_, err := r.client.QueryIn(t.Context(), salesforce.InQuery{
		Fields: []string{"Username"}, From: "User",
		Any: []salesforce.InTerm{{Field: "FederationIdentifier", Values: ids}, {Field: "Username", Values: names}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if calls := r.org.Journal(emulator.JournalFilter{}); len(calls) != 1 {
		t.Errorf("%d calls", len(calls))
	}
}

func TestPagesOfTheEmulator(t *testing.T) {
	t.Parallel()
	r := newOrgRig(t)
	base := r.person(t, "x")
	var people []salesforce.Record
	for i := range 2100 {
		name := fmt.Sprintf("p%d", i)
		rec := salesforce.Record{}
		for k, v := range base {
			rec[k] = v
		}
		rec["Username"], rec["CommunityNickname"], rec["FederationIdentifier"] = name+"@people.example", name, name
		people = append(people, rec)
	}
	results, err := r.client.CreateRecords(t.Context(), "User", people)
	if err != nil || len(results) != 2100 {
		t.Fatal(len(results), err)
	}
	found, err := r.client.Query(t.Context(), "SELECT Id FROM User WHERE Username LIKE 'p%@people.example'")
	if err != nil || len(found) != 2100 {
		t.Error(len(found), err)
	}
}

func TestTokenRefusalsOfTheOrg(t *testing.T) {
	t.Parallel()
	r := newOrgRig(t)
	oauth, err := salesforce.NewOAuth(salesforce.OAuthConfig{
		LoginURL: r.web.URL, ClientID: "consumer", ClientSecret: func() (string, error) { return "wrong", nil }, AllowLoopbackHTTP: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = oauth.ClientCredentials(t.Context())
	var e *salesforce.TokenError
	if !errors.As(err, &e) || e.Code != "invalid_client" || e.Class != salesforce.TokenCredential {
		t.Error(err)
	}
}

// Names that look like SOQL find the one they name and nothing else.
func TestHostileNamesInQueries(t *testing.T) {
	t.Parallel()
	r := newOrgRig(t)
	names := []string{`O'Brien`, `\`, `\'`, `' OR Id != '`, "tab\there", `"quoted"`, `Łukasz 東京`, `100%_`}
	for i, name := range names {
		rec := r.person(t, fmt.Sprintf("user%d", i))
		rec["LastName"] = name
		if _, err := r.client.Create(t.Context(), "User", rec); err != nil {
			t.Fatal(name, err)
		}
	}
	for i, name := range names {
		if strings.TrimSpace(name) == "" {
			continue
		}
		rec := r.one(t, "SELECT Username FROM User WHERE "+salesforce.In("LastName", []string{name}))
		if rec.String("Username") != fmt.Sprintf("user%d@people.example", i) {
			t.Errorf("%q finds %v", name, rec)
		}
	}
}

func TestBulkLoadOfPeople(t *testing.T) {
	t.Parallel()
	r := newOrgRig(t)
	load := salesforce.BulkLoad{
		Object: "User", Operation: salesforce.BulkInsert, MatchColumn: "Username",
		Columns: []string{
			"Username", "LastName", "Email", "Alias", "CommunityNickname", "FederationIdentifier", "ProfileId", "IsActive",
			"TimeZoneSidKey", "LocaleSidKey", "EmailEncodingKey", "LanguageLocaleKey",
		},
		Delay: func(int) time.Duration { return time.Millisecond },
	}
	for _, name := range []string{"ada", "bob", "cleo"} {
		load.Records = append(load.Records, r.person(t, name))
	}
	load.Records[1]["Email"] = "no address"
	job, results, err := r.client.BulkIngest(t.Context(), load)
	if err != nil || len(results) != 3 {
		t.Fatal(job, results, err)
	}
	if !results[0].Created || classOf(results[1].Err()) != salesforce.Invalid || !results[2].Success {
		t.Errorf("results %+v", results)
	}
	if user, there := r.org.UserByUsername("cleo@people.example"); !there || user.ID != results[2].ID {
		t.Errorf("user %+v", user)
	}
	if err := r.client.BulkDeleteJob(t.Context(), job.ID); err != nil {
		t.Error(err)
	}
}

func TestUpsertDescribeUserInfo(t *testing.T) {
	t.Parallel()
	r := newOrgRig(t)
	first, err := r.client.Upsert(t.Context(), "User", "Rollcall_Key__c", "k 1 ü", r.person(t, "ada"))
	if err != nil || !first.Created {
		t.Fatal(first, err)
	}
	second, err := r.client.Upsert(t.Context(), "User", "Rollcall_Key__c", "k 1 ü", salesforce.Record{"Title": "x", "Rollcall_Key__c": "ignored"})
	if err != nil || second.Created || second.ID != first.ID {
		t.Error(second, err)
	}
	user, err := r.client.Describe(t.Context(), "User")
	if err != nil {
		t.Fatal(err)
	}
	if alias, ok := user.Field("alias"); !ok || alias.Length != 8 || user.Deletable {
		t.Errorf("alias %+v", alias)
	}
	me, err := r.client.UserInfo(t.Context())
	if err != nil || me.Username != emulator.IntegrationUsername || me.OrganizationID != r.org.ID() {
		t.Error(me, err)
	}
	r.org.ExpireSessions()
	if again, err := r.client.UserInfo(t.Context()); err != nil || again.UserID != me.UserID {
		t.Error("a dead token is renewed:", err)
	}
	if limits, err := r.client.Limits(t.Context()); err != nil || limits["DailyApiRequests"].Max == 0 {
		t.Error(limits, err)
	}
	if versions, err := r.client.Versions(t.Context()); err != nil || len(versions) == 0 {
		t.Error(versions, err)
	}
}
