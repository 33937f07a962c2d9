package publish

import (
	"crypto/rand"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/rollcall/hrimport"
)

// batchRoom is what the batch takes in an event.
const batchRoom = 80

// Batch is what the events of one publication say of it: how many they are, so
// that they can be judged together before all of them are there.
type Batch struct {
	ID   string `json:"id"`
	Size int    `json:"size"`
}

func newBatch(size int) Batch { return Batch{ID: rand.Text(), Size: size} }

// stamp writes the batch into an event, whose bytes stay as they are otherwise:
// it may have extensions that this program does not know. An event that speaks
// of a batch of its own keeps it.
func (b Batch) stamp(event []byte) ([]byte, error) {
	var own struct {
		ID   jsontext.Value `json:"batchid"`
		Size jsontext.Value `json:"batchsize"`
	}
	if err := json.Unmarshal(event, &own); err != nil {
		return nil, fmt.Errorf("read event: %w", err)
	}
	if own.ID != nil || own.Size != nil {
		return event, nil
	}
	i := 0
	for event[i] != '{' { // blanks may stand before it
		i++
	}
	out := make([]byte, 0, len(event)+batchRoom)
	out = append(out, event[:i+1]...)
	out = append(out, `"batchid":"`+b.ID+`","batchsize":`+strconv.Itoa(b.Size)+`,`...)
	return append(out, event[i+1:]...), nil
}

// tooLong says that an event is more than a message takes.
func tooLong(row hrimport.Row) error {
	const most = events.MaxEventBytes - headerRoom - batchRoom
	if len(row.Data) <= most {
		return nil
	}
	return fmt.Errorf("the event is %d bytes, the limit is %d", len(row.Data), most)
}

// Survey reads an export to its end, calls each for every row, and goes back to
// where it began. It returns how many events there are to be published.
func Survey(read Reader, r io.ReadSeeker, each func(hrimport.Row) error) (int, error) {
	start, err := r.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, fmt.Errorf("find the beginning of the file: %w", err)
	}
	usable := 0
	_, err = read(r, func(row hrimport.Row) error {
		if row.Event != nil && len(row.Problems) == 0 && tooLong(row) == nil {
			usable++
		}
		return each(row)
	})
	if err != nil {
		return 0, err
	}
	if _, err := r.Seek(start, io.SeekStart); err != nil {
		return 0, fmt.Errorf("go back to the beginning of the file: %w", err)
	}
	return usable, nil
}

// Made reads events that stand in no file, one a line as it were.
func Made(source string, made []*events.Event) Reader {
	return func(_ io.Reader, each func(hrimport.Row) error) (hrimport.Summary, error) {
		for i, e := range made {
			data, err := events.EncodeEvent(e)
			if err != nil {
				return hrimport.Summary{}, fmt.Errorf("event %d: %w", i+1, err)
			}
			if err := each(hrimport.Row{Line: i + 1, Event: e, Data: data, Subject: events.DirectorySubject(source, events.Kind(e.Type))}); err != nil {
				return hrimport.Summary{}, err
			}
		}
		return hrimport.Summary{Rows: len(made), Events: len(made)}, nil
	}
}
