package salesforce

import (
	"regexp"
	"strings"
)

var errorIDLike = regexp.MustCompile(`^[0-9-]{1,40} \(-?[0-9]{1,20}\)`)

// refusal is one error as Salesforce worded it, with what is known about the
// call. Marks: [R] recorded from a real org, [D] Salesforce's documentation or
// official source, [C] source of a working client, [S] secondary, [U] assumed.
type refusal struct {
	status   int // 0 inside a collection's or job's result
	code     string
	message  string
	fields   []string
	mutating bool
}

// classify is the one place where Salesforce's codes and texts get a meaning.
// Texts go first because Salesforce uses one code for very different things,
// then the code, then the HTTP status; what remains is Unknown.
func classify(r refusal) *Error {
	class, kind, ok := classByText(r)
	if !ok {
		class, kind, ok = classByCode(r.code)
	}
	if !ok {
		class, kind = classByStatus(r.status)
	}
	return &Error{
		Class: class, Kind: kind, Status: r.status, Code: r.code, Message: r.message, Fields: r.fields,
		ErrorID: errorID(r.message), Outcome: refusalOutcome(r),
	}
}

// refusalOutcome: inside a result list a refusal is definite. A 5xx may come
// after the commit (UNKNOWN_EXCEPTION does), and so may an edge's time-out.
func refusalOutcome(r refusal) Outcome {
	if r.status >= 500 || r.status == 408 || r.status == 420 {
		return outcomeOf(r.mutating)
	}
	return NotApplied
}

// classByText holds the meanings that only the text tells.
func classByText(r refusal) (Class, Kind, bool) {
	if class, kind, ok := classBySessionText(r); ok {
		return class, kind, true
	}
	has := func(s string) bool { return strings.Contains(r.message, s) }
	switch {
	case has("Duplicate PermissionSetAssignment"): // [R amp-labs err-duplicate-permission-assignment.json]
		return AlreadyDone, KindNone, true
	case has("Federation ID is already in use"): // [R Okta KB]; its code over REST is not recorded
		return Duplicate, KindFederationID, true
	case r.code == "DUPLICATE_VALUE":
		return Duplicate, duplicateKind(r), true
	case has("reassign this user to a profile of the current license"): // [R/D help 000386999]
		return Misconfigured, KindLicenceMismatch, true
	case has("license doesn't allow the permission"): // [R]; no free seat would heal it
		return Misconfigured, KindLicenceMismatch, true
	case has("Allow using standard external profiles"), // [R] facts 3.4
		has("portal account owner must have a role"): // [R] comes as UNKNOWN_EXCEPTION
		return Misconfigured, KindOrgRule, true
	case r.code == "INVALID_FIELD" && has("Failed to deserialize field"): // [R amp-labs bulk failedResults]
		return Invalid, KindNone, true
	case r.code == "InvalidBatch" && has("Field name not found"): // [R amp-labs bulk job]
		return Misconfigured, KindSchema, true
	case r.code == "JSON_PARSER_ERROR" && has("Cannot deserialize instance of"): // [R] a value, not our JSON
		return Invalid, KindNone, true
	case r.code == "REQUIRED_FIELD_MISSING" && has("At least 1 record is required"): // [R amp-labs] an empty collection
		return Programming, KindNone, true
	}
	return Unknown, KindNone, false
}

// classBySessionText holds the texts that speak of the session or the org. They
// count only beside the code and the place where they were recorded: elsewhere
// the same words may be somebody's last name, quoted by the refusal of a record.
func classBySessionText(r refusal) (Class, Kind, bool) {
	has := func(s string) bool { return strings.Contains(r.message, s) }
	switch {
	case r.status == 0: // one record's result
	case r.status == 401 && neverRenew(r.message): // [R/C jsforce http-api.ts]
		return Misconfigured, KindAPIAccess, true
	case r.code == "REQUEST_LIMIT_EXCEEDED" && has("TotalRequests Limit exceeded"): // [R OrgCheck #181]
		return Throttled, KindDailyLimit, true
	case r.code == "UNKNOWN_EXCEPTION" && strings.HasPrefix(r.message, "ConcurrentPerOrgLongTxn Limit exceeded"): // [R mautic]
		return Throttled, KindConcurrentLimit, true
	}
	return Unknown, KindNone, false
}

