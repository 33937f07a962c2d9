package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
	"github.com/rollcall-sync/rollcall/services/retry-scheduler/retry"
)

// taskJSON is a task as -o json prints it, with what to do about it.
type taskJSON struct {
	operator.Task
	Remedy string `json:"remedy"`
}

func (t *tasks) printList(list []operator.Task, format output) error {
	if format == outputJSON {
		out := make([]taskJSON, len(list))
		for i, task := range list {
			out[i] = taskJSON{Task: task, Remedy: retry.PolicyOf(task.Target().Cause).Remedy}
		}
		return printJSON(t.streams.Out, out)
	}
	if len(list) == 0 {
		_, _ = fmt.Fprintln(t.streams.Out, "Nobody is parked.")
		return nil
	}
	now := time.Now()
	rows := make([]table.Row, len(list))
	causes := map[events.Cause]int{}
	var order []events.Cause
	for i, task := range list {
		l := task.Letter
		rows[i] = table.Row{task.Seq, who(task), task.Target().Org, task.Target().Cause, ago(l.FirstAt, now), l.Attempts, sentence(task)}
		if causes[task.Target().Cause]++; causes[task.Target().Cause] == 1 {
			order = append(order, task.Target().Cause)
		}
	}
	grid(t.streams.Out, table.Row{"task", "person", "org", "cause", "since", "attempts", "what was said"}, rows, 7)
	remedies(t.streams.Out, order, causes)
	return nil
}

// remedies says once per cause what to do, rather than in every row.
func remedies(w io.Writer, order []events.Cause, count map[events.Cause]int) {
	for _, cause := range order {
		p := retry.PolicyOf(cause)
		_, _ = fmt.Fprintf(w, "\n%s (%d): %s\n  What to do: %s\n  Then: rollcall tasks retry --cause %s --all\n", cause, count[cause], p.Title, p.Remedy, cause)
	}
}

// who names the person as an operator knows them.
func who(task operator.Task) string {
	switch {
	case task.Letter.Username != "":
		return task.Letter.Username
	case task.Target().Org == events.NoOrg:
		return "event " + strings.TrimPrefix(string(task.Target().Key), "e") + " of DIRECTORY"
	}
	return string(task.Target().Key)
}

// sentence is what Salesforce said, or what could not be done without asking it.
func sentence(task operator.Task) string {
	if task.Unreadable {
		return "(written by a newer version of Rollcall)"
	}
	f := task.Letter.Failure
	text := f.Message
	if f.Code != "" {
		text = f.Code + ": " + text
	}
	if f.Expression != "" {
		text += " [" + f.Expression + "]"
	}
	return text
}

func (t *tasks) printTask(task operator.Task, format output) error {
	p := retry.PolicyOf(task.Target().Cause)
	if format == outputJSON {
		return printJSON(t.streams.Out, taskJSON{Task: task, Remedy: p.Remedy})
	}
	l, f := task.Letter, task.Letter.Failure
	rows := []table.Row{
		{"task", task.Seq},
		{"person", who(task)},
		{"key", task.Target().Key},
		{"org", task.Target().Org},
		{"cause", fmt.Sprintf("%s: %s", task.Target().Cause, p.Title)},
		{"what was said", sentence(task)},
		{"what was tried", f.Operation},
		{"fields", strings.Join(f.Fields, ", ")},
		{"value", f.Value},
		{"error id", f.ErrorID},
		{"what it means", p.Meaning},
		{"what to do", p.Remedy},
		{"healed when", p.RemedySignal},
		{"attempts", l.Attempts},
		{"first, last", stamp(l.FirstAt) + ", " + stamp(l.LastAt)},
		{"salesforce user", l.UserID},
		{"revision, lane", fmt.Sprintf("%d, %s", l.Revision, l.Lane)},
		{"from", from(l.Origin)},
		{"trace", traceOf(l.Origin)},
		{"again", fmt.Sprintf("rollcall tasks retry %d --wait", task.Seq)},
	}
	grid(t.streams.Out, nil, filled(rows), 2)
	return nil
}

// filled leaves out rows without a value.
func filled(rows []table.Row) []table.Row {
	var out []table.Row
	for _, r := range rows {
		if s := fmt.Sprint(r[1]); s != "" && s != "0" {
			out = append(out, r)
		}
	}
	return out
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// from says where a change came from.
func from(o events.Origin) string {
	if o.Seq == 0 {
		return ""
	}
	return fmt.Sprintf("%s, event %s (DIRECTORY %d, %s)", o.Source, o.EventID, o.Seq, stamp(o.Time))
}

// traceOf takes the trace id out of an origin.
func traceOf(o events.Origin) string {
	p := strings.Split(o.Traceparent, "-")
	if len(p) != 4 {
		return ""
	}
	return p[1]
}
