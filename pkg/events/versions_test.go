package events_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// oldGolden reads what a program of an older version stored.
func oldGolden[P events.Payload](t *testing.T, name string) P {
	t.Helper()
	stored := goldenFile(t, filepath.Join("testdata", "golden", name+".json"), nil)
	p, err := events.Decode[P](stored)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is read as\n%+v\nwant\n%+v", what, got, want)
	}
}

// TestVersionOneIsReadAsItsMeaning: the files of version 1 were written by the
// program that knew no other, and are never written anew.
func TestVersionOneIsReadAsItsMeaning(t *testing.T) {
	t.Parallel()
	desired := sampleDesired() // version 1 sought nobody
	desired.Problem.Asks = nil // nor asked anybody
	desired.Sought, desired.Held, desired.Was = false, nil, nil
	same(t, "desired", oldGolden[events.Desired](t, "desired.v1"), desired)
	desired.Sought = true // version 2 held nothing
	same(t, "desired", oldGolden[events.Desired](t, "desired.v2"), desired)
	link := sampleLink() // version 1 had no word for a doubt that ends
	link.UnsureUntil, link.SentUsername, link.FreezeLost, link.Moved, link.Allowed = time.Time{}, "", false, nil, nil
	link.Seen, link.Drift = time.Time{}, nil // nor read what Salesforce has
	same(t, "link", oldGolden[events.Link](t, "link.v1"), link)

	same(t, "person", oldGolden[events.PersonState](t, "person_state.v1"), events.PersonState{
		V: 2, Key: sampleKey, CorrelationID: "1001",
		Sources: map[string]events.SourceState{
			"hr": {Origin: sampleOrigin(), SourceVersion: "42", Removed: true, Person: samplePerson(), Series: &events.Removal{Origin: sampleOrigin(), SourceVersion: "42"}},
		},
		Groups: map[events.Key]events.Membership{sampleGroupKey: {Source: "directory", Name: "Sales", Left: true}},
	})
	same(t, "group", oldGolden[events.GroupState](t, "group_state.v1"), events.GroupState{
		V: 2, Key: sampleGroupKey, Source: "directory", Origin: sampleOrigin(), SourceVersion: "7", Removed: true,
		Group: sampleGroup(), Series: &events.Removal{Origin: sampleOrigin(), SourceVersion: "7"},
	})
}

func TestVersionOneSaidInTheAttributesWhoIsActive(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]events.Activity{
		`"person":{"title":"A","active":false}`: {{Position: events.Position{Seq: 5, SourceVersion: "3"}}},
		`"person":{"title":"A","active":true}`:  {{Position: events.Position{Seq: 5, SourceVersion: "3"}, Active: true}},
		`"person":{"title":"A"}`:                nil,
	} {
		p, err := events.Decode[events.PersonState]([]byte(
			`{"v":1,"key":"k","sources":{"hr":{"origin":{"eventId":"e","source":"hr","seq":5,"time":"2026-03-02T09:00:00Z"},"sourceVersion":"3",` + body + `}}}`))
		if err != nil {
			t.Fatal(err)
		}
		s := p.Sources["hr"]
		if !reflect.DeepEqual(s.Active, want) || s.Person.Active != nil || s.Person.Title != "A" || s.Series != nil {
			t.Errorf("%s is read as %+v, active %+v", body, s, s.Active)
		}
	}
}

func TestEncodeSetsTheVersion(t *testing.T) {
	t.Parallel()
	for _, v := range []int{0, 1, 7} {
		data, err := events.Encode(events.Link{V: v, Org: "production", Key: sampleKey})
		if err != nil {
			t.Fatal(err)
		}
		if back, err := events.Decode[events.Link](data); err != nil || back.V != 2 {
			t.Errorf("V %d was written as %s (%v)", v, data, err)
		}
	}
}

// TestANewerVersionIsNotAFault: whoever meets one has to tell it from rubbish,
// and puts it back.
func TestANewerVersionIsNotAFault(t *testing.T) {
	t.Parallel()
	_, err := events.Decode[events.PersonState]([]byte(`{"v":3,"key":"k","future":{"a":1}}`))
	if !errors.Is(err, events.ErrNewer) || !strings.Contains(err.Error(), "version 3, this program reads versions 1 to 2") {
		t.Errorf("got %v", err)
	}
	for _, body := range []string{`{"v":0}`, `{"v":-1}`, `{}`, `{`} {
		if _, err := events.Decode[events.PersonState]([]byte(body)); err == nil || errors.Is(err, events.ErrNewer) {
			t.Errorf("%s: got %v", body, err)
		}
	}
}

func TestEveryPayloadHasItsVersions(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("codec.go")
	if err != nil {
		t.Fatal(err)
	}
	union := regexp.MustCompile(`(?s)type Payload interface \{(.*?)\}`).FindSubmatch(source)
	listed := map[string]int{}
	for _, p := range events.PayloadVersions() {
		listed[p.Payload] = p.Written
		if p.Oldest != 1 {
			t.Errorf("%s is read from version %d on", p.Payload, p.Oldest)
		}
	}
	names := regexp.MustCompile(`\w+`).FindAllString(string(union[1]), -1)
	for _, name := range names {
		if listed[name] < 1 {
			t.Errorf("%s has no version", name)
		}
	}
	if len(names) != len(listed) {
		t.Errorf("%d payloads, %d with a version", len(names), len(listed))
	}
	for name, want := range map[string]int{"PersonState": 2, "GroupState": 2, "Desired": 3, "Link": 2} {
		if listed[name] != want {
			t.Errorf("%s is written in version %d", name, listed[name])
		}
	}
}