// neverRenew says whether a 401 speaks of a session that a new token would not
// mend: renewing on these loops. [R/C jsforce http-api.ts]
func neverRenew(message string) bool {
	return strings.Contains(message, "This session is not valid for use with the REST API") ||
		strings.Contains(message, "Connected app is not attached to Agent")
}

// duplicateKind reads which field a DUPLICATE_VALUE is about, from the fields
// and from "duplicate value found: <field> duplicates value on…" [U].
func duplicateKind(r refusal) Kind {
	about := strings.Join(r.fields, ",")
	if _, rest, ok := strings.Cut(r.message, "duplicate value found: "); ok {
		name, _, _ := strings.Cut(rest, " ")
		about += "," + name
	}
	about = strings.ToLower(about)
	switch {
	case strings.Contains(about, "federationidentifier"):
		return KindFederationID
	case strings.Contains(about, "username"):
		return KindUsername
	case strings.Contains(about, "communitynickname"):
		return KindNickname
	}
	return KindOther
}

// classByCode is the catalogue of codes. Names without a mark of their own are
// in the Partner WSDL v47 [D jsforce src/api/soap/wsdl.xml].
func classByCode(code string) (Class, Kind, bool) {
	if class, kind, ok := classByOrgCode(code); ok {
		return class, kind, true
	}
	switch code {
	case "UNABLE_TO_LOCK_ROW": // [R] on a User update
		return Locked, KindNone, true
	case "QUERY_TIMEOUT", "TXN_SECURITY_METERING_ERROR": // [U]; [R airbyte]
		return Timeout, KindNone, true
	case "INVALID_QUERY_LOCATOR": // [R]
		return Timeout, KindCursor, true
	case "LICENSE_LIMIT_EXCEEDED": // [R via Apex/SOAP]
		return Licence, KindNone, true
	case "DUPLICATE_USERNAME": // [R wso2 product-is #13619]
		return Duplicate, KindUsername, true
	case "DUPLICATE_COMM_NICKNAME": // [R forcedotcom/cli #3142]
		return Duplicate, KindNickname, true
	case "DUPLICATES_DETECTED", "DUPLICATE_EXTERNAL_ID", "PORTAL_USER_ALREADY_EXISTS_FOR_CONTACT", CodeMultipleChoices: // [R] except the second
		return Duplicate, KindOther, true
	case "REQUIRED_FIELD_MISSING", "STRING_TOO_LONG", "INVALID_EMAIL_ADDRESS", "FIELD_INTEGRITY_EXCEPTION",
		"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "INACTIVE_OWNER_OR_USER": // [R]
		return Invalid, KindNone, true
	case "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID": // [R/D]
		return Reference, KindNone, true
	case "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY", // [R]
		"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",                                        // [U]
		"INVALID_FIELD_FOR_INSERT_UPDATE",                                                      // [R amp-labs] field-level security
		"TXN_SECURITY_NO_ACCESS", "TXN_SECURITY_TWO_FA_REQUIRED", "TXN_SECURITY_END_A_SESSION", // [D names]
		"CANNOT_DELETE_ENTITY", "CANNOT_DISABLE_LAST_ADMIN", "CANNOT_FREEZE_SELF", "PORTAL_NO_ACCESS":
		return Forbidden, KindNone, true
	case "INVALID_FIELD", "INVALID_TYPE": // [R] missing, or hidden by field-level security
		return Misconfigured, KindSchema, true
	case "FIELD_CUSTOM_VALIDATION_EXCEPTION", "CANNOT_EXECUTE_FLOW_TRIGGER", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", // [R], [U], [S]
		"ENTITY_IS_LOCKED", "USER_OWNS_PORTAL_ACCOUNT_EXCEPTION", "USER_WITH_APEX_SHARES_EXCEPTION":
		return Misconfigured, KindOrgRule, true
	case "NOT_FOUND": // [R CumulusCI cassettes]
		return NotFound, KindNone, true
	case "ENTITY_IS_DELETED": // [R amp-labs]
		return Deleted, KindNone, true
	case "PROCESSING_HALTED", "ALL_OR_NONE_OPERATION_ROLLED_BACK": // [R camel; amp-labs]
		return Halted, KindNone, true
	case "INVALID_QUERY_FILTER_OPERATOR", // [R restforce #557] an id that is none, in a condition
		"UNSUPPORTED_MEDIA_TYPE", // [R nforce #74]
		"ClientInputError",       // [R forcedotcom/cli #3113] rows that end otherwise than the job says
		"MALFORMED_QUERY", "JSON_PARSER_ERROR", "METHOD_NOT_ALLOWED", "MIXED_DML_OPERATION",
		"EXCEEDED_ID_LIMIT", "MISSING_ARGUMENT", "INVALID_AUTH_HEADER": // [R], METHOD_NOT_ALLOWED [U]
		return Programming, KindNone, true
	case "UNKNOWN_EXCEPTION", "INTERNAL_ERROR": // [R official Postman]
		return Unknown, KindNone, true
	}
	return Unknown, KindNone, false
}

