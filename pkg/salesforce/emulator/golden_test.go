package emulator_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// golden is one recorded body: how to provoke it, and what must come back.
// Ids in it are replaced before comparing.
type golden struct {
	name   string
	mark   string // the source of the record
	method string
	path   string
	body   func(b *bench) string
	status int
	want   string
}

func text(s string) func(*bench) string { return func(*bench) string { return s } }

// TestRecordedRecordErrors reproduces the [R] error bodies of single-record
// calls, key for key.
func TestRecordedRecordErrors(t *testing.T) {
	t.Parallel()
	for _, g := range []golden{
		{"required", "amp-labs", "POST", "/sobjects/Contact", text(`{"FirstName":"A"}`), 400,
			`[{"message":"Required fields are missing: [LastName]","errorCode":"REQUIRED_FIELD_MISSING","fields":["LastName"]}]`},
		{"too long", "label not name", "POST", "/sobjects/Account", text(`{"Name":"` + strings.Repeat("x", 256) + `"}`), 400,
			`[{"message":"Account Name: data value too large: ` + strings.Repeat("x", 256) + ` (max length=255)","errorCode":"STRING_TOO_LONG","fields":["Name"]}]`},
		{"e-mail", "recorded", "POST", "/sobjects/User", func(b *bench) string { return b.person("mail", "Email", "foo") }, 400,
			`[{"message":"Email: invalid email address: foo","errorCode":"INVALID_EMAIL_ADDRESS","fields":["Email"]}]`},
		{"username form", "wso2 product-is #23846", "POST", "/sobjects/User", func(b *bench) string { return b.person("form", "Username", "john") }, 400,
			`[{"message":"Username must be in the form of an email address (for example, john@acme.com): Username","errorCode":"FIELD_INTEGRITY_EXCEPTION","fields":["Username"]}]`},
		{"username taken", "githubsfdeploy #20", "POST", "/sobjects/User", func(b *bench) string { return b.person("fresh", "Username", "Taken@people.example") }, 400,
			`[{"message":"Duplicate Username.<br>The username already exists in this or another Salesforce organization. Usernames must be unique across all Salesforce organizations. To resolve, use a different username (it doesn't need to match the user's email address). ","errorCode":"DUPLICATE_USERNAME","fields":["Username"]}]`},
		{"nickname taken", "forcedotcom/cli #3142", "POST", "/sobjects/User", func(b *bench) string { return b.person("fresh", "CommunityNickname", "taken") }, 400,
			`[{"message":"Duplicate Nickname.<br>Another user has already selected this nickname.<br>Please select another.","errorCode":"DUPLICATE_COMM_NICKNAME","fields":["CommunityNickname"]}]`},
		{"picklist", "recorded text", "POST", "/sobjects/User", func(b *bench) string { return b.person("fresh", "LocaleSidKey", "xx") }, 400,
			`[{"message":"Locale: bad value for restricted picklist field: xx","errorCode":"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST","fields":["LocaleSidKey"]}]`},
		{"cross reference", "recorded text", "POST", "/sobjects/User", func(b *bench) string { return b.person("fresh", "ProfileId", "00e000000000001AAA") }, 400,
			`[{"message":"invalid cross reference id","errorCode":"INVALID_CROSS_REFERENCE_KEY","fields":["ProfileId"]}]`},
		{"id of another type", "recorded text", "POST", "/sobjects/User", func(b *bench) string { return b.person("fresh", "ProfileId", "001000000000001AAA") }, 400,
			`[{"message":"Profile ID: id value of incorrect type: 001000000000001AAA","errorCode":"MALFORMED_ID","fields":["ProfileId"]}]`},
		{"no column", "recorded", "POST", "/sobjects/User", text(`{"foo":1}`), 400,
			`[{"message":"No such column 'foo' on sobject of type User","errorCode":"INVALID_FIELD"}]`},
		{"read only", "amp-labs", "POST", "/sobjects/User", text(`{"UserType":"Standard"}`), 400,
			`[{"message":"Unable to create/update fields: UserType. Please check the security settings of this field and verify that it is read/write for your profile or permission set.","errorCode":"INVALID_FIELD_FOR_INSERT_UPDATE","fields":["UserType"]}]`},
		{"licence", "Apex/SOAP", "POST", "/sobjects/User", func(b *bench) string {
			return b.person("fresh", "ProfileId", b.id("Profile", "Standard Platform User"))
		}, 400,
			`[{"message":"License Limit Exceeded","errorCode":"LICENSE_LIMIT_EXCEEDED","fields":[]}]`},
		{"no body", "recorded", "POST", "/sobjects/User", text(""), 400,
			`[{"message":"The HTTP entity body is required, but this request has no entity body.","errorCode":"JSON_PARSER_ERROR"}]`},
		{"bad JSON", "recorded", "POST", "/sobjects/User", text(`{ "LastName"   jones`), 400,
			`[{"message":"Unexpected character ('j' (code 106)): was expecting a colon to separate field name and value at [line:1, column:17]","errorCode":"JSON_PARSER_ERROR"}]`},
		{"unknown object", "CumulusCI cassettes", "POST", "/sobjects/Nope", text(`{}`), 404,
			`[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]`},
		{"unknown id", "CumulusCI cassettes", "GET", "/sobjects/User/005000000000001AAA", text(""), 404,
			`[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]`},
		{"bad id", "restforce sobject_find_error_response.json", "GET", "/sobjects/User/23foo", text(""), 404,
			`[{"message":"Provided external ID field does not exist or is not accessible: 23foo","errorCode":"NOT_FOUND"}]`},
		{"bad external id field", "restforce", "PATCH", "/sobjects/User/Namez/x", text(`{"LastName":"A"}`), 404,
			`[{"message":"Provided external ID field does not exist or is not accessible: Namez","errorCode":"NOT_FOUND"}]`},
		{"no records", "amp-labs", "POST", "/composite/sobjects", text(`{"records":[]}`), 400,
			`[{"message":"At least 1 record is required","errorCode":"REQUIRED_FIELD_MISSING"}]`},
		{"too many", "amp-labs", "POST", "/composite/sobjects", text(`{"records":[` + strings.Repeat(`{},`, 200) + `{}]}`), 400,
			`[{"message":"record limit reached. cannot submit more than 200 records into this call","errorCode":"EXCEEDED_ID_LIMIT"}]`},
		{"update without id", "jsforce live", "PATCH", "/composite/sobjects", text(`{"records":[{"attributes":{"type":"Contact"},"LastName":"A"}]}`), 200,
			`[{"success":false,"errors":[{"statusCode":"MISSING_ARGUMENT","message":"Id not specified in an update call","fields":[]}]}]`},
		{"locator", "recorded", "GET", "/query/01gXX0000000001AAA-2000", text(""), 400,
			`[{"message":"invalid query locator","errorCode":"INVALID_QUERY_LOCATOR"}]`},
	} {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(cfg *emulator.OrgConfig) { cfg.Licenses[1].Seats = 0 })
			b.server.TakeUsernames("elsewhere@people.example")
			b.create("taken", "CommunityNickname", "taken")
			b.do(g.method, version+g.path, g.body(b)).same(t, g.status, g.want)
		})
	}
}

