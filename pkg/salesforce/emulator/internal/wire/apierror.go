package wire

import (
	"fmt"
	"strings"
)

// APIError is one element of Salesforce's error array. Fields is left out of
// the body when nil: platform errors have no such key, record errors have it
// even when empty. [R]
type APIError struct {
	Code    string
	Message string
	Fields  []string
	// Status is the HTTP status when the error answers a single-record call.
	Status int
	// Spoils says that a call is refused as a whole that has the record.
	Spoils bool
}

// Error makes an APIError usable as a Go error.
func (e *APIError) Error() string { return e.Code + ": " + e.Message }

// RecordError is an error about a record: it always has a fields list.
func RecordError(code, message string, fields ...string) *APIError {
	if fields == nil {
		fields = []string{}
	}
	return &APIError{Code: code, Message: message, Fields: fields, Status: 400}
}

// PlatformError is an error about the call: it has no fields list.
func PlatformError(status int, code, message string) *APIError {
	return &APIError{Code: code, Message: message, Status: status}
}

// AppendTo writes the error; codeKey is "errorCode" in an error body and
// "statusCode" inside a 200/201 result. [R]
func (e *APIError) AppendTo(b []byte, codeKey string) []byte {
	b = append(b, '{')
	if codeKey == "statusCode" {
		b = append(AppendString(append(b, `"statusCode":`...), e.Code), ',')
	}
	b = AppendString(append(b, `"message":`...), e.Message)
	if codeKey == "errorCode" {
		b = AppendString(append(b, `,"errorCode":`...), e.Code)
	}
	if e.Fields != nil || codeKey == "statusCode" {
		b = append(b, `,"fields":[`...)
		for i, f := range e.Fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = AppendString(b, f)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// ErrorBody is the array that every failed REST call answers with. [R]
func ErrorBody(errs ...*APIError) []byte {
	b := []byte{'['}
	for i, e := range errs {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.AppendTo(b, "errorCode")
	}
	return append(b, ']')
}

// ErrNotFound is 404: nothing is at this address.
func ErrNotFound() *APIError { // [R CumulusCI cassettes]
	return PlatformError(404, "NOT_FOUND", "The requested resource does not exist")
}

// ErrSession is 401: the token is no session, or none any more.
func ErrSession() *APIError { // [R restforce expired_session_response.json]
	return PlatformError(401, "INVALID_SESSION_ID", "Session expired or invalid")
}

// ErrAuthHeader is 401: the header Authorization has another scheme.
func ErrAuthHeader() *APIError { // [R restforce #811]
	return PlatformError(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
}

// ErrURLNotReset is what hosts that only sign in say to data calls.
func ErrURLNotReset() *APIError { // [R]
	return PlatformError(400, "URL_NOT_RESET", "Destination URL not reset. The URL returned from login must be set")
}

// ErrDailyLimit is 403: the calls of 24 hours are used up.
func ErrDailyLimit() *APIError { // [R OrgCheck #181]
	return PlatformError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
}

// ErrConcurrentLimit is 403: too many calls at once.
func ErrConcurrentLimit() *APIError { // [R OrgCheck #432]
	return PlatformError(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
}

// ErrMethod is 405.
func ErrMethod(method string, allowed ...string) *APIError { // [U] text
	return PlatformError(405, "METHOD_NOT_ALLOWED",
		fmt.Sprintf("HTTP Method '%s' not allowed. Allowed are %s", method, strings.Join(allowed, ",")))
}

// ErrNoBody is 400: the resource wants a body.
func ErrNoBody() *APIError { // [R]
	return PlatformError(400, "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body.")
}

// ErrJSON is 400: the body cannot be read, and err says where.
func ErrJSON(err error) *APIError {
	return PlatformError(400, "JSON_PARSER_ERROR", err.Error())
}

// ErrRequired names all fields that a new record lacks.
func ErrRequired(names []string) *APIError { // [R] single; order of several [U]
	return RecordError("REQUIRED_FIELD_MISSING",
		"Required fields are missing: ["+strings.Join(names, ", ")+"]", names...)
}

// ErrNoColumn is a write to a field that there is not.
func ErrNoColumn(name, object string) *APIError { // [R], on write
	return PlatformError(400, "INVALID_FIELD",
		fmt.Sprintf("No such column '%s' on sobject of type %s", name, object))
}

// ErrReadOnly is a write to fields that this caller may not write.
func ErrReadOnly(names ...string) *APIError { // [R amp-labs]; order of several [U]
	return RecordError("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: "+strings.Join(names, ", ")+
		". Please check the security settings of this field and verify that it is read/write for your profile or permission set.", names...)
}

// ErrCrossReference is an id that names no record, or one of another type.
func ErrCrossReference() *APIError { // [R], without a field
	return RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
}

// ErrMalformedID is a text that is no id.
func ErrMalformedID(value string) *APIError { // [R amp-labs success-with-errors.json]
	return RecordError("MALFORMED_ID", "malformed id "+value)
}

// ErrDeleted is 404: the record was deleted before.
func ErrDeleted() *APIError { // [R amp-labs crm/delete/not-found.json]
	e := RecordError("ENTITY_IS_DELETED", "entity is deleted")
	e.Status = 404
	return e
}

// ErrExternalID is 404: what a path addresses by is no key, or names nothing.
func ErrExternalID(value string) *APIError { // [R restforce]
	return PlatformError(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: "+value)
}

// ErrLicence is a licence without a free seat.
func ErrLicence() *APIError { // [R via Apex/SOAP]
	return RecordError("LICENSE_LIMIT_EXCEEDED", "License Limit Exceeded")
}

// ErrRolledBack is a good record of an allOrNone list in which another failed.
func ErrRolledBack() *APIError { // [R amp-labs partial-but-allOrNone.json]
	return RecordError("ALL_OR_NONE_OPERATION_ROLLED_BACK",
		"Record rolled back because not all records were valid and the request was using AllOrNone header")
}

// ErrGack is 500, with the number that support asks for.
func ErrGack() *APIError { // [R official Postman]
	return PlatformError(500, "UNKNOWN_EXCEPTION",
		"An unexpected error occurred. Please include this ErrorId if you contact support: 8425053-14906 (608530858)")
}

// ErrLockedRow is a record that somebody else holds.
func ErrLockedRow(id string) *APIError { // [R]
	return RecordError("UNABLE_TO_LOCK_ROW",
		"unable to obtain exclusive access to this record or 1 records: "+id)
}
