package bus_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
)

const benchBatch = 200

// BenchmarkHop is one raw durable hop: fetch 200, store 200 in one atomic
// batch, ack 200. It is what every service's step is measured against.
func BenchmarkHop(b *testing.B) {
	srv := bustest.Start(b, topo)
	for _, conn := range []struct {
		name string
		bus  *bus.Bus
	}{{"tcp", srv.Bus(b)}, {"in-process", srv.InProcess(b)}} {
		b.Run(conn.name, func(b *testing.B) { benchHop(b, conn.bus) })
	}
}

func benchHop(b *testing.B, conn *bus.Bus) {
	b.Helper()
	ctx := context.Background()
	body := bytes.Repeat([]byte("x"), 300)
	fill(b, conn, body, b.N)
	feed, err := conn.Feed(ctx, events.StreamDirectory, events.ConsumerAssignment, 2*benchBatch)
	if err != nil {
		b.Fatal(err)
	}
	defer feed.Close()
	b.ResetTimer()
	for done := 0; done < b.N; {
		msgs, err := feed.Next(ctx, benchBatch, 0)
		if err != nil {
			b.Fatal(err)
		}
		groups := make([]bus.Group, len(msgs))
		for i := range msgs {
			groups[i] = bus.Group{{Subject: person(done + i), Data: body}}
		}
		if _, err := conn.Commit(ctx, events.StreamRoster, groups); err != nil {
			b.Fatal(err)
		}
		for _, m := range msgs {
			if err := m.Ack(); err != nil {
				b.Fatal(err)
			}
		}
		done += len(msgs)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
}

func fill(b *testing.B, conn *bus.Bus, body []byte, n int) {
	b.Helper()
	for start := 0; start < n; start += 1000 {
		var groups []bus.Group
		for i := start; i < min(start+1000, n); i++ {
			groups = append(groups, bus.Group{{Subject: events.DirectorySubject("hr", "person"), Data: body}})
		}
		if _, err := conn.Commit(context.Background(), events.StreamDirectory, groups); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLatest reads 400 subjects of 100,000 in one request.
func BenchmarkLatest(b *testing.B) {
	conn := bustest.Start(b, topo).Bus(b)
	for start := 0; start < 100_000; start += 1000 {
		var groups []bus.Group
		for i := start; i < start+1000; i++ {
			groups = append(groups, bus.Group{{Subject: person(i), Data: bytes.Repeat([]byte("x"), 500)}})
		}
		if _, err := conn.Commit(context.Background(), events.StreamRoster, groups); err != nil {
			b.Fatal(err)
		}
	}
	n := 0
	for b.Loop() {
		subjects := make([]string, 400)
		for i := range subjects {
			subjects[i] = person((n*400 + i*7919) % 100_000)
		}
		got, err := conn.Latest(context.Background(), events.StreamRoster, subjects)
		if err != nil || len(got) == 0 {
			b.Fatal(fmt.Sprint(len(got), err))
		}
		n++
	}
	b.ReportMetric(float64(400*n)/b.Elapsed().Seconds(), "subjects/s")
}

// BenchmarkCommit stores 200 people's state by compare-and-set in one batch,
// each with a piece of work, as a step of assignment or of the pusher does.
func BenchmarkCommit(b *testing.B) {
	conn := bustest.Start(b, topo).Bus(b)
	body := bytes.Repeat([]byte("x"), 300)
	last := make([]uint64, benchBatch)
	n := 0
	for b.Loop() {
		groups := make([]bus.Group, benchBatch)
		for i := range groups {
			groups[i] = bus.Group{
				{Subject: person(i), Data: body, Guarded: true, LastSeq: last[i]},
				{Subject: events.WorkSubject("acme", events.LaneChange, events.Key(fmt.Sprint("k", i))), Data: body},
			}
		}
		done, err := conn.Commit(context.Background(), events.StreamRoster, groups)
		if err != nil {
			b.Fatal(err)
		}
		for i, d := range done {
			if d.Err != nil {
				b.Fatal(d.Err)
			}
			last[i] = d.Seqs[0]
		}
		n++
	}
	b.ReportMetric(float64(benchBatch*n)/b.Elapsed().Seconds(), "people/s")
}