func TestRecordedQueryErrors(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	// amp-labs unknown-object.json, window and caret included. [R]
	b.query("SELECT Id,Name,BillingCity,IsDeleted FROM Accout").same(t, 400,
		`[{"message":"\nName,BillingCity,IsDeleted FROM Accout\n                                ^\nERROR at Row:1:Column:43\nsObject type 'Accout' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.","errorCode":"INVALID_TYPE"}]`)
	b.query("q").same(t, 400, `[{"message":"unexpected token: q","errorCode":"MALFORMED_QUERY"}]`)
	b.query("SELECT count() FROM PermissionSet WHERE Name = 'nope'").same(t, 200, `{"totalSize":0,"done":true,"records":[]}`)
	id := b.id("PermissionSet", "HR_Data")
	b.query("SELECT Id, Name FROM PermissionSet WHERE Name = 'HR_Data'").same(t, 200, // [R amp-labs permission-set.json]
		`{"totalSize":1,"done":true,"records":[{"attributes":{"type":"PermissionSet","url":"/services/data/v63.0/sobjects/PermissionSet/`+id+`"},"Id":"`+id+`","Name":"HR_Data"}]}`)
}

func TestRecordedSuccessBodies(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	a := b.do("POST", version+"/sobjects/User", b.person("ada"))
	id := a.object(t)["id"].(string)
	a.same(t, 201, `{"id":"`+id+`","success":true,"errors":[]}`) // [R amp-labs create-ok.json]
	if len(id) != 18 || !strings.HasPrefix(id, "005") {
		t.Fatalf("id %q", id)
	}
	if a := b.do("PATCH", version+"/sobjects/User/"+id, `{"Title":"A"}`); a.status != 204 || a.body != "" {
		t.Fatalf("update %v", a)
	}
	a = b.do("PATCH", version+"/sobjects/User/Rollcall_Key__c/k9", b.person("new"))
	made := a.object(t)["id"].(string)
	a.same(t, 201, `{"id":"`+made+`","success":true,"errors":[],"created":true}`)
	b.do("PATCH", version+"/sobjects/User/Rollcall_Key__c/k9", `{"Title":"B"}`).same(t, 200, `{"id":"`+made+`","success":true,"errors":[],"created":false}`)
	b.do("PATCH", "/services/data/v45.0/sobjects/User/Rollcall_Key__c/k9", `{"Title":"B"}`).is(t, 204)
	b.do("PATCH", version+"/sobjects/User/Username/new@people.example", `{"Title":"C"}`).is(t, 200)

	set := b.id("PermissionSet", "HR_Data")
	grant := fmt.Sprintf(`{"AssigneeId":"%s","PermissionSetId":"%s"}`, id, set)
	a = b.do("POST", version+"/sobjects/PermissionSetAssignment", grant)
	a.is(t, 201)
	if first := a.object(t)["id"].(string); !strings.HasPrefix(first, "0Pa") {
		t.Fatalf("assignment id %q", first)
	}
	// [R amp-labs err-duplicate-permission-assignment.json]: two spaces, 15 character ids.
	b.do("POST", version+"/sobjects/PermissionSetAssignment", grant).same(t, 400,
		`[{"message":"Duplicate PermissionSetAssignment.  Assignee: `+id[:15]+`; Permission Set: `+set[:15]+`","errorCode":"DUPLICATE_VALUE","fields":["AssigneeId","PermissionSetId"]}]`)
}

