package salesforce

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// maxComposite is how many subrequests one composite call takes. [D requests_composite]
const maxComposite = 25

// MaxCompositeQueries is how many queries or collections, together, one composite
// call takes. [D requests_composite]
const MaxCompositeQueries = 5

// SubRequest is one request inside a composite call.
type SubRequest struct {
	Method string
	// URL is relative to the version ("sobjects/User/005…", "query?q=…") or a
	// full path beginning with /services/data/.
	URL string
	// ReferenceID names the request for references like @{ref.id}; one is made
	// up when empty.
	ReferenceID string
	Body        any
}

// SubResponse is the answer to the SubRequest at the same index.
type SubResponse struct {
	ReferenceID string
	Status      int
	Body        json.RawMessage
	Headers     map[string]string
	// Err is nil for a status of 2xx, unless the body says failure all the same.
	Err *Error
}

// compositeSub is a subrequest on the wire.
type compositeSub struct {
	Method      string `json:"method"`
	URL         string `json:"url"`
	ReferenceID string `json:"referenceId"`
	Body        any    `json:"body,omitempty"`
}

// compositeAnswer is one element of the answer. [R camel, CumulusCI]
type compositeAnswer struct {
	Body        json.RawMessage   `json:"body"`
	HTTPHeaders map[string]string `json:"httpHeaders"`
	Status      int               `json:"httpStatusCode"`
	ReferenceID string            `json:"referenceId"`
}

// Composite sends up to 25 requests (5 of them queries or collections) in one
// API call. The responses come in the order of the requests. With allOrNone
// one failure rolls everything back, and the others' errors are Halted.
func (c *Client) Composite(ctx context.Context, reqs []SubRequest, allOrNone bool) ([]SubResponse, error) {
	subs, readOnly, err := c.compositeSubs(reqs)
	if err != nil {
		return nil, err
	}
	if len(subs) == 0 {
		return nil, nil
	}
	k := call{
		method: http.MethodPost, path: c.dataPath("composite"), readOnly: readOnly,
		body: map[string]any{"allOrNone": allOrNone, "compositeRequest": subs},
	}
	var answer struct {
		CompositeResponse []compositeAnswer `json:"compositeResponse"`
	}
	if err := c.doJSON(ctx, k, &answer); err != nil {
		return nil, err
	}
	return matchSubs(subs, answer.CompositeResponse, !readOnly)
}

// compositeSubs checks the requests and says whether all of them only read.
func (c *Client) compositeSubs(reqs []SubRequest) ([]compositeSub, bool, error) {
	if len(reqs) > maxComposite {
		return nil, false, programming("%d subrequests in a composite call; %d are allowed", len(reqs), maxComposite)
	}
	subs, readOnly, heavy := make([]compositeSub, len(reqs)), true, 0
	names := map[string]bool{}
	for i, r := range reqs {
		sub := compositeSub{Method: strings.ToUpper(r.Method), URL: r.URL, ReferenceID: r.ReferenceID, Body: r.Body}
		if !strings.HasPrefix(sub.URL, "/") {
			sub.URL = c.dataPath(sub.URL)
		}
		if !strings.HasPrefix(sub.URL, "/services/data/") {
			return nil, false, programming("subrequest %d: the URL is not one of the REST API", i)
		}
		if sub.ReferenceID == "" {
			sub.ReferenceID = "ref" + strconv.Itoa(i)
		}
		if names[sub.ReferenceID] {
			return nil, false, programming("subrequest %d: its reference id is taken", i)
		}
		names[sub.ReferenceID] = true
		if countsAsQuery(sub.URL) {
			heavy++
		}
		readOnly = readOnly && sub.Method == http.MethodGet
		subs[i] = sub
	}
	if heavy > MaxCompositeQueries {
		return nil, false, programming("%d queries or collections in a composite call; %d are allowed", heavy, MaxCompositeQueries)
	}
	return subs, readOnly, nil
}

func countsAsQuery(url string) bool {
	_, rest, _ := strings.Cut(strings.TrimPrefix(url, "/services/data/"), "/")
	return strings.HasPrefix(rest, "query") || strings.HasPrefix(rest, "composite/sobjects")
}

// matchSubs puts the answers into the order of the requests. One too many, too
// few or under another name means that none of them can be believed.
func matchSubs(subs []compositeSub, answers []compositeAnswer, mutating bool) ([]SubResponse, error) {
	if len(answers) != len(subs) {
		return nil, unreadable(http.StatusOK, mutating, "%d subrequests have %d answers", len(subs), len(answers))
	}
	byName := make(map[string]compositeAnswer, len(answers))
	for _, a := range answers {
		byName[a.ReferenceID] = a
	}
	out := make([]SubResponse, len(subs))
	for i, sub := range subs {
		a, ok := byName[sub.ReferenceID]
		if !ok || a.Status < 100 || a.Status > 599 {
			return nil, unreadable(http.StatusOK, mutating, "subrequest %d has no answer", i)
		}
		out[i] = SubResponse{ReferenceID: sub.ReferenceID, Status: a.Status, Body: a.Body, Headers: a.HTTPHeaders}
		if a.Status < 200 || a.Status > 299 {
			out[i].Err = subFailure(a, sub.Method != http.MethodGet)
		} else {
			out[i].Err = falseSuccess(a)
		}
	}
	return out, nil
}

// falseSuccess reads the verdict in the body of a 2xx, if it is the result of
// one record; lists of results are their reader's. [R amp-labs
// success-with-errors.json]
func falseSuccess(a compositeAnswer) *Error {
	var said struct{ Success *bool }
	_ = json.Unmarshal(a.Body, &said) // what is no object has no verdict
	if said.Success == nil || *said.Success {
		return nil
	}
	result, err := readResult(a.Body, a.Status)
	if e, ok := asError(err); ok {
		return e
	}
	return merge(result.Errors)
}

// subFailure reads the error of one subrequest. A 5xx inside a composite is as
// uncertain as outside of one.
func subFailure(a compositeAnswer, mutating bool) *Error {
	k := call{method: http.MethodPost, readOnly: !mutating}
	return failure(reply{status: a.Status, body: a.Body, header: http.Header{}}, k)
}
