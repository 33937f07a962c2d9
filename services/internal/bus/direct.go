package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// answerBytes bounds one answer, which has to come in the time of one request.
// The server's own bound, 64 MiB, is what makes it take a client for too slow,
// and hang up.
const answerBytes = 4 << 20

// errCut says that an answer is not whole: people who are missing in it must
// not look like people who do not exist.
var errCut = errors.New("the answer is not whole")

// question asks a stream for messages by direct get.
type question struct {
	Seq      uint64   `json:"seq,omitempty"`
	NextFor  string   `json:"next_by_subj,omitempty"`
	Batch    int      `json:"batch,omitempty"`
	MultiFor []string `json:"multi_last,omitempty"`
	MaxBytes int      `json:"max_bytes,omitempty"`
}

// answer is all of what one question was answered.
type answer struct {
	entries []Entry
	// pending is how many more match, and did not fit.
	pending uint64
	// upTo is the last sequence of the replica that answered a multi-get; 0 where
	// nothing matches.
	upTo uint64
}

// direct asks, and returns all of the answer or an error. Every message of an
// answer names the one before it, and the end names the last and how many more
// there are: whatever is missing is noticed. (The client's extension hides the
// end, and an error after the first message it takes for the end.)
func (b *Bus) direct(ctx context.Context, stream string, q question) (answer, error) {
	q.MaxBytes = answerBytes
	body, err := json.Marshal(q)
	if err != nil {
		return answer{}, fmt.Errorf("encode question: %w", err)
	}
	// Not one of the inboxes for single replies: their subscription would have
	// the server send every message twice.
	inbox := b.nc.NewInbox()
	sub, err := b.nc.SubscribeSync(inbox)
	if err != nil {
		return answer{}, fmt.Errorf("subscribe to the answer: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := b.nc.PublishMsg(&nats.Msg{Subject: "$JS.API.DIRECT.GET." + stream, Reply: inbox, Data: body}); err != nil {
		return answer{}, fmt.Errorf("ask: %w", err)
	}
	var a answer
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return answer{}, fmt.Errorf("%d messages came, and no end: %w", len(a.entries), err)
		}
		if end, err := a.take(m, q.none()); end || err != nil {
			return a, err
		}
	}
}

const (
	statusHeader  = "Status"
	reasonHeader  = "Description"
	pendingHeader = "Nats-Num-Pending"
	upToHeader    = "Nats-UpTo-Sequence"

	statusEnd    = "204"
	statusNone   = "404"
	statusNobody = "503"
)

// none is the reason of a 404 that says that nothing matches. Of a multi-get
// there is another, for a message that is there and cannot be read.
func (q question) none() string {
	if len(q.MultiFor) > 0 {
		return "No Results"
	}
	return "Message Not Found"
}

// take takes one message in; end says that it was the last.
func (a *answer) take(m *nats.Msg, none string) (end bool, err error) {
	if !ofStream(m) {
		switch status := m.Header.Get(statusHeader); {
		case status == statusNone && len(a.entries) == 0 && m.Header.Get(reasonHeader) == none:
			return true, nil
		case status == statusNobody:
			return false, nats.ErrNoResponders
		case status != statusEnd:
			return false, fmt.Errorf("%w: %s %s after %d messages", errCut, status, m.Header.Get(reasonHeader), len(a.entries))
		}
		end = true
	}
	var before, last uint64
	if err := errors.Join(number(m, jetstream.LastSequenceHeader, &before), number(m, pendingHeader, &a.pending)); err != nil {
		return false, err
	}
	if n := len(a.entries); n > 0 {
		last = a.entries[n-1].Seq
	}
	switch {
	case before != last:
		return false, fmt.Errorf("%w: of the message after %d", errCut, last)
	case end:
		_ = number(m, upToHeader, &a.upTo) // only in the end of a multi-get
		return true, nil
	}
	e, err := entry(m)
	a.entries = append(a.entries, e)
	return false, err
}

// ofStream says that this is a stored message and not a word of the server's:
// its headers are the publisher's, who may have set any.
func ofStream(m *nats.Msg) bool { return said(m, jetstream.StreamHeader) != "" }

// entry reads a message as direct get hands it out.
func entry(m *nats.Msg) (Entry, error) {
	e := Entry{Subject: said(m, jetstream.SubjectHeader), Data: m.Data, Header: Header(m.Header)}
	if err := number(m, jetstream.SequenceHeader, &e.Seq); err != nil {
		return Entry{}, err
	}
	var err error
	if e.Time, err = time.Parse(time.RFC3339Nano, said(m, jetstream.TimeStampHeaer)); err != nil {
		return Entry{}, errors.New("an answer without a time")
	}
	return e, nil
}

// said is what the server says in a header. It adds its own after those of the
// publisher, who may have set one of the same name.
func said(m *nats.Msg, header string) string {
	all := m.Header[header]
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

func number(m *nats.Msg, header string, to *uint64) error {
	n, err := strconv.ParseUint(said(m, header), 10, 64)
	if err != nil {
		return fmt.Errorf("an answer without %s", header)
	}
	*to = n
	return nil
}