// classByOrgCode is the part of the catalogue that concerns the whole org.
func classByOrgCode(code string) (Class, Kind, bool) {
	switch code {
	case "INVALID_SESSION_ID", // [R restforce expired_session_response.json]
		"LOGIN_OAUTH_INVALID_TOKEN",               // [R django-salesforce]
		"INVALID_OPERATION_WITH_EXPIRED_PASSWORD": // [R]
		return Credentials, KindNone, true
	case "REQUEST_LIMIT_EXCEEDED": // another text than the recorded ones: assume the short limit
		return Throttled, KindConcurrentLimit, true
	case "TOO_MANY_APEX_REQUESTS":
		return Throttled, KindConcurrentLimit, true
	case "API_DISABLED_FOR_ORG", // [R restforce #219]
		"RESTAPINOTENABLED",         // [D sfdx-core tests]
		"API_CURRENTLY_DISABLED",    // [S/U]
		"FUNCTIONALITY_NOT_ENABLED", // [R baton-salesforce docs]
		"URL_NOT_RESET":             // [R] a call to the login host
		return Misconfigured, KindAPIAccess, true
	case "SERVER_UNAVAILABLE", // [S]
		"INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE": // [D Partner WSDL] the org is read-only for a while
		return Unavailable, KindNone, true
	}
	return Unknown, KindNone, false
}

// classByStatus is the default for a code nobody knows.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
func classByStatus(status int) (Class, Kind) {
	switch status {
	case 300:
		return Duplicate, KindOther
	case 401:
		return Credentials, KindNone
	case 403:
		return Forbidden, KindNone
	case 405, 406, 414, 415, 431:
		return Programming, KindNone
	case 410: // a retired API version
		return Misconfigured, KindAPIAccess
	case 408, 504:
		return Timeout, KindNone
	case 420, 502, 503:
		return Unavailable, KindNone
	case 429:
		return Throttled, KindConcurrentLimit
	}
	return Unknown, KindNone
}

// errorID finds what Salesforce's support asks for; the number in brackets may
// be negative. [R official Postman, five examples]
func errorID(message string) string {
	const marker = "ErrorId if you contact support: "
	_, rest, ok := strings.Cut(message, marker)
	if !ok {
		return ""
	}
	return errorIDLike.FindString(rest)
}

// causeOf picks the error to report: a consequence is never reported as the
// cause while there is another.
func causeOf(errs []*Error) *Error {
	for _, e := range errs {
		if e.Class != Halted {
			return e
		}
	}
	if len(errs) > 0 {
		return errs[0]
	}
	return nil
}

// merge reports one error of an answer and keeps the others beside it.
func merge(errs []*Error) *Error {
	cause := causeOf(errs)
	for _, e := range errs {
		if e != cause {
			cause.Also = append(cause.Also, e)
		}
	}
	return cause
}
