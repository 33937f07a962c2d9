package push_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// BenchmarkStep is the pusher's whole loop, from work to ack, without
// Salesforce: a transport that says yes at once.
func BenchmarkStep(b *testing.B) {
	r := newRig(b)
	const n = 1000
	people := crowd(n)
	w := r.start(func(s *setup) { s.transport = &yes{} })
	r.settled(r.want(people...))
	b.ResetTimer()
	done := 0
	for round := 0; done < b.N; round++ {
		for i := range people {
			people[i].Fields["Title"] = round
			people[i] = hashed(people[i])
		}
		b.StopTimer()
		groups := make([]bus.Group, n)
		for i, d := range people {
			groups[i] = bus.Group{
				{Subject: events.DesiredSubject(orgName, d.Key), Data: encode(b, d)},
				{Subject: events.WorkSubject(orgName, events.LaneChange, d.Key), Data: encode(b, events.Work{V: 1, Reason: events.ReasonChanged})},
			}
		}
		b.StartTimer()
		seqs, err := r.bus.Commit(b.Context(), events.StreamRoster, groups)
		if err != nil {
			b.Fatal(err)
		}
		revisions := map[events.Key]uint64{}
		for i, d := range people {
			revisions[d.Key] = seqs[i].Seqs[0]
		}
		r.settled(revisions)
		done += n
	}
	b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "people/s")
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
	var out any = []any{}
	if len(in.CompositeRequest) > 0 {
		out = y.names(len(in.CompositeRequest))
	} else {
		out = y.results(in.Records)
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(data)), Request: req}, nil
}
