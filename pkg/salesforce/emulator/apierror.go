package emulator

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
	// status is the HTTP status when the error answers a single-record call.
	status int
}

// Error makes an APIError usable as a Go error.
func (e *APIError) Error() string { return e.Code + ": " + e.Message }

// recordError is an error about a record: it always has a fields list.
func recordError(code, message string, fields ...string) *APIError {
	if fields == nil {
		fields = []string{}
	}
	return &APIError{Code: code, Message: message, Fields: fields, status: 400}
}

// platformError is an error about the call: it has no fields list.
func platformError(status int, code, message string) *APIError {
	return &APIError{Code: code, Message: message, status: status}
}

// appendTo writes the error; codeKey is "errorCode" in an error body and
// "statusCode" inside a 200/201 result. [R]
func (e *APIError) appendTo(b []byte, codeKey string) []byte {
	b = append(b, '{')
	if codeKey == "statusCode" {
		b = append(appendString(append(b, `"statusCode":`...), e.Code), ',')
	}
	b = appendString(append(b, `"message":`...), e.Message)
	if codeKey == "errorCode" {
		b = appendString(append(b, `,"errorCode":`...), e.Code)
	}
	if e.Fields != nil || codeKey == "statusCode" {
		b = append(b, `,"fields":[`...)
		for i, f := range e.Fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, f)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// errorBody is the array that every failed REST call answers with. [R]
func errorBody(errs ...*APIError) []byte {
	b := []byte{'['}
	for i, e := range errs {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.appendTo(b, "errorCode")
	}
	return append(b, ']')
}

func errNotFound() *APIError { // [R CumulusCI cassettes]
	return platformError(404, "NOT_FOUND", "The requested resource does not exist")
}

func errSession() *APIError { // [R restforce expired_session_response.json]
	return platformError(401, "INVALID_SESSION_ID", "Session expired or invalid")
}

func errAuthHeader() *APIError { // [R restforce #811]
	return platformError(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
}

func errURLNotReset() *APIError { // [R]
	return platformError(400, "URL_NOT_RESET", "Destination URL not reset. The URL returned from login must be set")
}

func errDailyLimit() *APIError { // [R OrgCheck #181]
	return platformError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
}

func errConcurrentLimit() *APIError { // [R OrgCheck #432]
	return platformError(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
}

func errMethod(method string, allowed ...string) *APIError { // [U] text
	return platformError(405, "METHOD_NOT_ALLOWED",
		fmt.Sprintf("HTTP Method '%s' not allowed. Allowed are %s", method, strings.Join(allowed, ",")))
}

func errNoBody() *APIError { // [R]
	return platformError(400, "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body.")
}

func errJSON(err error) *APIError {
	return platformError(400, "JSON_PARSER_ERROR", err.Error())
}

func errRequired(names []string) *APIError { // [R] single; order of several [U]
	return recordError("REQUIRED_FIELD_MISSING",
		"Required fields are missing: ["+strings.Join(names, ", ")+"]", names...)
}

func errNoColumn(name, object string) *APIError { // [R], on write
	return platformError(400, "INVALID_FIELD",
		fmt.Sprintf("No such column '%s' on sobject of type %s", name, object))
}

func errReadOnly(names ...string) *APIError { // [R amp-labs]; order of several [U]
	return recordError("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: "+strings.Join(names, ", ")+
		". Please check the security settings of this field and verify that it is read/write for your profile or permission set.", names...)
}

func errTooLong(f *field, value string) *APIError { // [R] uses the label
	return recordError("STRING_TOO_LONG",
		fmt.Sprintf("%s: data value too large: %s (max length=%d)", f.label, value, f.length), f.name)
}

func errPicklist(f *field, value string) *APIError { // [R]
	return recordError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
		f.label+": bad value for restricted picklist field: "+value, f.name)
}

func errCrossReference() *APIError { // [R], without a field
	return recordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
}

func errWrongIDType(f *field, value string) *APIError { // [R]
	return recordError("MALFORMED_ID", f.label+": id value of incorrect type: "+value, f.name)
}

func errMalformedID(value string) *APIError { // [R amp-labs success-with-errors.json]
	return recordError("MALFORMED_ID", "malformed id "+value)
}

func errDeleted() *APIError { // [R amp-labs crm/delete/not-found.json]
	e := recordError("ENTITY_IS_DELETED", "entity is deleted")
	e.status = 404
	return e
}

func errExternalID(value string) *APIError { // [R restforce]
	return platformError(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: "+value)
}

func errLicence() *APIError { // [R via Apex/SOAP]
	return recordError("LICENSE_LIMIT_EXCEEDED", "License Limit Exceeded")
}

func errRolledBack() *APIError { // [R amp-labs partial-but-allOrNone.json]
	return recordError("ALL_OR_NONE_OPERATION_ROLLED_BACK",
		"Record rolled back because not all records were valid and the request was using AllOrNone header")
}

func errGack() *APIError { // [R official Postman]
	return platformError(500, "UNKNOWN_EXCEPTION",
		"An unexpected error occurred. Please include this ErrorId if you contact support: 8425053-14906 (608530858)")
}

func errLockedRow(id string) *APIError { // [R]
	return recordError("UNABLE_TO_LOCK_ROW",
		"unable to obtain exclusive access to this record or 1 records: "+id)
}