func TestRecordedCollectionRollback(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	// [R amp-labs partial-but-allOrNone.json]
	b.do("POST", version+"/composite/sobjects", collection(true, `{"attributes":{"type":"Contact"},"LastName":"A"}`, `{"attributes":{"type":"Contact"}}`)).same(t, 200,
		`[{"success":false,"errors":[{"statusCode":"ALL_OR_NONE_OPERATION_ROLLED_BACK","message":"Record rolled back because not all records were valid and the request was using AllOrNone header","fields":[]}]},
		{"success":false,"errors":[{"statusCode":"REQUIRED_FIELD_MISSING","message":"Required fields are missing: [LastName]","fields":["LastName"]}]}]`)
	a := b.do("POST", version+"/composite/sobjects", collection(false, `{"attributes":{"type":"Contact"},"LastName":"A"}`, `{"attributes":{"type":"Contact"}}`))
	a.same(t, 200, `[{"id":"`+a.list(t)[0]["id"].(string)+`","success":true,"errors":[]},
		{"success":false,"errors":[{"statusCode":"REQUIRED_FIELD_MISSING","message":"Required fields are missing: [LastName]","fields":["LastName"]}]}]`)
}

func TestRecordedMixedDML(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	list := b.do("POST", version+"/composite/sobjects", collection(false, typed("User", b.person("mix")), `{"attributes":{"type":"Contact"},"LastName":"A"}`)).list(t)
	got := list[1]["errors"].([]any)[0].(map[string]any)
	if got["statusCode"] != "MIXED_DML_OPERATION" ||
		got["message"] != "DML operation on setup object is not permitted after you have updated a non-setup object (or vice versa): Contact, original object: User" {
		t.Fatalf("error %v", got)
	}
	id := b.create("other")
	// An update that leaves the setup fields alone may stand beside a Contact. [D]
	list = b.do("PATCH", version+"/composite/sobjects", collection(false, `{"attributes":{"type":"User"},"id":"`+id+`","Title":"X"}`)).list(t)
	if list[0]["success"] != true {
		t.Fatalf("results %v", list)
	}
}

