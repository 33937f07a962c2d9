package assign

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// pure is as much of a service as needs no bus.
func pure(t testing.TB, edit ...func(*config.File)) *Service {
	t.Helper()
	f := rulestest.File(t)
	for _, e := range edit {
		e(&f)
	}
	cfg, err := ConfigFrom(f)
	if err != nil {
		t.Fatalf("config: %v", err)
	}
	return &Service{reader: cfg.reader, rules: cfg.rules}
}

func TestFaultsOfSourcesAndRulesAreListedTogether(t *testing.T) {
	t.Parallel()
	f := rulestest.File(t)
	f.Sources["odd"] = config.Source{Correlate: "shoeSize"}
	f.Precedence = map[string][]string{"titel": {"hr"}}
	f.Deployment.KeyFile = ""
	_, err := ConfigFrom(f)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"deployment.keyFile: is not set", `sources.odd.correlate: "shoeSize"`, `precedence: "titel" is not an attribute`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
	if err := CheckMappings(f); err == nil || strings.Contains(err.Error(), "keyFile") || !strings.Contains(err.Error(), "titel") {
		t.Errorf("away from its installation: %v", err)
	}
}

// BenchmarkPure is what assignment itself costs per event: decode, fold into
// the stored state, work out one org, encode. "change" has state stored
// already and changes a field.
func BenchmarkPure(b *testing.B) {
	s := pure(b)
	const people = 512
	for _, kind := range []string{"new", "change", "unchanged"} {
		b.Run(kind, func(b *testing.B) {
			stored := make([]map[string]bus.Entry, people)
			entries := make([]bus.Entry, people)
			for i := range people {
				stored[i] = map[string]bus.Entry{}
				entry := bus.Entry{Subject: events.DirectorySubject("hr", events.KindPerson), Seq: 1, Time: time.Unix(1, 0), Data: rulestest.Encoded(b, rulestest.Event(i))}
				if kind != "new" {
					for _, w := range buildOne(b, s, entry, stored[i]) {
						stored[i][w.Subject] = bus.Entry{Subject: w.Subject, Seq: 1, Data: w.Data}
					}
				}
				entry.Seq = 2
				if kind == "change" {
					entry.Data = rulestest.Encoded(b, rulestest.Event(i, func(e *events.Event) { e.Person.Title = "Lead" }))
				}
				entries[i] = entry
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				buildOne(b, s, entries[i%people], stored[i%people])
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func buildOne(b *testing.B, s *Service, entry bus.Entry, have map[string]bus.Entry) bus.Group {
	b.Helper()
	in, err := s.reader.read(entry)
	if err != nil {
		b.Fatal(err)
	}
	c := &change{key: in.key, context: context.Background()}
	in.context = c.context
	c.apply = func(state *events.PersonState) bool { return foldAll(c, state, []*incoming{in}) }
	group := s.unjudged(c, have)
	if c.err != nil || len(group) == 0 {
		b.Fatal("nothing was built", c.err)
	}
	return group
}
