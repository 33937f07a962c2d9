package events_test

import (
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

func BenchmarkDecodeEvent(b *testing.B) {
	body, err := events.EncodeEvent(sampleEvents()["person.upserted"])
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := events.DecodeEvent(personSubject, body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeEvent(b *testing.B) {
	e := sampleEvents()["person.upserted"]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := events.EncodeEvent(e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHashDesired(b *testing.B) {
	d := sampleDesired()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := events.HashDesired(d); err != nil {
			b.Fatal(err)
		}
	}
}