func TestRecordedDeleted(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	id := b.do("POST", version+"/sobjects/Account", `{"Name":"A"}`).object(t)["id"].(string)
	b.do("DELETE", version+"/sobjects/Account/"+id, "").is(t, 204)
	// [R amp-labs crm/delete/not-found.json]
	b.do("DELETE", version+"/sobjects/Account/"+id, "").same(t, 404, `[{"message":"entity is deleted","errorCode":"ENTITY_IS_DELETED","fields":[]}]`)
	user := b.create("stay")
	b.do("DELETE", version+"/sobjects/User/"+user, "").is(t, 400)
	if _, there := b.org.UserByUsername("stay@people.example"); !there {
		t.Fatal("a user was deleted")
	}
}

func TestRecordedUpsertSeveral(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(cfg *emulator.OrgConfig) {
		cfg.CustomFields = append(cfg.CustomFields, emulator.CustomField{Name: "Desk__c", ExternalID: true})
	})
	one, two := b.create("one", "Desk__c", "d"), b.create("two", "Desk__c", "d")
	// [R restforce upsert_multiple_error_response.json]
	b.do("PATCH", version+"/sobjects/User/Desk__c/d", `{"Title":"A"}`).same(t, 300,
		`["/services/data/v63.0/sobjects/User/`+one+`","/services/data/v63.0/sobjects/User/`+two+`"]`)
}

func TestRecordedSessionErrors(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.token = "00Dxx!wrong"
	a := b.do("GET", version+"/limits", "")
	a.same(t, 401, `[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]`) // [R restforce]
	if a.header.Get("WWW-Authenticate") == "" || a.header.Get("Sforce-Limit-Info") != "" {
		t.Fatalf("headers %v", a.header)
	}
}

func TestRecordedFaultBodies(t *testing.T) {
	t.Parallel()
	for effect, want := range map[emulator.Effect]struct {
		status int
		body   string
	}{
		emulator.EffectSessionExpired:  {401, `[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]`},
		emulator.EffectDailyLimit:      {403, `[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`},
		emulator.EffectConcurrentLimit: {403, `[{"message":"ConcurrentRequests (Concurrent API Requests) Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`},
		emulator.EffectGack:            {500, `[{"message":"An unexpected error occurred. Please include this ErrorId if you contact support: 8425053-14906 (608530858)","errorCode":"UNKNOWN_EXCEPTION"}]`},
	} {
		t.Run(string(effect), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil)
			fault := b.plan(emulator.Fault{Operation: "limits", Effect: effect, Times: 1})
			b.do("GET", version+"/limits", "").same(t, want.status, want.body)
			b.struck(fault, 1)
			b.do("GET", version+"/limits", "").is(t, 200)
		})
	}
}

func TestRecordedVersions(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.token = ""
	list := b.do("GET", "/services/data/", "").list(t)
	first, last := list[0], list[len(list)-1]
	if first["version"] != "20.0" || first["label"] != "Winter '11" || last["version"] != "67.0" || last["label"] != "Summer '26" ||
		last["url"] != "/services/data/v67.0" {
		t.Fatalf("versions %v ... %v", first, last)
	}
	b.token, _ = b.org.AccessToken(emulator.IntegrationUsername)
	b.do("GET", "/services/data/v20.0/limits", "").is(t, 410) // [R Pipedream #3134]
	b.do("GET", "/services/data/v99.0/limits", "").is(t, 404)
}

func TestRecordedLimits(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(cfg *emulator.OrgConfig) {
		cfg.DailyAPILimit, cfg.PermissionSets, cfg.PermissionSetGroups = 15000, cfg.PermissionSets[:2], nil
	})
	b.do("GET", version+"/limits", "").same(t, 200, // [R official Postman, apache/camel]
		`{"DailyApiRequests":{"Max":15000,"Remaining":14999},"DailyBulkApiBatches":{"Max":15000,"Remaining":15000},"DailyBulkV2QueryJobs":{"Max":10000,"Remaining":10000},
		"DailyBulkV2QueryFileStorageMB":{"Max":976562,"Remaining":976562},"PermissionSets":{"Max":1500,"Remaining":1498,"CreateCustom":{"Max":1000,"Remaining":998}},"DataStorageMB":{"Max":5,"Remaining":5}}`)
}
