package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/rollcall-sync/rollcall/services/internal/doctor"
)

const (
	// reportWidth is where findings are broken.
	reportWidth = 100
	// levelWidth and nameWidth are the columns before a finding.
	levelWidth, nameWidth = 9, 15
)

// printReport prints one line per finding, under NATS, the configuration and
// each org; checks that were skipped for the same reason stand in one line.
func printReport(w io.Writer, r doctor.Report) {
	part := ""
	for _, f := range merged(r.Findings) {
		area, name, _ := strings.Cut(f.Check, ".")
		if f.Org != "" {
			area += " " + f.Org
		}
		if area != part {
			if part != "" {
				_, _ = fmt.Fprintln(w)
			}
			part = area
			_, _ = fmt.Fprintln(w, heading(area))
		}
		printFinding(w, f, name)
	}
	_, _ = fmt.Fprintf(w, "\n%s\n", summaryOf(r))
}

func heading(area string) string {
	switch area {
	case "nats":
		return "NATS"
	case "config":
		return "Configuration"
	}
	return strings.ToUpper(area[:1]) + area[1:]
}

func printFinding(w io.Writer, f doctor.Finding, name string) {
	lead, message := fmt.Sprintf("  %-*s", levelWidth, f.Level), f.Message
	if strings.Contains(name, ",") { // several, skipped for one reason
		name, message = "", name+": "+message
	}
	lead += fmt.Sprintf("%-*s", nameWidth, name)
	indent := strings.Repeat(" ", 2+levelWidth+nameWidth)
	if name == "" {
		lead, indent = lead[:2+levelWidth], indent[:2+levelWidth]
	}
	_, _ = fmt.Fprintln(w, lead+wrapped(message, indent))
	if f.Advice != "" {
		_, _ = fmt.Fprintln(w, indent+"-> "+wrapped(f.Advice, indent+"   "))
	}
}

// wrapped breaks a text at spaces; every line but the first is indented.
func wrapped(s, indent string) string {
	var lines []string
	for line := range strings.SplitSeq(strings.Map(printable, s), "\n") {
		lines = append(lines, strings.Split(text.WrapSoft(line, reportWidth-len(indent)), "\n")...)
	}
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n"+indent)
}

// merged puts neighbours that were skipped for the same reason into one.
func merged(findings []doctor.Finding) []doctor.Finding {
	var out []doctor.Finding
	for _, f := range findings {
		if last := len(out) - 1; last >= 0 && f.Level == doctor.Skipped && out[last].Level == doctor.Skipped &&
			out[last].Org == f.Org && out[last].Message == f.Message {
			_, name, _ := strings.Cut(f.Check, ".")
			out[last].Check += ", " + name
			continue
		}
		out = append(out, f)
	}
	return out
}

func summaryOf(r doctor.Report) string {
	count := map[doctor.Level]int{}
	for _, f := range r.Findings {
		count[f.Level]++
	}
	return fmt.Sprintf("%d ok, %d skipped, %d to look at, %d failed.", count[doctor.OK], count[doctor.Skipped], count[doctor.Warn], count[doctor.Fail])
}
