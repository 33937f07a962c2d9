package salesforce

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// Limits of one collection call. [D, R jsforce live]
const (
	maxCollection = 200
	maxTypeRuns   = 10
)

// CreateRecords creates records of one object, 200 to an API call. The results
// are in the order of the records, one each, and each has its own verdict.
//
// When a call fails, the results of the calls before it are returned with the
// error: records from len(results) on have no verdict. The error's Outcome
// speaks of the 200 that were under way; those after them were not sent.
func (c *Client) CreateRecords(ctx context.Context, object string, records []Record) ([]Result, error) {
	return c.collection(ctx, http.MethodPost, withType(object, records), expectNewIDs)
}

// UpdateRecords updates records of one object; each needs its Id. Results and
// errors are those of CreateRecords.
func (c *Client) UpdateRecords(ctx context.Context, object string, records []Record) ([]Result, error) {
	for i, r := range records {
		if r.ID() == "" {
			return nil, programming("record %d to update has no Id", i)
		}
	}
	return c.collection(ctx, http.MethodPatch, withType(object, records), expectSameIDs)
}

// CreateMixed creates records that say their object themselves, in
// "attributes": {"type": …}. A call holds at most ten runs of one object; mind
// that setup objects (User, GroupMember…) and others cannot share a call.
func (c *Client) CreateMixed(ctx context.Context, records []Record) ([]Result, error) {
	typed := make([]map[string]any, len(records))
	for i, r := range records {
		object := r.Type()
		if object == "" {
			return nil, programming("record %d to create does not say its object in attributes.type", i)
		}
		typed[i] = r.typed(object)
	}
	return c.collection(ctx, http.MethodPost, typed, expectNewIDs)
}

// DeleteRecords deletes records of any object by id. Results and errors are
// those of CreateRecords.
func (c *Client) DeleteRecords(ctx context.Context, ids []string) ([]Result, error) {
	for i, id := range ids {
		if !idLike.MatchString(id) || len(id) > 18 {
			return nil, programming("record %d to delete has no valid id", i)
		}
	}
	var all []Result
	for start := 0; start < len(ids); start += maxCollection {
		chunk := ids[start:min(start+maxCollection, len(ids))]
		query := url.Values{"ids": {strings.Join(chunk, ",")}, "allOrNone": {"false"}}
		k := call{method: http.MethodDelete, path: c.dataPath("composite/sobjects"), query: query}
		results, err := c.results(ctx, k, len(chunk), func(i int, r Result) error { return sameRecord(i, r, chunk[i]) })
		if err != nil {
			return all, err
		}
		all = append(all, results...)
	}
	return all, nil
}

func withType(object string, records []Record) []map[string]any {
	typed := make([]map[string]any, len(records))
	for i, r := range records {
		typed[i] = r.typed(object)
	}
	return typed
}

// expectation checks one result against what was sent; an error means that the
// answer as a whole cannot be believed.
type expectation func(sent []map[string]any) func(i int, r Result) error

// expectNewIDs: no two records can have been created under one id, but for one
// membership sent twice: the second is answered with the first. [D]
func expectNewIDs(sent []map[string]any) func(int, Result) error {
	seen := map[string]int{}
	return func(i int, r Result) error {
		if !r.Success {
			return nil
		}
		if first, twice := seen[r.ID]; twice && !sameMembership(sent[first], sent[i]) {
			return unreadable(http.StatusOK, true, "result %d has the id of another result", i)
		}
		seen[r.ID] = i
		return nil
	}
}

func sameMembership(a, b Record) bool {
	return strings.EqualFold(a.Type(), "GroupMember") && strings.EqualFold(b.Type(), "GroupMember") &&
		a.String("GroupId") == b.String("GroupId") && a.String("UserOrGroupId") == b.String("UserOrGroupId")
}

// expectSameIDs: a result under another id is a result in another order.
func expectSameIDs(sent []map[string]any) func(int, Result) error {
	return func(i int, r Result) error { return sameRecord(i, r, Record(sent[i]).ID()) }
}

func sameRecord(i int, r Result, want string) error {
	if r.ID != "" && !sameID(r.ID, want) {
		return unreadable(http.StatusOK, true, "result %d is about another record than was sent", i)
	}
	return nil
}

// collection sends the records in chunks, one API call each.
func (c *Client) collection(ctx context.Context, method string, records []map[string]any, expect expectation) ([]Result, error) {
	var all []Result
	for len(records) > 0 {
		n := chunkSize(records)
		k := call{
			method: method, path: c.dataPath("composite/sobjects"),
			body: map[string]any{"allOrNone": false, "records": records[:n]},
		}
		results, err := c.results(ctx, k, n, expect(records[:n]))
		if err != nil {
			return all, err
		}
		all = append(all, results...)
		records = records[n:]
	}
	return all, nil
}

// chunkSize is how many of the records fit into one call.
func chunkSize(records []map[string]any) int {
	runs, last := 0, ""
	for i, r := range records {
		object := Record(r).Type()
		if !strings.EqualFold(object, last) {
			runs, last = runs+1, object
		}
		if i >= maxCollection || runs > maxTypeRuns {
			return i
		}
	}
	return len(records)
}

// wireResult is one element of a collection's answer. [R amp-labs] Success is a
// pointer because an element without it is no verdict.
type wireResult struct {
	ID      string     `json:"id"`
	Success *bool      `json:"success"`
	Created bool       `json:"created"`
	Errors  []apiError `json:"errors"`
}

// results sends a collection call and judges its answer.
func (c *Client) results(ctx context.Context, k call, want int, expect func(int, Result) error) ([]Result, error) {
	r, err := c.do(ctx, k)
	if err != nil {
		return nil, err
	}
	return readResults(r, want, expect)
}

// readResults takes an answer for what it is only when it has one verdict per
// record: a list of another length tells nothing about any of them.
func readResults(r reply, want int, expect func(int, Result) error) ([]Result, error) {
	var list []json.RawMessage
	if err := decode(r.body, &list); err != nil {
		return nil, unreadable(r.status, true, "the answer is not a list of results (%d bytes of %s)", len(r.body), mediaType(r.header))
	}
	if len(list) != want {
		return nil, unreadable(r.status, true, "%d records have %d results", want, len(list))
	}
	results := make([]Result, want)
	for i, element := range list {
		result, err := readResult(element, r.status)
		if err != nil {
			return nil, err
		}
		if err := expect(i, result); err != nil {
			return nil, err
		}
		results[i] = result
	}
	return results, nil
}

// readResult judges one element. A success must say so and name its record;
// with errors beside it, or without an id, it is not taken for one.
func readResult(element []byte, status int) (Result, error) {
	var w wireResult
	if err := decode(element, &w); err != nil || w.Success == nil {
		return Result{}, unreadable(status, true, "a result without a verdict")
	}
	result := Result{ID: w.ID, Success: *w.Success, Created: w.Created}
	for _, a := range w.Errors {
		result.Errors = append(result.Errors, classify(refusal{code: a.code(), message: a.Message, fields: a.Fields}))
	}
	switch {
	case result.Success && (len(result.Errors) > 0 || !plausibleID(result.ID)):
		result.Success = false
		result.Errors = append(result.Errors, &Error{Code: CodeUnreadable, Outcome: MaybeApplied,
			Message: "a success with errors or without an id"})
	case !result.Success && len(result.Errors) == 0:
		result.Errors = []*Error{{Code: CodeUnreadable, Outcome: NotApplied, Message: "a failure without an error"}}
	}
	return result, nil
}

func plausibleID(id string) bool {
	return (len(id) == 15 || len(id) == 18) && idLike.MatchString(id)
}
