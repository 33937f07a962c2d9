package emulator_test

import (
	"fmt"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

func restFacts() []fact {
	twice := func(r *rig) answer {
		r.create("one", "Desk__c", "d")
		r.create("two", "Desk__c", "d")
		return r.do("PATCH", version+"/sobjects/User/Desk__c/d", `{"Title":"A"}`)
	}
	upserted := func(times int, api string) func(*rig) answer {
		return func(r *rig) (a answer) {
			for range times {
				a = r.do("PATCH", "/services/data/"+api+"/sobjects/User/Rollcall_Key__c/k9", r.person("ada"))
			}
			return a
		}
	}
	gone := func(r *rig) answer {
		id := r.do("POST", version+"/sobjects/Account", `{"Name":"A"}`).object(r.t)["id"].(string)
		r.do("DELETE", version+"/sobjects/Account/"+id, "")
		return r.do("DELETE", version+"/sobjects/Account/"+id, "")
	}
	return []fact{
		{"2.2 create", "amp-labs create-ok.json", made(), 201, `{"id":"<id>","success":true,"errors":[]}`},
		{"2.2 create at v41", "camel", func(r *rig) answer { return r.do("POST", "/services/data/v41.0/sobjects/Account", `{"Name":"A"}`) }, 201,
			`{"id":"<id>","success":true,"errors":[],"warnings":[]}`},
		{"2.2 update", "official Postman", func(r *rig) answer {
			return r.do("PATCH", version+"/sobjects/User/"+r.create("ada"), `{"Title":"A"}`)
		}, 204, ""},
		{"2.2 upsert created", "jsforce live", upserted(1, "v63.0"), 201, `{"id":"<id>","success":true,"errors":[],"created":true}`},
		{"2.2 upsert updated", "jsforce live", upserted(2, "v63.0"), 200, `{"id":"<id>","success":true,"errors":[],"created":false}`},
		{"2.2 upsert updated before v46", "restforce", upserted(2, "v45.0"), 204, ""},
		{"2.2 several", "restforce upsert_multiple_error_response.json", twice, 300, `["/services/data/v63.0/sobjects/User/<id>","/services/data/v63.0/sobjects/User/<id>"]`},
		{"2.2 external id unknown", "restforce", call("PATCH", "/sobjects/User/Namez/x", `{"LastName":"A"}`), 404, platform("NOT_FOUND", "Provided external ID field does not exist or is not accessible: Namez")},
		{"2.2 unknown object", "CumulusCI cassettes", call("POST", "/sobjects/Nope", `{}`), 404, platform("NOT_FOUND", "The requested resource does not exist")},
		{"2.2 unknown id", "CumulusCI cassettes", call("GET", "/sobjects/User/005000000000001AAA", ""), 404, platform("NOT_FOUND", "The requested resource does not exist")},
		{"2.2 bad id", "restforce sobject_find_error_response.json", call("GET", "/sobjects/User/23foo", ""), 404, platform("NOT_FOUND", "Provided external ID field does not exist or is not accessible: 23foo")},
		{"2.2 deleted", "amp-labs not-found.json", gone, 404, onRecord("ENTITY_IS_DELETED", "entity is deleted")},
		{"2.2 failure in a 200", "amp-labs success-with-errors.json", plans(emulator.EffectFalseSuccess), 201,
			`{"id":"001RM000003oLrB000","success":false,"errors":[{"statusCode":"MALFORMED_ID","message":"malformed id 001RM000003oLrB000","fields":[]}]}`},
		{"4 MALFORMED_ID", "documented for collections", call("DELETE", "/composite/sobjects?ids=001RM000003oLrB000", ""), 200,
			`[{"success":false,"errors":[{"statusCode":"MALFORMED_ID","message":"malformed id 001RM000003oLrB000","fields":[]}]}]`},
		{"2.3 rows", "amp-labs permission-set.json", soql("SELECT Id, Name FROM PermissionSet WHERE Name = 'HR_Data'"), 200,
			`{"totalSize":1,"done":true,"records":[{"attributes":{"type":"PermissionSet","url":"/services/data/v63.0/sobjects/PermissionSet/<id>"},"Id":"<id>","Name":"HR_Data"}]}`},
		{"2.3 count", "recorded", soql("SELECT count() FROM PermissionSet WHERE Name = 'nope'"), 200, `{"totalSize":0,"done":true,"records":[]}`},
		{"2.3 unknown object", "amp-labs unknown-object.json", soql("SELECT Id,Name,BillingCity,IsDeleted FROM Accout"), 400,
			platform("INVALID_TYPE", "\nName,BillingCity,IsDeleted FROM Accout\n                                ^\nERROR at Row:1:Column:43\nsObject type 'Accout' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.")},
		{"2.3 malformed", "recorded", soql("q"), 400, platform("MALFORMED_QUERY", "unexpected token: q")},
		{"2.3 unknown column on write", "recorded", call("POST", "/sobjects/Account", `{"AccountNumer":"1"}`), 400, platform("INVALID_FIELD", "No such column 'AccountNumer' on sobject of type Account")},
		{"2.8 limits", "official Postman, apache camel", call("GET", "/limits", ""), 200, `{"DailyApiRequests":{"Max":5000000,"Remaining":4999999},"DailyBulkApiBatches":{"Max":15000,"Remaining":15000},"DailyBulkV2QueryJobs":{"Max":10000,"Remaining":10000},
			"DailyBulkV2QueryFileStorageMB":{"Max":976562,"Remaining":976562},"PermissionSets":{"Max":1500,"Remaining":1494,"CreateCustom":{"Max":1000,"Remaining":994}},"DataStorageMB":{"Max":5,"Remaining":5}}`},
		{"2.8 describe", "apache camel user.json", call("GET", "/sobjects/User/describe", ""), 200, `{"name":"User","label":"User","keyPrefix":"005","deletable":false,"undeletable":false,"createable":true,"updateable":true,"...":null}`},
	}
}

func compositeFacts() []fact {
	good, bad := `{"attributes":{"type":"Contact"},"LastName":"A"}`, `{"attributes":{"type":"Contact"}}`
	missing := `{"success":false,"errors":[{"statusCode":"REQUIRED_FIELD_MISSING","message":"Required fields are missing: [LastName]","fields":["LastName"]}]}`
	halted := `[{"errorCode":"PROCESSING_HALTED","message":"The transaction was rolled back since another operation in the same transaction failed."}]`
	composite := func(parts string) func(*rig) answer {
		return func(r *rig) answer {
			return r.do("POST", version+"/composite", `{"allOrNone":true,"compositeRequest":[`+strings.ReplaceAll(parts, "VERSION", version)+`]}`)
		}
	}
	account := func(ref, body string) string {
		return fmt.Sprintf(`{"method":"POST","url":"VERSION/sobjects/Account","referenceId":"%s","body":%s}`, ref, body)
	}
	batched := func(r *rig) answer {
		id := r.create("ada")
		return r.do("POST", version+"/composite/batch", `{"batchRequests":[{"method":"PATCH","url":"v48.0/sobjects/user/`+id+`","richInput":{"IsActive":false}},{"method":"PATCH","url":"v48.0/sobjects/user/`+id+`","richInput":{"x":1}}]}`)
	}
	return []fact{
		{"2.4 success", "CumulusCI cassette", composite(account("refAccount", `{"Name":"A"}`)), 200,
			`{"compositeResponse":[{"body":{"id":"<id>","success":true,"errors":[]},"httpHeaders":{"Location":"/services/data/v63.0/sobjects/Account/<id>"},"httpStatusCode":201,"referenceId":"refAccount"}]}`},
		{"2.4 halted", "apache camel", composite(account("ref1", `{}`) + "," + account("ref2", `{"Name":"A"}`)), 200,
			`{"compositeResponse":[{"body":"<any>","httpHeaders":{},"httpStatusCode":400,"referenceId":"ref1"},{"body":` + halted + `,"httpHeaders":{},"httpStatusCode":400,"referenceId":"ref2"}]}`},
		{"2.5 batch", "recorded", batched, 200, `{"hasErrors":true,"results":[{"statusCode":204,"result":null},{"statusCode":400,"result":[{"errorCode":"INVALID_FIELD","message":"No such column &#39;x&#39; on sobject of type User"}]}]}`},
		{"2.6 each", "amp-labs", call("POST", "/composite/sobjects", collection(false, good, bad)), 200, `[{"id":"<id>","success":true,"errors":[]},` + missing + `]`},
		{"2.6 all or none", "amp-labs partial-but-allOrNone.json", call("POST", "/composite/sobjects", collection(true, good, bad)), 200,
			`[{"success":false,"errors":[{"statusCode":"ALL_OR_NONE_OPERATION_ROLLED_BACK","message":"Record rolled back because not all records were valid and the request was using AllOrNone header","fields":[]}]},` + missing + `]`},
		{"2.6 none", "amp-labs", call("POST", "/composite/sobjects", `{"records":[]}`), 400, platform("REQUIRED_FIELD_MISSING", "At least 1 record is required")},
		{"2.6 no id", "jsforce live", call("PATCH", "/composite/sobjects", `{"records":[`+good+`]}`), 200, `[{"success":false,"errors":[{"statusCode":"MISSING_ARGUMENT","message":"Id not specified in an update call","fields":[]}]}]`},
		{"2.6 too many", "amp-labs", call("POST", "/composite/sobjects", `{"records":[`+strings.Repeat(`{},`, 200)+`{}]}`), 400, platform("EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than 200 records into this call")},
		{"2.6 upsert by a null Id", "jsforce live", call("PATCH", "/composite/sobjects/Contact/Id", `{"records":[{"attributes":{"type":"Contact"},"Id":null,"LastName":"A"}]}`), 200, `[{"id":"<id>","success":true,"errors":[],"created":true}]`},
		{"3.6 mixed", "recorded", func(r *rig) answer {
			return r.do("POST", version+"/composite/sobjects", collection(false, typed("User", r.person("mix")), good))
		}, 200, `[{"id":"<id>","success":true,"errors":[]},{"success":false,"errors":[{"statusCode":"MIXED_DML_OPERATION","message":"DML operation on setup object is not permitted after you have updated a non-setup object (or vice versa): Contact, original object: User","fields":[]}]}]`},
	}
}

func userFacts() []fact {
	federation := func(r *rig) answer {
		r.create("one", "FederationIdentifier", "E1")
		return r.do("POST", version+"/sobjects/User", r.person("two", "FederationIdentifier", "E1"))
	}
	assign := func(profile, set string, times int) func(*rig) answer {
		return func(r *rig) (a answer) {
			body := fmt.Sprintf(`{"AssigneeId":"%s","PermissionSetId":"%s"}`, r.create("ada", "ProfileId", r.id("Profile", profile)), r.id("PermissionSet", set))
			for range times {
				a = r.do("POST", version+"/sobjects/PermissionSetAssignment", body)
			}
			return a
		}
	}
	moved := func(r *rig) answer {
		id := r.create("ada", "ProfileId", r.id("Profile", "Chatter Free User"))
		return r.do("PATCH", version+"/sobjects/User/"+id, `{"ProfileId":"`+r.id("Profile", emulator.PlatformUserProfile)+`"}`)
	}
	return []fact{
		{"3.1 federation id", "Okta KB; the code is an assumption", federation, 400, `[{"message":"This Federation ID is already in use. Use a different Federation ID.: SAML Federation ID","errorCode":"<text>","fields":"<any>"}]`},
		{"3.1 profile of another licence", "help 000386999", moved, 400, `[{"message":"You can only reassign this user to a profile of the current license.: [ProfileId]","errorCode":"FIELD_INTEGRITY_EXCEPTION","fields":"<any>"}]`},
		{"3.3 assigned", "amp-labs", assign(emulator.StandardUserProfile, "HR_Data", 1), 201, `{"id":"0Pa<text>","success":true,"errors":[]}`},
		{"3.3 assigned twice", "amp-labs err-duplicate-permission-assignment.json", assign(emulator.StandardUserProfile, "HR_Data", 2), 400,
			`[{"message":"Duplicate PermissionSetAssignment.  Assignee: <id>; Permission Set: <id>","errorCode":"DUPLICATE_VALUE","fields":["AssigneeId","PermissionSetId"]}]`},
		{"3.3 licence", "recorded", assign(emulator.PlatformUserProfile, "Salesforce_Only", 1), 400,
			`[{"message":"Can't assign permission set Salesforce Only to user ada. The user license doesn't allow the permission: <text>","errorCode":"FIELD_INTEGRITY_EXCEPTION","fields":"<any>"}]`},
		{"3.3 licence", "recorded, short form", plans("license_without_permission"), 400, onRecord("FIELD_INTEGRITY_EXCEPTION", "The user license doesn't allow the permission: Read Promotion")},
		{"3.4 owner", "recorded", plans("portal_owner_without_role"), 400, onRecord("UNKNOWN_EXCEPTION", "portal account owner must have a role")},
		{"3.4 contact", "recorded", plans("portal_user_already_exists_for_contact"), 400, onRecord("PORTAL_USER_ALREADY_EXISTS_FOR_CONTACT", "portal user already exists for contact")},
		{"3.4 setting", "recorded", plans("portal_profile_setting"), 400, onRecord("FIELD_INTEGRITY_EXCEPTION",
			"To create or update users for this profile, go to Setup > Digital Experiences > Settings and select Allow using standard external profiles for self-registration, user creation, and login.: Profile ID")},
	}
}
