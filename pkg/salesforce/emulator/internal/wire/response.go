package wire

import (
	"net/http"
)

// Response is an answer not yet sent, so that a fault can still spoil it and
// the journal can know it.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// NewResponse is 200 until somebody says otherwise.
func NewResponse() Response { return Response{Status: http.StatusOK, Header: http.Header{}} }

// Set puts status and body in place.
func (r *Response) Set(status int, body []byte) {
	r.Status, r.Body = status, body
}

// Kind sets the content type.
func (r *Response) Kind(contentType string) { r.Header.Set("Content-Type", contentType) }

// Content types of answers.
const (
	jsonType = "application/json;charset=UTF-8"
	HTMLType = "text/html;charset=UTF-8"
	CSVType  = "text/csv"
)

// JSON answers with any value.
func (r *Response) JSON(status int, v any) { r.Bytes(status, Encode(v)) }

// Bytes answers with JSON that is already written.
func (r *Response) Bytes(status int, body []byte) {
	r.Kind(jsonType)
	r.Set(status, body)
}

// None answers with a status and an empty body.
func (r *Response) None(status int) { r.Set(status, nil) }

// Fail answers with Salesforce's error array.
func (r *Response) Fail(errs ...*APIError) {
	r.Bytes(errs[0].Status, ErrorBody(errs...))
	if errs[0].Status == http.StatusUnauthorized {
		// The recorded value is blanked; the scheme word is an assumption. [U]
		r.Header.Set("WWW-Authenticate", "Token")
	}
}

// TokenError writes {"error","error_description"}. [R]
func (r *Response) TokenError(code, description string) {
	b := AppendString([]byte(`{"error":`), code)
	b = AppendString(append(b, `,"error_description":`...), description)
	r.Bytes(http.StatusBadRequest, append(b, '}'))
}
