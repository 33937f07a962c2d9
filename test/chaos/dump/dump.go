// Package dump is what is left of a run when all is quiet: what the streams hold,
// what the orgs have, every request they saw, what was published, done and
// logged. The checker reads nothing else, so that a run can be judged again, on
// another machine, by rules that did not exist when it was made.
package dump

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// Dump is one run.
type Dump struct {
	Seed uint64 `json:"seed"`
	// Command repeats the run.
	Command string `json:"command"`
	// Manual says that managed users were changed by hand.
	Manual bool      `json:"manual"`
	Began  time.Time `json:"began"`
	// Calm is when hostility was over.
	Calm time.Time `json:"calm"`
	// ProbeFrom and ProbeTo are when one person, one org and one group were in
	// trouble and nobody else.
	ProbeFrom time.Time `json:"probeFrom"`
	ProbeTo   time.Time `json:"probeTo"`
	// Restless says why it never became quiet; empty where it did.
	Restless string `json:"restless,omitempty"`
	People   []Person
	// Groups are the keys of the directory's groups.
	Groups []events.Key
	// Streams holds the messages of each stream, by sequence.
	Streams map[string][]Message `json:"streams"`
	// Consumers are how far everybody has read.
	Consumers []Consumer `json:"consumers"`
	// Heard is what was published while somebody listened: in the order of the
	// server, with what a batch that failed held, without what nobody heard while
	// the server was away.
	Heard []Message      `json:"heard"`
	Orgs  map[string]Org `json:"orgs"`
	// Said are the events that were acknowledged, Done what was done to the system.
	Said []Said `json:"said"`
	Done []Done `json:"done"`
	// Logs and Metrics are texts by the name of the process.
	Logs    map[string]string `json:"logs"`
	Metrics map[string]string `json:"metrics"`
	// Secrets are what may stand in no subject, log and metric, by what they are.
	Secrets map[string]string `json:"secrets"`
}

// Person is somebody of the plan.
type Person struct {
	Key                             events.Key
	Number, Given, Family, Username string
	// Trouble says that the person was kept in trouble in the calm, Steady that they
	// were changed meanwhile.
	Trouble, Steady bool
}

// Message is one of a stream, or one that was heard.
type Message struct {
	Subject string          `json:"subject"`
	Seq     uint64          `json:"seq,omitempty"`
	Time    time.Time       `json:"time"`
	Data    json.RawMessage `json:"data,omitempty"`
	// Raw is the body where it is no JSON.
	Raw []byte `json:"raw,omitempty"`
}

// NewMessage keeps a body as it is.
func NewMessage(subject string, seq uint64, at time.Time, body []byte) Message {
	m := Message{Subject: subject, Seq: seq, Time: at}
	if json.Valid(body) {
		m.Data = append(m.Data, body...)
	} else {
		m.Raw = append(m.Raw, body...)
	}
	return m
}

// Body is what was sent.
func (m Message) Body() []byte {
	if len(m.Raw) > 0 {
		return m.Raw
	}
	return m.Data
}

// Consumer is how far one has read.
type Consumer struct {
	Stream   string `json:"stream"`
	Name     string `json:"name"`
	AckFloor uint64 `json:"ackFloor"`
	Pending  uint64 `json:"pending"`
	InHand   int    `json:"inHand"`
}

// Org is one emulated org.
type Org struct {
	Users   []emulator.User         `json:"users"`
	Journal []emulator.JournalEntry `json:"journal"`
	// Before are users that were there first and belong to nobody, or to somebody
	// whose user is protected.
	Before []emulator.User `json:"before"`
	// Protected are numbers of people whose user is among them.
	Protected []string `json:"protected"`
	// Phones are unmanaged values that were set by hand, by username in
	// small letters.
	Phones map[string]string `json:"phones"`
}

// Said is one event that DIRECTORY acknowledged.
type Said struct {
	Seq     uint64 `json:"seq"`
	Subject string `json:"subject"`
	// What is the step of the plan.
	What string `json:"what"`
}

// Done is something that was done to the system, or by hand.
type Done struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
	// Org and Username are of a change by hand.
	Org      string `json:"org,omitempty"`
	Username string `json:"username,omitempty"`
	Fault    string `json:"fault,omitempty"`
}

// Write keeps a dump in a file.
func (d *Dump) Write(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the dump: %w", err)
	}
	z := gzip.NewWriter(f)
	err = json.NewEncoder(z).Encode(d)
	for _, c := range []func() error{z.Close, f.Close} {
		if cerr := c(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		return fmt.Errorf("write the dump: %w", err)
	}
	return nil
}

// Read reads what Write wrote.
func Read(path string) (*Dump, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the dump: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("read the dump: %w", err)
	}
	var d Dump
	if err := json.NewDecoder(z).Decode(&d); err != nil {
		return nil, fmt.Errorf("read the dump: %w", err)
	}
	return &d, nil
}
