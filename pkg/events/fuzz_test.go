package events_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// FuzzDecodeEvent: nothing panics, and what is accepted can be written and read
// again without a change, and is what the schemas allow. (A first writing may drop what says nothing: an empty
// list, a null, a foreign extension.)
func FuzzDecodeEvent(f *testing.F) {
	for _, c := range append(goodEvents(), badEvents()...) {
		if len(c.body) < 4096 {
			f.Add(c.subjectOr(), []byte(c.body))
		}
	}
	c := compiler(f)
	f.Fuzz(func(t *testing.T, subject string, body []byte) {
		first, err := events.DecodeEvent(subject, body)
		if err != nil {
			return
		}
		if !schemaAllows(t, c, first.Type, body) {
			t.Fatalf("accepted, but not by the schema:\n%s", body)
		}
		written, err := events.EncodeEvent(first)
		if err != nil {
			t.Fatalf("accepted, but cannot be written: %v", err)
		}
		second, err := events.DecodeEvent(subject, written)
		if err != nil {
			t.Fatalf("accepted, but not when written again: %v\n%s", err, written)
		}
		again, err := events.EncodeEvent(second)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(written, again) {
			t.Fatalf("changes with every writing:\n%s\n%s", written, again)
		}
		third, err := events.DecodeEvent(subject, again)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(second, third) {
			t.Fatalf("decoded:\n%+v\nand again:\n%+v", second, third)
		}
	})
}
