package push_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/go-json-experiment/json"
)

// BenchmarkStep is the pusher's whole loop for changed people, from work to ack,
// without Salesforce: a transport that says yes at once.
func BenchmarkStep(b *testing.B) {
	r := newRig(b)
	people := crowd(b.N)
	yes := func(s *setup) { s.transport = &yes{} }
	w := r.start(yes)
	r.awaitOutcomes(r.want(people...))
	w.stop()
	for i := range people {
		people[i].Fields["Title"] = "Manager"
		people[i] = hashed(people[i])
	}
	revisions := r.want(people...)
	b.ResetTimer()
	w = r.start(yes)
	r.awaitOutcomes(revisions)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "people/s")
	b.ReportMetric(float64(w.APICalls()), "calls")
}

// yes answers every call with success.
type yes struct{ next int }

func (y *yes) RoundTrip(req *http.Request) (*http.Response, error) {
	var in struct {
		Records          []map[string]any `json:"records"`
		CompositeRequest []struct {
			ReferenceID string `json:"referenceId"`
			URL         string `json:"url"`
		} `json:"compositeRequest"`
	}
	if req.Body != nil {
		body, err := plainBody(req)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, err
		}
	}
	out := y.results(in.Records)
	if len(in.CompositeRequest) > 0 {
		out = y.names(len(in.CompositeRequest))
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(data)), Request: req}, nil
}
