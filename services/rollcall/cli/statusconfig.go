package cli

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

// printConfiguration says which configuration assignment works with.
func printConfiguration(w io.Writer, s operator.Status) {
	c := s.Configuration
	if c == nil {
		_, _ = fmt.Fprintln(w, "\nAssignment has not run yet: no configuration is in force.")
		return
	}
	_, _ = fmt.Fprintf(w, "\nConfiguration %s, generation %d, is in force since %s; %s\n", c.Hash, c.Generation, ago(c.Since, s.At), swept(c))
	if len(c.Replicas) == 0 {
		_, _ = fmt.Fprintln(w, "No replica of assignment was heard of in the last 30 s: events wait.")
		return
	}
	var rows []table.Row
	for _, r := range c.Replicas {
		rows = append(rows, table.Row{r.Name, r.Hash, r.Program, replicaState(r), ago(r.Heard, s.At)})
	}
	grid(w, table.Row{"replica of assignment", "configuration", "program", "state", "heard"}, rows)
}

func swept(c *operator.ConfigurationStatus) string {
	switch {
	case c.Swept:
		return fmt.Sprintf("everybody who was there was compared with it: %d people, %d changed.", c.People, c.Changed)
	case c.Sweeper != "":
		return "everybody is being compared with it by " + c.Sweeper + "."
	}
	return "nobody has begun to compare everybody with it."
}

func replicaState(r operator.ReplicaStatus) string {
	state := "takes events"
	if r.StandsBy {
		state = "stands by"
	}
	if r.Refused {
		state += "; its changed file has faults"
	}
	return state
}
