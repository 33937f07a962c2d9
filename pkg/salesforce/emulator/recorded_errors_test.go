package emulator_test

import (
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// sessionFacts are the rows of the catalogue about a whole call.
func sessionFacts() []fact {
	as := func(token string) func(*rig) answer {
		return func(r *rig) answer {
			r.token = token
			return r.do("GET", version+"/limits", "")
		}
	}
	denied := func(d emulator.Denial) func(*rig) answer {
		return func(r *rig) answer {
			if err := r.org.Deny("", d); err != nil {
				r.t.Fatal(err)
			}
			return r.do("GET", version+"/limits", "")
		}
	}
	page := func(r *rig) answer {
		a := plans(emulator.EffectOAuthHTML)(r)
		if a.header.Get("Sfdc-OAuth-Error") != "1703" || !strings.Contains(a.body, "LOGIN_OAUTH_INVALID_TOKEN") {
			r.t.Errorf("headers %v, body %s", a.header, a.body)
		}
		a.body = `{}`
		return a
	}
	return []fact{
		{"4 INVALID_SESSION_ID", "restforce expired_session_response.json", as("dead"), 401, platform("INVALID_SESSION_ID", "Session expired or invalid")},
		{"4 INVALID_SESSION_ID", "jsforce http-api.ts", denied(emulator.DenyRESTSession), 401, platform("INVALID_SESSION_ID", "This session is not valid for use with the REST API")},
		{"4 INVALID_AUTH_HEADER", "restforce #811", plans("invalid_auth_header"), 401, platform("INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")},
		{"4 HTML 401", "django-salesforce", page, 401, `{}`},
		{"4 REQUEST_LIMIT_EXCEEDED", "OrgCheck #181", func(r *rig) answer { r.org.SetDailyLimit(0); return r.do("GET", version+"/limits", "") }, 403, platform("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")},
		{"4 REQUEST_LIMIT_EXCEEDED", "OrgCheck #432", plans(emulator.EffectConcurrentLimit), 403, platform("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")},
		{"4 REQUEST_LIMIT_EXCEEDED", "mautic", plans("long_transaction_limit"), 403, platform("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded")},
		{"4 UNKNOWN_EXCEPTION", "mautic", plans("long_transaction_limit_unknown"), 403, platform("UNKNOWN_EXCEPTION", "ConcurrentPerOrgLongTxn Limit exceeded")},
		{"4 API_DISABLED_FOR_ORG", "restforce #219", denied(emulator.DenyOrgAPI), 403, platform("API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.")},
		{"4 FUNCTIONALITY_NOT_ENABLED", "baton-salesforce docs", denied(emulator.DenyAPIEnabled), 403, platform("FUNCTIONALITY_NOT_ENABLED", "This feature is not currently enabled for this user")},
		{"4 INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "recorded", denied(emulator.DenyPassword), 403,
			platform("INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "The users password has expired, you must call SetPassword before attempting any other API operations")},
		{"4 URL_NOT_RESET", "recorded", onLoginHost(call("GET", "/limits", "")), 400, platform("URL_NOT_RESET", "Destination URL not reset. The URL returned from login must be set")},
		{"4 UNKNOWN_EXCEPTION", "official Postman", plans(emulator.EffectGack), 500, platform("UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support: 8425053-14906 (608530858)")},
		{"4 UNKNOWN_EXCEPTION", "official Postman, negative", plans("gack_negative"), 500, platform("UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support: 1895340064-166877 (-1526419893)")},
		{"4 INTERNAL_ERROR", "official Postman", plans("internal_error"), 500, platform("INTERNAL_ERROR", "Unexpected Error")},
		{"4 TXN_SECURITY_METERING_ERROR", "airbyte", plans("txn_security_metering_error"), 400,
			platform("TXN_SECURITY_METERING_ERROR", "We can't complete the action because enabled transaction security policies took too long to complete.")},
		{"4 INVALID_QUERY_LOCATOR", "recorded", call("GET", "/query/01g000000000000AAA-2000", ""), 400, platform("INVALID_QUERY_LOCATOR", "invalid query locator")},
		{"4 JSON_PARSER_ERROR", "recorded", call("POST", "/sobjects/Account", `{"Name" : 1, "Phone" jones`), 400,
			platform("JSON_PARSER_ERROR", "Unexpected character ('j' (code 106)): was expecting a colon to separate field name and value at [line:1, column:23]")},
		{"4 JSON_PARSER_ERROR", "recorded, datetime", call("POST", "/sobjects/PermissionSetAssignment", `{"ExpirationDate":"soon"}`), 400, `[{"message":"Cannot deserialize instance of datetime from VALUE_STRING value soon or request may be missing a required field at [line:1, column:<text>]","errorCode":"JSON_PARSER_ERROR"}]`},
		{"4 JSON_PARSER_ERROR", "recorded, no body", call("POST", "/sobjects/User", ""), 400, platform("JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body.")},
		{"4 JSON_PARSER_ERROR", "official Postman", plans("unrecognized_field"), 400, platform("JSON_PARSER_ERROR", `Unrecognized field "id" at [line:4, column:12]`)},
	}
}

// recordFacts are the rows of the catalogue about one record.
func recordFacts() []fact {
	second := func(pairs ...string) func(*rig) answer {
		return func(r *rig) answer {
			r.create("taken", "CommunityNickname", "taken")
			return r.do("POST", version+"/sobjects/User", r.person("fresh", pairs...))
		}
	}
	full := func(r *rig) answer {
		if err := r.org.SetSeats(emulator.SalesforceLicense, 1); err != nil {
			r.t.Fatal(err)
		}
		return r.do("POST", version+"/sobjects/User", r.person("ada"))
	}
	locked := func(r *rig) answer {
		id := r.create("ada")
		r.plan(emulator.Fault{Effect: emulator.EffectLockRow, Times: 1})
		return r.do("PATCH", version+"/sobjects/User/"+id, `{"Title":"A"}`)
	}
	long := strings.Repeat("x", 256)
	return []fact{
		{"4 DUPLICATE_USERNAME", "githubsfdeploy #20, wso2 product-is #13619", second("Username", "Taken@people.example"), 400,
			onRecord("DUPLICATE_USERNAME", "Duplicate Username.<br>The username already exists in this or another Salesforce organization. Usernames must be unique across all Salesforce organizations. To resolve, use a different username (it doesn't need to match the user's email address). ", "Username")},
		{"4 DUPLICATE_COMM_NICKNAME", "forcedotcom cli #3142", second("CommunityNickname", "taken"), 400,
			onRecord("DUPLICATE_COMM_NICKNAME", "Duplicate Nickname.<br>Another user has already selected this nickname.<br>Please select another.", "CommunityNickname")},
		{"4 DUPLICATES_DETECTED", "recorded", plans("duplicates_detected"), 400, onRecord("DUPLICATES_DETECTED", "Use one of these records?")},
		{"4 REQUIRED_FIELD_MISSING", "recorded", call("POST", "/sobjects/Account", `{}`), 400, onRecord("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", "Name")},
		{"4 STRING_TOO_LONG", "recorded", call("POST", "/sobjects/Account", `{"Name":"`+long+`"}`), 400, onRecord("STRING_TOO_LONG", "Account Name: data value too large: "+long+" (max length=255)", "Name")},
		{"4 INVALID_EMAIL_ADDRESS", "recorded", made("Email", "foo"), 400, onRecord("INVALID_EMAIL_ADDRESS", "Email: invalid email address: foo", "Email")},
		{"4 FIELD_INTEGRITY_EXCEPTION", "wso2 product-is #23846", made("Username", "john"), 400,
			onRecord("FIELD_INTEGRITY_EXCEPTION", "Username must be in the form of an email address (for example, john@acme.com): Username", "Username")},
		{"4 INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "recorded", made("LocaleSidKey", "xx"), 400, onRecord("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Locale: bad value for restricted picklist field: xx", "LocaleSidKey")},
		{"4 INVALID_CROSS_REFERENCE_KEY", "recorded", made("ProfileId", "00e000000000001AAA"), 400, onRecord("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")},
		{"4 MALFORMED_ID", "recorded", made("ProfileId", "001000000000001AAA"), 400, onRecord("MALFORMED_ID", "Profile ID: id value of incorrect type: 001000000000001AAA", "ProfileId")},
		{"4 LICENSE_LIMIT_EXCEEDED", "Apex/SOAP", full, 400, onRecord("LICENSE_LIMIT_EXCEEDED", "License Limit Exceeded")},
		{"4 LICENSE_LIMIT_EXCEEDED", "Apex/SOAP, named", plans("license_limit_exceeded_named"), 400, onRecord("LICENSE_LIMIT_EXCEEDED", "License Limit Exceeded - Customer Community")},
		{"4 INSUFFICIENT_ACCESS", "baton docs", plans("insufficient_access"), 400, onRecord("INSUFFICIENT_ACCESS", "insufficient access rights on cross-reference id")},
		{"4 INSUFFICIENT_ACCESS_OR_READONLY", "NPSP #2960", plans("insufficient_access_or_readonly"), 400, onRecord("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")},
		{"4 INVALID_FIELD", "recorded", call("POST", "/sobjects/User", `{"foo":1}`), 400, platform("INVALID_FIELD", "No such column 'foo' on sobject of type User")},
		{"4 INVALID_FIELD_FOR_INSERT_UPDATE", "amp-labs", call("POST", "/sobjects/User", `{"UserType":"Standard"}`), 400,
			onRecord("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: UserType. Please check the security settings of this field and verify that it is read/write for your profile or permission set.", "UserType")},
		{"4 INVALID_FIELD_FOR_INSERT_UPDATE", "an Id, pasted in several places", call("POST", "/sobjects/Account", `{"Id":"001000000000001AAA","Name":"A"}`), 400,
			`[{"message":"cannot specify Id in an insert call","errorCode":"INVALID_FIELD_FOR_INSERT_UPDATE","fields":"<any>"}]`},
		{"4 FIELD_CUSTOM_VALIDATION_EXCEPTION", "recorded; the text is the admin's", plans("validation_rule"), 400, `[{"message":"<text>","errorCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION","fields":[]}]`},
		{"4 UNABLE_TO_LOCK_ROW", "recorded", locked, 400, onRecord("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: <id>")},
		{"4 INACTIVE_OWNER_OR_USER", "recorded", plans("inactive_owner_or_user"), 400, onRecord("INACTIVE_OWNER_OR_USER", "operation performed with inactive user [<id>] as owner of contact")},
	}
}
