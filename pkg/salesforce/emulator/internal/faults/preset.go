package faults

import (
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Scope says what a preset answers for.
type Scope string

// The scopes of presets.
const (
	ScopeCall   Scope = "call"   // the whole call is refused, nothing is applied
	ScopeRecord Scope = "record" // one record is refused, inside collections and jobs too
	ScopeToken  Scope = "token"  // the token endpoint refuses
)

// Preset is a refusal that one word plans: its Name is an Effect. Most of them
// have causes that the emulator does not model (sharing, flows, policies of the
// org), so they only come when they are planned.
type Preset struct {
	Name  Effect
	Scope Scope
	// Mark says how the text is known (R, D, C, S or U), Source from where.
	Mark   string
	Source string
	// Status is the HTTP status of a call; a record's inside a result list is
	// the list's own.
	Status int
	// Code and Message are errorCode and message, or error and
	// error_description of the token endpoint.
	Code    string
	Message string
	Fields  []string
}

// Presets lists all of them, in the order of docs/emulator-faults.md.
func Presets() []Preset {
	return append(append(callPresets(), recordPresets()...), tokenPresets()...)
}

// preset finds a preset by the effect that names it.
func preset(e Effect) (Preset, bool) {
	for _, p := range Presets() {
		if p.Name == e {
			return p, true
		}
	}
	return Preset{}, false
}

// RefusalOf is what a preset says by itself.
func RefusalOf(e Effect) *wire.APIError {
	p, _ := preset(e)
	return p.refusal(&Fault{})
}

// fits says whether the preset belongs to the kind of call: what the token
// endpoint says is no answer to a query, nor the other way round.
func (p Preset) fits(s *Subject) bool {
	switch p.Scope {
	case ScopeToken:
		return s.Operation == "token"
	case ScopeCall:
		return s.SignedIn
	case ScopeRecord:
	}
	return true
}

// refusal is the error of a call or record preset. A fault's own code, message,
// fields and status go before the preset's.
func (p Preset) refusal(f *Fault) *wire.APIError {
	e := &wire.APIError{Code: p.Code, Message: p.Message, Fields: p.Fields, Status: p.Status}
	if p.Scope == ScopeRecord && e.Fields == nil {
		e.Fields = []string{}
	}
	if f.Code != "" {
		e.Code = f.Code
	}
	if f.Message != "" {
		e.Message = f.Message
	}
	if f.Fields != nil {
		e.Fields = f.Fields
	}
	if f.Status != 0 {
		e.Status = f.Status
	}
	return e
}

// callPresets are refusals of whole calls.
func callPresets() []Preset {
	p := func(name Effect, mark, source string, status int, code, message string) Preset {
		return Preset{Name: name, Scope: ScopeCall, Mark: mark, Source: source, Status: status, Code: code, Message: message}
	}
	return []Preset{
		p("session_not_for_rest", "R", "jsforce http-api.ts", 401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API"),
		p("app_not_attached_to_agent", "C", "jsforce http-api.ts", 401, "INVALID_SESSION_ID", "Connected app is not attached to Agent"),
		p("invalid_auth_header", "R", "restforce #811", 401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE"),
		p("api_disabled_for_org", "R", "restforce #219", 403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization."),
		p("restapinotenabled", "D", "sfdx-core tests; the text is an assumption", 403, "RESTAPINOTENABLED", "The REST API is not enabled for this Organization."),
		p("api_currently_disabled", "S", "the text is an assumption", 403, "API_CURRENTLY_DISABLED", "API is disabled for this User"),
		p("functionality_not_enabled", "R", "baton-salesforce docs", 403, "FUNCTIONALITY_NOT_ENABLED", "This feature is not currently enabled for this user"),
		p("expired_password", "R", "recorded", 403, "INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "The users password has expired, you must call SetPassword before attempting any other API operations"),
		p("url_not_reset", "R", "recorded", 400, "URL_NOT_RESET", "Destination URL not reset. The URL returned from login must be set"),
		p("long_transaction_limit", "R", "mautic", 403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded"),
		p("long_transaction_limit_unknown", "R", "mautic", 403, "UNKNOWN_EXCEPTION", "ConcurrentPerOrgLongTxn Limit exceeded"),
		p("gack_negative", "R", "official Postman", 500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support: 1895340064-166877 (-1526419893)"),
		p("internal_error", "R", "official Postman", 500, "INTERNAL_ERROR", "Unexpected Error"),
		p("server_unavailable", "S", "second-hand", 503, "SERVER_UNAVAILABLE", "Server Unavailable"),
		p("txn_security_metering_error", "R", "airbyte", 400, "TXN_SECURITY_METERING_ERROR", "We can't complete the action because enabled transaction security policies took too long to complete."),
		p("query_timeout", "U", "an assumption", 400, "QUERY_TIMEOUT", "Your query request was running for too long."),
		p("invalid_query_locator", "R", "recorded", 400, "INVALID_QUERY_LOCATOR", "invalid query locator"),
		p("unrecognized_field", "R", "official Postman", 400, "JSON_PARSER_ERROR", `Unrecognized field "id" at [line:4, column:12]`),
	}
}

// recordPresets are refusals of single records.
func recordPresets() []Preset {
	p := func(name Effect, mark, source, code, message string, fields ...string) Preset {
		return Preset{Name: name, Scope: ScopeRecord, Mark: mark, Source: source, Status: 400, Code: code, Message: message, Fields: fields}
	}
	return []Preset{
		p("insufficient_access", "R", "baton-salesforce docs", "INSUFFICIENT_ACCESS", "insufficient access rights on cross-reference id"),
		p("insufficient_access_or_readonly", "R", "NPSP #2960, plugin-org PR #1647", "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"),
		p("insufficient_access_on_cross_reference_entity", "U", "the text is an assumption", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "insufficient access rights on cross-reference id"),
		p("invalid_field", "R", "recorded", "INVALID_FIELD", "No such column 'foo' on sobject of type Bar"),
		p("invalid_field_for_insert_update", "R", "amp-labs", "INVALID_FIELD_FOR_INSERT_UPDATE",
			"Unable to create/update fields: MasterRecordId. Please check the security settings of this field and verify that it is read/write for your profile or permission set.", "MasterRecordId"),
		p("duplicates_detected", "R", "recorded", "DUPLICATES_DETECTED", "Use one of these records?"),
		p("license_limit_exceeded", "R", "Apex/SOAP", "LICENSE_LIMIT_EXCEEDED", "License Limit Exceeded"),
		p("license_limit_exceeded_named", "R", "Apex/SOAP", "LICENSE_LIMIT_EXCEEDED", "License Limit Exceeded - Customer Community"),
		p("license_without_permission", "R", "recorded", "FIELD_INTEGRITY_EXCEPTION", "The user license doesn't allow the permission: Read Promotion"),
		p("profile_of_another_license", "R", "help 000386999", "FIELD_INTEGRITY_EXCEPTION", "You can only reassign this user to a profile of the current license.: [ProfileId]"),
		p("inactive_owner_or_user", "R", "recorded", "INACTIVE_OWNER_OR_USER", "operation performed with inactive user [005000000000001] as owner of contact"),
		p("portal_owner_without_role", "R", "recorded", "UNKNOWN_EXCEPTION", "portal account owner must have a role"),
		p("portal_user_already_exists_for_contact", "R", "recorded", "PORTAL_USER_ALREADY_EXISTS_FOR_CONTACT", "portal user already exists for contact"),
		p("portal_profile_setting", "R", "recorded", "FIELD_INTEGRITY_EXCEPTION",
			"To create or update users for this profile, go to Setup > Digital Experiences > Settings and select Allow using standard external profiles for self-registration, user creation, and login.: Profile ID"),
		p("hierarchy_field", "D", "help 000386275; the code is an assumption", "FIELD_INTEGRITY_EXCEPTION", "Cannot complete this operation. Cannot inactivate user that is the value of a hierarchy field: User Hierarchy. : Jane Doe"),
		p("cannot_disable_last_admin", "D", "Partner WSDL; the text is an assumption", "CANNOT_DISABLE_LAST_ADMIN", "You cannot deactivate the last administrator."),
		p("validation_rule", "R", "recorded; the text is the admin's own", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Department must be one of the cost centres."),
		p("flow_failed", "U", "the text is an assumption", "CANNOT_EXECUTE_FLOW_TRIGGER", `We can't save this record because the "New User" process failed. Give your Salesforce admin these details.`),
		p("trigger_failed", "S", "second-hand", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "UserTrigger: execution of BeforeInsert caused by: System.NullPointerException"),
		p("txn_security_no_access", "D", "Partner WSDL; the text is an assumption", "TXN_SECURITY_NO_ACCESS", "The operation you requested was blocked by a policy"),
		p("txn_security_two_fa_required", "D", "Partner WSDL; the text is an assumption", "TXN_SECURITY_TWO_FA_REQUIRED", "The operation you requested was blocked by a policy"),
		p("txn_security_end_a_session", "D", "Partner WSDL; the text is an assumption", "TXN_SECURITY_END_A_SESSION", "The operation you requested was blocked by a policy"),
		{Name: "read_only_mode", Scope: ScopeRecord, Mark: "D", Source: "Partner WSDL; the text is from Apex (stackexchange 194022), the status an assumption", Status: 503,
			Code: "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", Message: "Updates can't be made during maintenance. Try again when maintenance is complete."},
		p("entity_is_locked", "D", "Partner WSDL; the text is an assumption", "ENTITY_IS_LOCKED", "entity is locked for editing"),
	}
}

// tokenPresets are refusals of the token endpoint.
func tokenPresets() []Preset {
	p := func(name Effect, mark, source, code, description string) Preset {
		return Preset{Name: name, Scope: ScopeToken, Mark: mark, Source: source, Status: 400, Code: code, Message: description}
	}
	return []Preset{
		p("token_expired", "R", "restforce refresh_error_response.json", "invalid_grant", "expired access/refresh token"),
		p("token_code_expired", "R", "forrest #169, simple-salesforce #491", "invalid_grant", "expired authorization code"),
		p("token_authentication_failure", "R", "forrest #146, jsforce #482", "invalid_grant", "authentication failure"),
		p("token_invalid_password", "R", "restforce auth_error_response.json", "invalid_grant", "authentication failure - Invalid Password"),
		p("token_inactive_user", "R", "restforce #303", "invalid_grant", "inactive user"),
		p("token_not_approved", "R", "restforce #278", "invalid_grant", "user hasn't approved this consumer"),
		p("token_not_admin_approved", "R", "recorded", "invalid_app_access", "user is not admin approved to access this app"),
		p("token_no_run_as_user", "R", "tap-salesforce tests", "invalid_grant", "no client credentials user enabled"),
		p("token_wrong_domain", "R", "recorded", "invalid_grant", "request not supported on this domain"),
		p("token_flow_not_enabled", "S", "second-hand", "invalid_grant", "client credentials flow not enabled"),
		p("token_no_scopes", "S", "sf-skills", "invalid_grant", "no valid scopes defined"),
		p("token_invalid_assertion", "R", "frankkessler #68", "invalid_grant", "invalid assertion"),
		p("token_invalid_audience", "R", "forcedotcom/cli #1640", "invalid_grant", "audience is invalid"),
		p("token_ip_restricted", "S", "second-hand", "invalid_grant", "ip restricted"),
		p("token_activation_secret", "R", "restforce #826", "invalid_grant", "activation secret invalid"),
		p("token_unknown_client", "R", "forrest #184", "invalid_client_id", "client identifier invalid"),
		p("token_wrong_secret", "R", "restforce #338", "invalid_client", "invalid client credentials"),
		p("token_redirect_uri_mismatch", "R", "restphp_example #1", "redirect_uri_mismatch", "redirect_uri must match configuration"),
		p("token_unsupported_grant_type", "R", "sf-jwt-token #1", "unsupported_grant_type", "grant type not supported"),
		p("token_invalid_scope", "S", "second-hand", "invalid_scope", "the requested scope is not allowed"),
		p("token_inactive_org", "D", "iOS SDK; the text is an assumption", "inactive_org", "this org is locked"),
		p("token_rate_limit_exceeded", "D", "iOS SDK; the text is an assumption", "rate_limit_exceeded", "login rate exceeded"),
		p("token_unknown_error", "U", "an assumption", "unknown_error", "retry your request"),
	}
}
