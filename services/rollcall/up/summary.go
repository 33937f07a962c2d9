package up

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// Summary is what a run has done.
type Summary struct {
	// People are all persons known, whoever they were first heard from.
	People int `json:"people"`
	// Created, Updated and Deactivated count users, in this run.
	Created     uint64 `json:"created"`
	Updated     uint64 `json:"updated"`
	Deactivated uint64 `json:"deactivated"`
	// Parked counts dead letters by cause, from earlier runs too.
	Parked map[events.Cause]int `json:"parked"`
	// APICalls counts the pusher's calls to Salesforce in this run.
	APICalls uint64  `json:"apiCalls"`
	Seconds  float64 `json:"seconds"`
}

func summarise(t tally, people int, parked map[events.Cause]int, calls uint64, took time.Duration) Summary {
	return Summary{
		People: people, Created: t.Created, Updated: t.Updated, Deactivated: t.Deactivated,
		Parked: parked, APICalls: calls, Seconds: float64(took.Round(time.Millisecond)) / float64(time.Second),
	}
}

func (s Summary) write(o Options) error {
	if o.JSON {
		if err := json.NewEncoder(o.Stdout).Encode(s); err != nil {
			return fmt.Errorf("print summary: %w", err)
		}
		return nil
	}
	s.table(o.Stdout)
	return nil
}

func (s Summary) table(w io.Writer) {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.AppendRows([]table.Row{
		{"people", s.People}, {"created", s.Created}, {"updated", s.Updated}, {"deactivated", s.Deactivated},
	})
	for _, cause := range slices.Sorted(maps.Keys(s.Parked)) {
		t.AppendRow(table.Row{"parked: " + string(cause), s.Parked[cause]})
	}
	t.AppendRows([]table.Row{{"API calls", s.APICalls}, {"seconds", s.Seconds}})
	t.Render()
}
