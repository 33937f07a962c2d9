package salesforce

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// apiError is the element of every error body; inside a result list the code
// is called statusCode instead of errorCode. [R]
type apiError struct {
	ErrorCode  string   `json:"errorCode"`
	StatusCode string   `json:"statusCode"`
	Message    string   `json:"message"`
	Fields     []string `json:"fields"`
}

func (a apiError) code() string {
	if a.ErrorCode != "" {
		return a.ErrorCode
	}
	return a.StatusCode
}

// failure reads the error of a status outside 2xx.
func failure(r reply, k call) *Error {
	if r.status == http.StatusMultipleChoices { // [R restforce upsert_multiple_error_response.json]
		return classify(refusal{status: r.status, code: CodeMultipleChoices, mutating: false,
			message: "several records have this external id"})
	}
	if e := refusals(r.status, r.body, k.mutating()); e != nil {
		return e
	}
	if code := r.header.Get("Sfdc-OAuth-Error"); r.status == http.StatusUnauthorized && code != "" { // [R django-salesforce]
		return classify(refusal{status: r.status, code: "LOGIN_OAUTH_INVALID_TOKEN", message: "Sfdc-OAuth-Error " + code})
	}
	return foreign(r, k)
}

// refusals reads Salesforce's error array; nil when the body is none.
func refusals(status int, body []byte, mutating bool) *Error {
	var list []apiError
	_ = json.Unmarshal(body, &list) // what is no error array has no errors in it
	if len(list) == 0 {
		return nil
	}
	errs := make([]*Error, len(list))
	for i, a := range list {
		if a.code() == "" {
			return nil
		}
		errs[i] = classify(refusal{status: status, code: a.code(), message: a.Message, fields: a.Fields, mutating: mutating})
	}
	return merge(errs)
}

// foreign judges a failure without Salesforce's error body: an edge, a proxy or
// a login page answered. Its 404 does not mean that a record is gone.
func foreign(r reply, k call) *Error {
	text := string(r.body)
	if strings.Contains(text, "LOGIN_OAUTH_INVALID_TOKEN") || (k.plainText && strings.Contains(text, "Bad_OAuth_Token")) {
		return classify(refusal{status: r.status, code: "LOGIN_OAUTH_INVALID_TOKEN", message: "Bad_OAuth_Token"})
	}
	if neverRenew(text) {
		return classify(refusal{status: r.status, code: CodeNotSalesforce, message: "Connected app is not attached to Agent"})
	}
	e := classify(refusal{status: r.status, code: CodeNotSalesforce, mutating: k.mutating(),
		message: fmt.Sprintf("%d bytes of %s instead of Salesforce's error body", len(r.body), mediaType(r.header))})
	if e.Class == Unknown || e.Class == Forbidden || e.Class == Duplicate {
		e.Class, e.Kind = Unavailable, KindNone
	}
	return e
}

func mediaType(h http.Header) string {
	media, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	if media = strings.TrimSpace(media); nameLike.MatchString(strings.ReplaceAll(strings.ReplaceAll(media, "/", ""), "-", "")) {
		return media
	}
	return "unnamed content"
}

// decode reads exactly one JSON value. Numbers in untyped places stay exact.
func decode(body []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

// doJSON sends a call whose answer is JSON.
func (c *connection) doJSON(ctx context.Context, k call, into any) error {
	r, err := c.do(ctx, k)
	if err != nil {
		return err
	}
	if err := decode(r.body, into); err != nil {
		return unreadable(r.status, k.mutating(), "the answer is not the JSON expected (%d bytes of %s)", len(r.body), mediaType(r.header))
	}
	return nil
}
