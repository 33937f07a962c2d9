package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/services/internal/app"
)

// output is the -o flag: how a result is printed.
type output string

const (
	outputTable output = "table"
	outputJSON  output = "json"
)

func (o *output) flag(c *cobra.Command) {
	*o = outputTable
	c.Flags().VarP(o, "output", "o", "how the result is printed: table or json")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp))
}

// String, Set and Type make output a pflag.Value.
func (o *output) String() string { return string(*o) }

// Set takes the flag's value.
func (o *output) Set(v string) error {
	if v != string(outputTable) && v != string(outputJSON) {
		return fmt.Errorf("must be table or json")
	}
	*o = output(v)
	return nil
}

// Type is shown in the help text.
func (o *output) Type() string { return "format" }

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("print result: %w", err)
	}
	return nil
}

// grid prints rows under headings, a wide column wrapped.
func grid(w io.Writer, headings table.Row, rows []table.Row, wide ...int) {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	var columns []table.ColumnConfig
	for _, n := range wide {
		columns = append(columns, table.ColumnConfig{Number: n, WidthMax: 60, WidthMaxEnforcer: text.WrapSoft})
	}
	t.SetColumnConfigs(columns)
	if headings != nil {
		t.AppendHeader(headings)
	}
	for _, r := range rows {
		t.AppendRow(shown(r))
	}
	t.Render()
}

// shown takes control characters out of what HR or Salesforce said: a terminal
// would obey them.
func shown(r table.Row) table.Row {
	out := make(table.Row, len(r))
	for i, cell := range r {
		out[i] = cell
		if s, ok := cell.(string); ok {
			out[i] = strings.Map(printable, s)
		}
	}
	return out
}

func printable(r rune) rune {
	if r == '\n' || unicode.IsPrint(r) {
		return r
	}
	return unicode.ReplacementChar
}

// ago says how long something is past, as people say it.
func ago(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	switch d := now.Sub(t); {
	case d < time.Second:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf("%ds ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", int(d.Hours()))
	default:
		return t.Local().Format(time.DateOnly)
	}
}

// wrongUse marks an error of the command line.
func wrongUse(format string, args ...any) error { return app.Usage(fmt.Errorf(format, args...)) }
