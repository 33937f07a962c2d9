package events_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// TestExamplesOfTheGuide reads every example of docs/events.md as it would be
// read on arrival.
func TestExamplesOfTheGuide(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(guide, -1)
	withSubject := regexp.MustCompile("(?s)Subject: `([^`]+)`\n\n```json\n(.*?)```").FindAllSubmatch(guide, -1)
	if len(all) == 0 || len(all) != len(withSubject) {
		t.Fatalf("%d examples, %d with a subject", len(all), len(withSubject))
	}
	c := compiler(t)
	seen := map[string]bool{}
	for _, example := range withSubject {
		e, err := events.DecodeEvent(string(example[1]), example[2])
		if err != nil {
			t.Errorf("%v in:\n%s", err, example[2])
			continue
		}
		seen[e.Type] = true
		if !valid(t, c, string(example[2])) {
			t.Errorf("the schema refuses:\n%s", example[2])
		}
	}
	for _, eventType := range events.EventTypes() {
		if !seen[eventType] {
			t.Errorf("the guide shows no %s", eventType)
		}
	}
}
