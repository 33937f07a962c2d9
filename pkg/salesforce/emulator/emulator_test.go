package emulator_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

func TestUserLifeCycle(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	id := r.create("ada", "FederationIdentifier", "E1", "Rollcall_Key__c", "k1")
	r.do("GET", version+"/sobjects/user/"+id+"/?fields=username,ISACTIVE,Profile", "").is(t, 400)
	got := r.do("GET", version+"/sobjects/user/"+id+"/?fields=username,ISACTIVE", "").object(t)
	if got["Username"] != "ada@people.example" || got["IsActive"] != true {
		t.Fatalf("record %v", got)
	}
	r.do("PATCH", version+"/sobjects/User/"+id, `{"lastname":"Lovelace","Department":"R&D"}`).is(t, 204)
	r.query("SELECT Id, Name, Profile.Name, Profile.UserLicense.LicenseDefinitionKey, ManagerId, Manager.Name FROM User WHERE Rollcall_Key__c IN ('K1','k2') OR FederationIdentifier IN ('zz')").
		same(t, 200, `{"totalSize":1,"done":true,"records":[{"attributes":{"type":"User","url":"/services/data/v63.0/sobjects/User/`+id+`"},"Id":"`+id+`","Name":"Lovelace",
		"Profile":{"attributes":{"type":"Profile","url":"/services/data/v63.0/sobjects/Profile/`+r.id("Profile", "Standard User")+`"},"Name":"Standard User","UserLicense":{"attributes":{"type":"UserLicense","url":"/services/data/v63.0/sobjects/UserLicense/`+r.id("UserLicense", "Salesforce")+`"},"LicenseDefinitionKey":"SFDC"}},"ManagerId":null,"Manager":null}]}`)
	used, _ := r.org.Seats(emulator.SalesforceLicense)
	r.do("PATCH", version+"/sobjects/User/"+id, `{"IsActive":false}`).is(t, 204)
	if after, _ := r.org.Seats(emulator.SalesforceLicense); after != used-1 {
		t.Fatalf("seats %d, want %d", after, used-1)
	}
}

func TestCollectionsKeepOrderAndReportEach(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	a := r.do("POST", version+"/composite/sobjects/", collection(false, typed("User", r.person("one")), typed("User", r.person("two", "LastName", "")), typed("User", r.person("three"))))
	a.is(t, 200)
	list := a.list(t)
	if len(list) != 3 || list[0]["success"] != true || list[1]["success"] != false || list[2]["success"] != true {
		t.Fatalf("results %s", a.body)
	}
	a = r.do("POST", version+"/composite/sobjects", collection(true, typed("User", r.person("four")), typed("User", r.person("four"))))
	if !strings.Contains(a.body, "ALL_OR_NONE_OPERATION_ROLLED_BACK") || !strings.Contains(a.body, "DUPLICATE_USERNAME") {
		t.Fatalf("results %s", a.body)
	}
	if _, there := r.org.UserByUsername("four@people.example"); there {
		t.Fatal("a rolled back user is there")
	}
	if n, _ := r.org.Count("SELECT Id FROM UserLogin"); n != 3 {
		t.Fatalf("%d logins", n)
	}
}

func TestDropAfterIsAppliedAndDropBeforeIsNot(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for name, effect := range map[string]emulator.Effect{"before": emulator.EffectDropBefore, "after": emulator.EffectDropAfter} {
		fault := r.plan(emulator.Fault{Operation: "collections.create", Effect: effect, Times: 1, Object: "User", Field: "Username", Value: name + "@people.example"})
		if a, err := r.try("POST", version+"/composite/sobjects", collection(false, typed("User", r.person(name)))); err == nil {
			t.Fatalf("%s: an answer %v", name, a)
		}
		r.struck(fault, 1)
		if _, there := r.org.UserByUsername(name + "@people.example"); there != (effect == emulator.EffectDropAfter) {
			t.Fatalf("%s: user there: %v", name, there)
		}
	}
}

func TestLockedRowStrikesOneRecordTwice(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	first, second := r.create("first"), r.create("second")
	fault := r.plan(emulator.Fault{Effect: emulator.EffectLockRow, Field: "Username", Value: "first@people.example", Times: 2})
	body := collection(false, fmt.Sprintf(`{"attributes":{"type":"User"},"id":"%s","Title":"A"}`, first), fmt.Sprintf(`{"attributes":{"type":"User"},"id":"%s","Title":"B"}`, second))
	for range 2 {
		list := r.do("PATCH", version+"/composite/sobjects", body).list(t)
		if list[0]["success"] != false || list[1]["success"] != true {
			t.Fatalf("results %v", list)
		}
	}
	if list := r.do("PATCH", version+"/composite/sobjects", body).list(t); list[0]["success"] != true {
		t.Fatalf("results %v", list)
	}
	r.struck(fault, 2)
}

func TestTokenByClientCredentials(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	got := r.form("/services/oauth2/token", "grant_type", "client_credentials", "client_id", clientID, "client_secret", clientSecret).object(t)
	if got["expires_in"] != nil || got["refresh_token"] != nil || got["instance_url"] != r.web.URL {
		t.Fatalf("token answer %v", got)
	}
	r.token = got["access_token"].(string)
	a := r.do("GET", version+"/limits", "")
	a.is(t, 200)
	if a.header.Get("Sforce-Limit-Info") != "api-usage=1/5000000" {
		t.Fatalf("limit info %q", a.header.Get("Sforce-Limit-Info"))
	}
	r.form("/services/oauth2/token", "grant_type", "client_credentials", "client_id", clientID, "client_secret", "no").
		same(t, 400, `{"error":"invalid_client","error_description":"invalid client credentials"}`)
}

func TestPagingWithLocators(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for i := range 13 {
		records := make([]string, 0, 200)
		for j := range 200 {
			records = append(records, typed("User", r.person(fmt.Sprintf("p%dx%d", i, j), "Alias", "p")))
		}
		r.do("POST", version+"/composite/sobjects", collection(true, records...)).is(t, 200)
	}
	page := r.query("SELECT Id FROM User ORDER BY Username DESC").object(t)
	if page["totalSize"] != 2601.0 || page["done"] != false || len(page["records"].([]any)) != 2000 {
		t.Fatalf("first page: %v %v", page["totalSize"], page["done"])
	}
	next := r.do("GET", page["nextRecordsUrl"].(string), "").object(t)
	if next["done"] != true || len(next["records"].([]any)) != 601 {
		t.Fatalf("second page: %v", next["done"])
	}
	r.do("GET", version+"/query/01g000000000000AAA-2000", "").same(t, 400, `[{"message":"invalid query locator","errorCode":"INVALID_QUERY_LOCATOR"}]`)
}
