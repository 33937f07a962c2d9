package publish_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/rollcall/hrimport"
	"github.com/rollcall-sync/rollcall/services/rollcall/publish"
)

func newTelemetry(t *testing.T) *telemetry.Telemetry {
	t.Helper()
	tel, err := telemetry.New(t.Context(), "test", "test", config.Log{Level: "error", Format: "text"}, telemetry.WithLogWriter(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tel.Shutdown(t.Context()) })
	return tel
}

func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"specversion":"1.0","id":"%d","source":"urn:hr","type":%q,"data":{"userName":"p%d"}}`+"\n", i, events.TypePersonUpserted, i)
	}
	return b.String()
}

func inDirectory(t *testing.T, b *bus.Bus) []bus.Entry {
	t.Helper()
	var out []bus.Entry
	if err := b.Scan(t.Context(), events.StreamDirectory, events.DirectoryAll, 1, func(e bus.Entry) error {
		out = append(out, e)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// An answer that got lost has the same events sent again: each is stored once,
// and counts as published, for it was.
func TestPublishStoresOnceWhatItSendsTwice(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{})
	w := s.Wire(t)
	b, err := bus.Connect(t.Context(), bus.Options{URL: w.URL(), Name: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	stored := 0
	for _, n := range []int{1, 7} {
		lost := w.Lose(1, func(f bustest.Frame) bool { return !f.ToServer && strings.HasPrefix(f.Data, `{"stream":"DIRECTORY"`) })
		got, err := publish.New(b, newTelemetry(t), nil).Publish(t.Context(), publish.Lines("hr", nil), strings.NewReader(lines(n)))
		if lost.Met() != 1 {
			t.Fatal("no answer was lost")
		}
		stored += n
		if err != nil || got.Published != n || got.Duplicate != 0 || len(inDirectory(t, b)) != stored {
			t.Errorf("%d events: %+v, %v, and %d are stored, want %d", n, got, err, len(inDirectory(t, b)), stored)
		}
	}
}

// What the stream did not take is not published, and is named.
func TestPublishCountsWhatTheStreamDidNotTake(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{})
	b := s.Bus(t)
	// After the first events are stored, somebody who can read them takes the id
	// of one that is to come.
	const first = 500
	read := func(r io.Reader, each func(hrimport.Row) error) (hrimport.Summary, error) {
		return publish.Lines("hr", nil)(r, func(row hrimport.Row) error {
			if row.Line == first+1 && len(inDirectory(t, b)) > 0 {
				take(t, s, strings.Replace(inDirectory(t, b)[0].Header["Nats-Msg-Id"][0], "/1", fmt.Sprint("/", first+2), 1))
			}
			return each(row)
		})
	}
	got, err := publish.New(b, newTelemetry(t), nil).Publish(t.Context(), read, strings.NewReader(lines(first+3)))
	if err != nil || got.Rows != first+3 || got.Published != first+2 || got.Duplicate != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if len(got.Problems) != 1 || got.Problems[0].Line != first+2 || !strings.Contains(got.Problems[0].Reason, "was not stored") {
		t.Errorf("problems: %+v", got.Problems)
	}
	if n := len(inDirectory(t, b)); n != got.Published+1 {
		t.Errorf("%d are stored, %d are said to be published and one is not ours", n, got.Published)
	}
}

// take has the stream store another event under a message id.
func take(t *testing.T, s *bustest.Server, id string) {
	t.Helper()
	nc, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), events.DirectorySubject("other", "person"), []byte("{}"), jetstream.WithMsgID(id)); err != nil {
		t.Fatal(err)
	}
}

// Every event says how many there are: those that cannot be used are none. What
// its sender wrote is not touched, and a batch of the sender's own is kept.
func TestPublishSaysHowLargeTheBatchIs(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{})
	b := s.Bus(t)
	foreign := `{"specversion":"1.0","id":"x","comexampleshard":7,"source":"urn:hr","type":"` + events.TypePersonUpserted + `","data":{"userName":"x"}}` + "\n"
	own := strings.Replace(foreign, `"comexampleshard":7`, `"batchid":"theirs","batchsize":9`, 1)
	got, err := publish.New(b, newTelemetry(t), nil).Publish(t.Context(), publish.Lines("hr", nil), strings.NewReader(lines(3)+"{}\n\n  "+foreign+own))
	if err != nil || got.Published != 5 || got.Batch.Size != 5 || len(got.Batch.ID) < 20 {
		t.Fatalf("%+v, %v", got, err)
	}
	for i, e := range inDirectory(t, b) {
		read, err := events.DecodeEvent(e.Subject, e.Data)
		if err != nil {
			t.Fatal(err)
		}
		want := got.Batch
		if i == 4 {
			want = publish.Batch{ID: "theirs", Size: 9}
		}
		if read.BatchID != want.ID || read.BatchSize != want.Size {
			t.Errorf("event %d says %s, %d, want %+v", i, read.BatchID, read.BatchSize, want)
		}
		if i == 3 && !strings.HasSuffix(string(e.Data), strings.TrimSpace(foreign)[1:]) {
			t.Errorf("the event is not as its sender wrote it: %s", e.Data)
		}
	}
	again, err := publish.New(b, newTelemetry(t), nil).Publish(t.Context(), publish.Lines("hr", nil), strings.NewReader(lines(1)))
	if err != nil || again.Batch.ID == got.Batch.ID {
		t.Errorf("a second publication is batch %+v, as the first: %v", again.Batch, err)
	}
}

// growing is a file to which somebody still writes.
type growing struct{ *strings.Reader }

func (g *growing) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekStart {
		g.Reader = strings.NewReader(lines(3))
	}
	return g.Reader.Seek(offset, whence)
}

func TestPublishNoticesThatTheFileIsStillWritten(t *testing.T) {
	t.Parallel()
	b := bustest.Start(t, bus.Topology{}).Bus(t)
	_, err := publish.New(b, newTelemetry(t), nil).Publish(t.Context(), publish.Lines("hr", nil), &growing{Reader: strings.NewReader(lines(2))})
	if err == nil || !strings.Contains(err.Error(), "changed while it was read: 2 rows were usable, then 3") {
		t.Errorf("got %v", err)
	}
}
