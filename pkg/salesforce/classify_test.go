package salesforce

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// catalogueRow is one row of the error catalogue: a recorded or documented
// body, and what it means.
type catalogueRow struct {
	mark    string // where the body is from: R, D, C, S, U
	status  int
	code    string
	message string
	fields  []string
	class   Class
	kind    Kind
	outcome Outcome // of a mutating call
}

const duplicateUsernameText = "Duplicate Username.<br>The username already exists in this or another Salesforce organization. Usernames must be unique across all Salesforce organizations. To resolve, use a different username (it doesn't need to match the user's email address). "

func sessionRows() []catalogueRow {
	return []catalogueRow{
		{"R", 401, "INVALID_SESSION_ID", "Session expired or invalid", nil, Credentials, KindNone, NotApplied},
		{"R", 401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API", nil, Misconfigured, KindAPIAccess, NotApplied},
		{"C", 401, "INVALID_SESSION_ID", "Connected app is not attached to Agent", nil, Misconfigured, KindAPIAccess, NotApplied},
		{"R", 401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE", nil, Programming, KindNone, NotApplied},
		{"R", 403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", nil, Throttled, KindDailyLimit, NotApplied},
		{"R", 403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.", nil, Throttled, KindConcurrentLimit, NotApplied},
		{"R", 403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded", nil, Throttled, KindConcurrentLimit, NotApplied},
		{"R", 403, "UNKNOWN_EXCEPTION", "ConcurrentPerOrgLongTxn Limit exceeded", nil, Throttled, KindConcurrentLimit, NotApplied},
		{"R", 403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.", nil, Misconfigured, KindAPIAccess, NotApplied},
		{"D", 403, "RESTAPINOTENABLED", "", nil, Misconfigured, KindAPIAccess, NotApplied},
		{"U", 403, "API_CURRENTLY_DISABLED", "API is disabled for this User", nil, Misconfigured, KindAPIAccess, NotApplied},
		{"R", 403, "FUNCTIONALITY_NOT_ENABLED", "This feature is not currently enabled for this user", nil, Misconfigured, KindAPIAccess, NotApplied},
		{"R", 403, "INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "The users password has expired, you must call SetPassword before attempting any other API operations", nil, Credentials, KindNone, NotApplied},
		{"R", 400, "URL_NOT_RESET", "Destination URL not reset. The URL returned from login must be set", nil, Misconfigured, KindAPIAccess, NotApplied},
		{"S", 503, "SERVER_UNAVAILABLE", "Server Unavailable", nil, Unavailable, KindNone, MaybeApplied},
		{"D", 503, "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", "Updates can't be made during maintenance. Try again when maintenance is complete.", nil, Unavailable, KindNone, MaybeApplied},
		{"R", 500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support: 8425053-14906 (608530858)", nil, Unknown, KindNone, MaybeApplied},
		{"R", 500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support: 1895340064-166877 (-1526419893)", nil, Unknown, KindNone, MaybeApplied},
		{"R", 500, "INTERNAL_ERROR", "Unexpected Error", nil, Unknown, KindNone, MaybeApplied},
	}
}

func dataRows() []catalogueRow {
	return []catalogueRow{
		{"R", 400, "DUPLICATE_USERNAME", duplicateUsernameText, []string{"Username"}, Duplicate, KindUsername, NotApplied},
		{"R", 400, "DUPLICATE_COMM_NICKNAME", "Duplicate Nickname.<br>Another user has already selected this nickname.<br>Please select another.", []string{"CommunityNickname"}, Duplicate, KindNickname, NotApplied},
		{"U", 400, "DUPLICATE_VALUE", "duplicate value found: FederationIdentifier duplicates value on record with id: 005000000000001", nil, Duplicate, KindFederationID, NotApplied},
		{"U", 400, "DUPLICATE_VALUE", "duplicate value found: Employee_Key__c duplicates value on record with id: 005000000000001", nil, Duplicate, KindOther, NotApplied},
		{"R", 400, "DUPLICATE_VALUE", "Duplicate PermissionSetAssignment.  Assignee: 005ak000005hvjJ; Permission Set: 0PSak00000M9uBB", []string{"AssigneeId", "PermissionSetId"}, AlreadyDone, KindNone, NotApplied},
		{"R", 400, "FIELD_INTEGRITY_EXCEPTION", "This Federation ID is already in use. Use a different Federation ID.: SAML Federation ID", nil, Duplicate, KindFederationID, NotApplied},
		{"R", 400, "DUPLICATES_DETECTED", "Use one of these records?", nil, Duplicate, KindOther, NotApplied},
		{"R", 400, "PORTAL_USER_ALREADY_EXISTS_FOR_CONTACT", "portal user already exists for contact", nil, Duplicate, KindOther, NotApplied},
		{"R", 400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", []string{"Name"}, Invalid, KindNone, NotApplied},
		{"R", 400, "REQUIRED_FIELD_MISSING", "At least 1 record is required", nil, Programming, KindNone, NotApplied},
		{"R", 400, "STRING_TOO_LONG", "Account Name: data value too large: Secret Person (max length=255)", []string{"Name"}, Invalid, KindNone, NotApplied},
		{"R", 400, "INVALID_EMAIL_ADDRESS", "Email: invalid email address: secret-person", []string{"Email"}, Invalid, KindNone, NotApplied},
		{"R", 400, "FIELD_INTEGRITY_EXCEPTION", "Username must be in the form of an email address (for example, john@acme.com): Username", []string{"Username"}, Invalid, KindNone, NotApplied},
		{"R", 400, "FIELD_INTEGRITY_EXCEPTION", "You can only reassign this user to a profile of the current license.: [ProfileId]", nil, Misconfigured, KindLicenceMismatch, NotApplied},
		{"R", 400, "FIELD_INTEGRITY_EXCEPTION", "The user license doesn't allow the permission: Read Promotion", nil, Misconfigured, KindLicenceMismatch, NotApplied},
		{"R", 400, "FIELD_INTEGRITY_EXCEPTION", "To create or update users for this profile, go to Setup > Digital Experiences > Settings and select Allow using standard external profiles for self-registration, user creation, and login.: Profile ID", nil, Misconfigured, KindOrgRule, NotApplied},
		{"R", 400, "UNKNOWN_EXCEPTION", "portal account owner must have a role", nil, Misconfigured, KindOrgRule, NotApplied},
		{"R", 400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Call Type: bad value for restricted picklist field: Secret Person", nil, Invalid, KindNone, NotApplied},
		{"R", 400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", nil, Reference, KindNone, NotApplied},
		{"R", 400, "MALFORMED_ID", "Contact ID: id value of incorrect type: 001xx000003DGb2AAG", nil, Reference, KindNone, NotApplied},
		{"R", 400, "MALFORMED_ID", "malformed id 001RM000003oLrB000", []string{}, Reference, KindNone, NotApplied},
		{"R", 400, "LICENSE_LIMIT_EXCEEDED", "License Limit Exceeded", []string{}, Licence, KindNone, NotApplied},
		{"R", 400, "LICENSE_LIMIT_EXCEEDED", "License Limit Exceeded - Customer Community", []string{}, Licence, KindNone, NotApplied},
		{"R", 400, "INACTIVE_OWNER_OR_USER", "operation performed with inactive user [005000000000001] as owner of contact", nil, Invalid, KindNone, NotApplied},
		{"R", 400, "JSON_PARSER_ERROR", "Cannot deserialize instance of datetime from VALUE_STRING value Secret Person or request may be missing a required field at [line:1, column:179]", nil, Invalid, KindNone, NotApplied},
		{"R", 0, "INVALID_FIELD", "Failed to deserialize field at col 3. Due to, 'Secret' is not a valid value for the type xsd:date", []string{"CloseDate"}, Invalid, KindNone, NotApplied},
	}
}

func rightsRows() []catalogueRow {
	return []catalogueRow{
		{"R", 400, "INSUFFICIENT_ACCESS", "insufficient access rights on cross-reference id", nil, Forbidden, KindNone, NotApplied},
		{"R", 400, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", nil, Forbidden, KindNone, NotApplied},
		{"R", 403, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", nil, Forbidden, KindNone, NotApplied},
		{"U", 400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "insufficient access rights on cross-reference id", nil, Forbidden, KindNone, NotApplied},
		{"R", 400, "INVALID_FIELD", "No such column 'foo' on sobject of type Bar", nil, Misconfigured, KindSchema, NotApplied},
		{"R", 400, "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: MasterRecordId. Please check the security settings of this field and verify that it is read/write for your profile or permission set.", []string{"MasterRecordId"}, Forbidden, KindNone, NotApplied},
		{"R", 400, "INVALID_TYPE", "\nName,BillingCity,IsDeleted FROM Accout\n                                ^\nERROR at Row:1:Column:43\nsObject type 'Accout' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.", nil, Misconfigured, KindSchema, NotApplied},
		{"U", 400, "TXN_SECURITY_NO_ACCESS", "The operation you requested was blocked by a policy", nil, Forbidden, KindNone, NotApplied},
		{"U", 403, "TXN_SECURITY_TWO_FA_REQUIRED", "The operation you requested was blocked by a policy", nil, Forbidden, KindNone, NotApplied},
		{"U", 403, "TXN_SECURITY_END_A_SESSION", "The operation you requested was blocked by a policy", nil, Forbidden, KindNone, NotApplied},
		{"R", 400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Ask Secret Person first", []string{}, Misconfigured, KindOrgRule, NotApplied},
		{"U", 400, "CANNOT_EXECUTE_FLOW_TRIGGER", "We can't save this record because the \"Secret\" process failed.", nil, Misconfigured, KindOrgRule, NotApplied},
		{"S", 400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "UserTrigger: execution of BeforeInsert caused by: Secret", nil, Misconfigured, KindOrgRule, NotApplied},
		{"D", 400, "CANNOT_DISABLE_LAST_ADMIN", "", nil, Forbidden, KindNone, NotApplied},
		{"D", 400, "CANNOT_FREEZE_SELF", "", nil, Forbidden, KindNone, NotApplied},
	}
}

func callRows() []catalogueRow {
	return []catalogueRow{
		{"R", 404, "NOT_FOUND", "The requested resource does not exist", nil, NotFound, KindNone, NotApplied},
		{"R", 404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: 23foo", nil, NotFound, KindNone, NotApplied},
		{"R", 404, "ENTITY_IS_DELETED", "entity is deleted", []string{}, Deleted, KindNone, NotApplied},
		{"R", 400, "JSON_PARSER_ERROR", "Unexpected character ('j' (code 106)): was expecting a colon to separate field name and value at [line:1, column:18]", nil, Programming, KindNone, NotApplied},
		{"R", 400, "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body.", nil, Programming, KindNone, NotApplied},
		{"D", 400, "JSON_PARSER_ERROR", "Unrecognized field \"id\" at [line:4, column:12]", nil, Programming, KindNone, NotApplied},
		{"U", 405, "METHOD_NOT_ALLOWED", "HTTP Method 'PUT' not allowed. Allowed are GET", nil, Programming, KindNone, NotApplied},
		{"R", 400, "MIXED_DML_OPERATION", "DML operation on setup object is not permitted after you have updated a non-setup object (or vice versa): X, original object: User", nil, Programming, KindNone, NotApplied},
		{"R", 400, "MALFORMED_QUERY", "unexpected token: q", nil, Programming, KindNone, NotApplied},
		{"R", 400, "EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than 200 records into this call", nil, Programming, KindNone, NotApplied},
		{"R", 400, "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc", nil, Programming, KindNone, NotApplied},
		{"R", 415, "UNSUPPORTED_MEDIA_TYPE", "MediaType of 'multipart/related' is not supported by this resource", nil, Programming, KindNone, NotApplied},
		{"R", 0, "ClientInputError", "LineEnding is invalid on user data. Current LineEnding setting is LF", nil, Programming, KindNone, NotApplied},
		{"C", 0, "DUPLICATE_VALUE", "Duplicate external id specified: k1", []string{"Rollcall_Key__c"}, Duplicate, KindOther, NotApplied},
		{"R", 0, "MISSING_ARGUMENT", "Id not specified in an update call", nil, Programming, KindNone, NotApplied},
		{"R", 400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: 005D2000005smGPIA", nil, Locked, KindNone, NotApplied},
		{"R", 400, "TXN_SECURITY_METERING_ERROR", "We can't complete the action because enabled transaction security policies took too long to complete.", nil, Timeout, KindNone, NotApplied},
		{"U", 400, "QUERY_TIMEOUT", "Your query request was running for too long.", nil, Timeout, KindNone, NotApplied},
		{"R", 400, "INVALID_QUERY_LOCATOR", "invalid query locator", nil, Timeout, KindCursor, NotApplied},
		{"R", 0, "ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back because not all records were valid and the request was using AllOrNone header", []string{}, Halted, KindNone, NotApplied},
		{"R", 400, "PROCESSING_HALTED", "The transaction was rolled back since another operation in the same transaction failed.", nil, Halted, KindNone, NotApplied},
		{"U", 400, "A_CODE_NOBODY_KNOWS", "Secret Person", nil, Unknown, KindNone, NotApplied},
		{"U", 403, "A_CODE_NOBODY_KNOWS", "Secret Person", nil, Forbidden, KindNone, NotApplied},
		{"U", 500, "A_CODE_NOBODY_KNOWS", "Secret Person", nil, Unknown, KindNone, MaybeApplied},
		{"U", 502, "A_CODE_NOBODY_KNOWS", "Secret Person", nil, Unavailable, KindNone, MaybeApplied},
	}
}

func catalogue() []catalogueRow {
	rows := append(sessionRows(), dataRows()...)
	return append(append(rows, rightsRows()...), callRows()...)
}

func TestClassifyCatalogue(t *testing.T) {
	t.Parallel()
	for _, row := range catalogue() {
		t.Run(row.code, func(t *testing.T) {
			t.Parallel()
			e := classify(refusal{status: row.status, code: row.code, message: row.message, fields: row.fields, mutating: true})
			if e.Class != row.class || e.Kind != row.kind || e.Outcome != row.outcome {
				t.Errorf("[%s] %q = %v/%v/%v, want %v/%v/%v", row.mark, row.message, e.Class, e.Kind, e.Outcome, row.class, row.kind, row.outcome)
			}
			if e.Message != row.message || e.Code != row.code {
				t.Errorf("the raw text must stay available: %q %q", e.Code, e.Message)
			}
			if read := classify(refusal{status: row.status, code: row.code, message: row.message}); read.Outcome != NotApplied {
				t.Errorf("a call that changes nothing has outcome %v", read.Outcome)
			}
		})
	}
}

// A body on the wire comes out as the same class as the row it is made of.
func TestCatalogueThroughErrorBody(t *testing.T) {
	t.Parallel()
	for _, row := range catalogue() {
		if row.status == 0 {
			continue
		}
		body, err := json.Marshal([]map[string]any{{"errorCode": row.code, "message": row.message, "fields": row.fields}})
		if err != nil {
			t.Fatal(err)
		}
		e := failure(reply{status: row.status, body: body}, call{method: "POST"})
		if e.Class != row.class || e.Status != row.status {
			t.Errorf("%s %q = %v (HTTP %d), want %v", row.code, row.message, e.Class, e.Status, row.class)
		}
	}
}

func TestErrorTextHoldsNoValues(t *testing.T) {
	t.Parallel()
	for _, row := range catalogue() {
		text := classify(refusal{status: row.status, code: row.code, message: row.message, fields: row.fields}).Error()
		for _, secret := range []string{"Secret", "secret", "005", "0PS", "001", "john@acme.com", "23foo"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in %q", secret, text)
			}
		}
		if !strings.Contains(text, row.code) {
			t.Errorf("the code is missing in %q", text)
		}
	}
}

func TestErrorIDIsKept(t *testing.T) {
	t.Parallel()
	e := classify(refusal{status: 500, code: "UNKNOWN_EXCEPTION", message: "An unexpected error occurred. Please include this ErrorId if you contact support: 1895340064-166877 (-1526419893)"})
	if e.ErrorID != "1895340064-166877 (-1526419893)" || !strings.Contains(e.Error(), e.ErrorID) {
		t.Errorf("ErrorID %q, text %q", e.ErrorID, e.Error())
	}
}

// Several rules may refuse one record; a consequence is never the cause.
func TestSeveralErrorsReportTheCause(t *testing.T) {
	t.Parallel()
	e := refusals(400, []byte(`[{"errorCode":"PROCESSING_HALTED","message":"x"},{"errorCode":"STRING_TOO_LONG","message":"y"},{"errorCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION","message":"z"}]`), true)
	if e.Class != Invalid || len(e.Also) != 2 {
		t.Errorf("cause %v, also %d", e.Class, len(e.Also))
	}
}

func TestForeignAnswers(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		status  int
		body    string
		class   Class
		outcome Outcome
	}{
		{"503 page [S]", 503, "<html>We are setting things up</html>", Unavailable, MaybeApplied},
		{"420 edge [S]", 420, "<html>We've hit a snag</html>", Unavailable, MaybeApplied},
		{"502", 502, "", Unavailable, MaybeApplied},
		{"504", 504, "", Timeout, MaybeApplied},
		{"500 html", 500, "<html>", Unavailable, MaybeApplied},
		{"404 of a proxy is no deleted record", 404, "not found", Unavailable, NotApplied},
		{"404 with another JSON", 404, `{"error":"nope"}`, Unavailable, NotApplied},
		{"403 of a firewall", 403, "<html>blocked</html>", Unavailable, NotApplied},
		{"401 with nothing", 401, "", Credentials, NotApplied},
		{"401 not attached [C]", 401, "Connected app is not attached to Agent", Misconfigured, NotApplied},
		{"410 retired version [R]", 410, "", Misconfigured, NotApplied},
		{"414", 414, "", Programming, NotApplied},
		{"429", 429, "", Throttled, NotApplied},
		{"300 [R]", 300, `["/services/data/v23.0/sobjects/Whizbang/foo","/services/data/v23.0/sobjects/Whizbang/bar"]`, Duplicate, NotApplied},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e := failure(reply{status: tc.status, body: []byte(tc.body), header: map[string][]string{}}, call{method: "PATCH"})
			if e.Class != tc.class || e.Outcome != tc.outcome {
				t.Errorf("%v/%v, want %v/%v", e.Class, e.Outcome, tc.class, tc.outcome)
			}
		})
	}
}

func TestListsAreClosed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for i, c := range Classes() {
		if int(c) != i || seen[c.String()] || strings.Contains(c.String(), "(") {
			t.Errorf("class %d is %q", i, c)
		}
		seen[c.String()] = true
	}
	if len(Classes()) != classCount || Class(classCount).String() != fmt.Sprintf("class(%d)", classCount) {
		t.Errorf("%d classes, and Classes has %d", classCount, len(Classes()))
	}
	for k := KindNone; k <= KindCursor; k++ {
		if strings.Contains(k.String(), "(") {
			t.Errorf("kind %d has no name", k)
		}
	}
	orgWide := 0
	for _, c := range Classes() {
		if c.OrgWide() {
			orgWide++
		}
	}
	if orgWide != 3 {
		t.Errorf("%d classes are org-wide", orgWide)
	}
}

// TestWordsInARecordHoldNobodyElse: whatever stands in one record's refusal, or
// in a call's that quotes a value, it is no trouble of the whole org; only the
// code and the place in the answer say that.
func TestWordsInARecordHoldNobodyElse(t *testing.T) {
	t.Parallel()
	words := []string{
		"TotalRequests Limit exceeded.", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.", "ConcurrentPerOrgLongTxn Limit exceeded",
		"Bad_OAuth_Token", "This session is not valid for use with the REST API", "Connected app is not attached to Agent",
		"INVALID_SESSION_ID", "REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE",
	}
	for _, w := range words {
		for _, r := range []refusal{
			{code: "STRING_TOO_LONG", message: "Last Name: data value too large: " + w + " (max length=80)", fields: []string{"LastName"}},
			{code: "FIELD_INTEGRITY_EXCEPTION", message: w},
			{status: 400, code: "STRING_TOO_LONG", message: "Last Name: data value too large: " + w + " (max length=80)", mutating: true},
			{status: 400, code: "JSON_PARSER_ERROR", message: "Cannot deserialize instance of date from VALUE_STRING value " + w, mutating: true},
			{status: 403, code: "INSUFFICIENT_ACCESS", message: w, mutating: true},
			{code: "UNKNOWN_EXCEPTION", message: w},
		} {
			if e := classify(r); e.OrgWide() {
				t.Errorf("%q in a refusal %s (%d) holds the org: %s %s", w, r.code, r.status, e.Class, e.Kind)
			}
		}
	}
}
