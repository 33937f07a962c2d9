package cli

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
	"github.com/rollcall-sync/rollcall/services/rollcall/publish"
	"github.com/rollcall-sync/rollcall/services/rollcall/snapshot"
)

// whole is the flags of an export that is the whole of its source.
type whole struct {
	snapshot, dryRun, yes  bool
	exportedAt, by, reason string
}

func (w *whole) flags(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&w.snapshot, "snapshot", false, "the file is the whole of its source: whom it lacks has left")
	f.BoolVar(&w.dryRun, "dry-run", false, "with --snapshot: say what it comes to, and publish nothing")
	f.BoolVar(&w.yes, "yes", false, "with --snapshot: remove those who are missing without asking")
	f.StringVar(&w.exportedAt, "exported-at", "", "with --snapshot: the `time` of the export, of later news it says nothing (default when the file was last written)")
	f.StringVar(&w.by, "as", defaultName(), "with --snapshot: who publishes, for the audit log")
	f.StringVar(&w.reason, "reason", "", "with --snapshot: why, for the audit log")
}

// check says what is wrong with the flags.
func (p *publishing) checkWhole(x export) error {
	file, err := p.connection.load()
	switch w := p.whole; {
	case err != nil:
		return err
	case x.ids == nil:
		return wrongUse("--snapshot needs the configuration that has source %s (--config): whether two ids are one person's stands there", x.source)
	case file.NATS.NkeySeedFile != "" && p.operatorNkey == "":
		return wrongUse("--snapshot compares the file with what is known, which the nkey of a source may not read: name an operator's with --operator-nkey")
	case w.by == "":
		return wrongUse("--as is required: the audit log says who published a snapshot")
	case p.format == outputJSON && !w.yes && !w.dryRun:
		return wrongUse("-o json asks nothing: say --yes, or --dry-run to see what it comes to")
	}
	return nil
}

// wholeResult is what -o json prints.
type wholeResult struct {
	Plan   *snapshot.Plan `json:"plan"`
	DryRun bool           `json:"dryRun,omitempty"`
	// Rows and Removed are what was published; nil where nothing was.
	Rows    *publish.Result `json:"rows,omitempty"`
	Removed *publish.Result `json:"removed,omitempty"`
	// Spared were to be removed, but something came of them meanwhile.
	Spared int `json:"spared,omitempty"`
}

// publishWhole publishes an export as the whole of its source.
func (p *publishing) publishWhole(ctx context.Context, x export, accepted []snapshot.Doubt) error {
	if err := p.checkWhole(x); err != nil {
		return err
	}
	reading, err := p.connection.as(bus.RoleOperator, p.operatorNkey).open(ctx)
	if err != nil {
		return err
	}
	defer reading.close()
	plan, err := p.plan(ctx, reading, x, accepted)
	if err != nil {
		return fmt.Errorf("%s: %w", x.path, err)
	}
	out := wholeResult{Plan: plan, DryRun: p.whole.dryRun}
	if p.format == outputTable {
		printPlan(p.streams.Out, plan)
	}
	if len(plan.Faults) > 0 || p.whole.dryRun {
		return p.refuse(out)
	}
	if err := p.confirm(plan); err != nil {
		return err
	}
	err = p.carryOut(ctx, reading, x, &out)
	if err := p.reportWhole(out); err != nil {
		return err
	}
	if err != nil {
		return fmt.Errorf("%s: %w", x.path, err)
	}
	return outcome(x.path, *out.Rows, nil)
}

// plan compares the file with what is known.
func (p *publishing) plan(ctx context.Context, reading *session, x export, accepted []snapshot.Doubt) (*snapshot.Plan, error) {
	about, err := p.about(x)
	if err != nil {
		return nil, err
	}
	o := operator.New(reading.bus, reading.tel, nil)
	if err := goesOn(ctx, o, x.source); err != nil {
		return nil, err
	}
	if err := snapshot.Folded(ctx, reading.bus); err != nil {
		return nil, err
	}
	known, err := snapshot.Known(ctx, reading.bus, x.source)
	if err != nil {
		return nil, err
	}
	last, err := o.LastSnapshot(ctx, x.source)
	if err != nil {
		return nil, err
	}
	compared := snapshot.Compare(known, x.ids)
	if _, err := publish.Survey(x.read, x.file, compared.Row); err != nil {
		return nil, err
	}
	plan := compared.Plan(about)
	if last != nil {
		plan.Last, plan.LastAt, plan.LastBy = last.Snapshot, last.At, last.By
	}
	compared.Judge(plan, accepted)
	return plan, nil
}

// goesOn refuses a source that is paused: what came of it since nobody has read.
func goesOn(ctx context.Context, o *operator.Operator, source string) error {
	paused, err := o.Pauses(ctx)
	for _, p := range paused {
		if p.Source == source {
			return fmt.Errorf("source %s is paused by %s (%s), so who is missing from the file cannot be told: rollcall resume --source %s", source, p.By, p.Reason, source)
		}
	}
	return err
}

// about is what can be said of a file without reading its rows.
func (p *publishing) about(x export) (events.Snapshot, error) {
	out := events.Snapshot{Source: x.source, ExportedAt: time.Now().UTC()}
	if f, ok := x.file.(*os.File); ok && x.path != "-" {
		info, err := f.Stat()
		if err != nil {
			return out, err
		}
		out.ExportedAt = info.ModTime().UTC()
	}
	if p.whole.exportedAt != "" {
		at, err := time.Parse(time.RFC3339, p.whole.exportedAt)
		if err != nil {
			return out, wrongUse("--exported-at: must be a time like 2026-01-31T08:00:00Z")
		}
		out.ExportedAt = at.UTC()
	}
	var err error
	out.Digest, out.EndsInNewline, err = digest(x.file)
	return out, err
}

// digest is a hash of a file, and whether it ends with a line break.
func digest(file io.ReadSeeker) (sum string, newline bool, err error) {
	h := sha256.New()
	in, last := bufio.NewReaderSize(file, 1<<20), []byte(nil)
	for {
		part, err := in.Peek(in.Size())
		if len(part) == 0 && err != nil {
			if !errors.Is(err, io.EOF) {
				return "", false, err
			}
			break
		}
		h.Write(part)
		last = append(last[:0], part[len(part)-1])
		_, _ = in.Discard(len(part)) // it was peeked
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", false, err
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), bytes.Equal(last, []byte("\n")), nil
}

// refuse ends a run that publishes nothing.
func (p *publishing) refuse(out wholeResult) error {
	if p.format == outputJSON {
		if err := printJSON(p.streams.Out, out); err != nil {
			return err
		}
	} else {
		_, _ = fmt.Fprintln(p.streams.Out, "Nothing was published.")
	}
	if len(out.Plan.Faults) > 0 {
		return errReported
	}
	return nil
}

// confirm asks whether people may be removed.
func (p *publishing) confirm(plan *snapshot.Plan) error {
	absent := len(plan.Absent())
	if absent == 0 || p.whole.yes {
		return nil
	}
	if in, ok := p.streams.In.(*os.File); !ok || !isTerminal(in) {
		return wrongUse("%d people would be removed: say --yes, or --dry-run to see what it comes to. Nothing was published", absent)
	}
	_, _ = fmt.Fprintf(p.streams.Err, "Remove %d people, of whom %d are active? Say yes: ", absent, plan.Leaving)
	answer, err := bufio.NewReader(p.streams.In).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !strings.EqualFold(strings.TrimSpace(answer), "yes") {
		_, _ = fmt.Fprintln(p.streams.Out, "Nothing was published.")
		return errReported
	}
	return nil
}

// carryOut announces the snapshot, publishes its rows, and then removes those
// who were missing and of whom nothing came meanwhile. Where it ends early, the
// people who were not removed yet stay as they are until the next run.
func (p *publishing) carryOut(ctx context.Context, reading *session, x export, out *wholeResult) error {
	if now, _, err := digest(x.file); err != nil || now != out.Plan.Digest {
		return errors.Join(errors.New("the file has changed since it was compared: run it again"), err)
	}
	if _, err := operator.New(reading.bus, reading.tel, nil).AnnounceSnapshot(ctx, p.whole.by, p.whole.reason, out.Plan.Snapshot); err != nil {
		return err
	}
	writing, err := p.connection.as(bus.RolePublisher(x.source), "").open(ctx)
	if err != nil {
		return err
	}
	defer writing.close()
	rows, err := p.send(ctx, writing, x.read, x.file)
	out.Rows = &rows
	if err != nil || len(out.Plan.Absent()) == 0 {
		return err
	}
	known, err := snapshot.Known(ctx, reading.bus, x.source)
	if err != nil {
		return err
	}
	gone := out.Plan.Still(known)
	out.Spared = len(out.Plan.Absent()) - len(gone)
	file, err := p.connection.load()
	if err != nil {
		return err
	}
	removals := snapshot.Removals(x.source, x.ids, file.Sources[x.source].VersionKind(), out.Plan.Digest, gone)
	removed, err := p.send(ctx, writing, publish.Made(x.source, removals), bytes.NewReader(nil))
	out.Removed = &removed
	return err
}

func (p *publishing) reportWhole(out wholeResult) error {
	if p.format == outputJSON {
		return printJSON(p.streams.Out, out)
	}
	if out.Rows != nil {
		p.printRows(*out.Rows)
	}
	if out.Removed != nil {
		_, _ = fmt.Fprintf(p.streams.Out, "%d people removed who are not in the file%s\n", out.Removed.Published, some(out.Spared, "left as they are, for something came of them meanwhile"))
	}
	return nil
}

// printPlan says what a snapshot comes to.
func printPlan(w io.Writer, p *snapshot.Plan) {
	last := "none that the audit log knows"
	if p.Last != nil {
		last = fmt.Sprintf("%d rows, %d people, %d removed; published %s by %s", p.Last.Rows, p.Last.People, p.Last.Absent, p.LastAt.Local().Format(time.DateTime), p.LastBy)
	}
	grid(w, nil, []table.Row{
		{"source", p.Source},
		{"file", fmt.Sprintf("%d rows, %d people; exported %s", p.Rows, p.People, p.ExportedAt.Local().Format(time.DateTime))},
		{"last full file", last},
		{"known", fmt.Sprintf("%d people, %d active", p.Known, p.Active)},
		{"in the file", fmt.Sprintf("%d new, %d changed, %d as they are", p.New, p.Changed, p.Same)},
		{"to be removed", fmt.Sprintf("%d people, %d active", len(p.Absent()), p.Leaving)},
	})
	if len(p.Attributes) > 0 {
		names := slices.SortedFunc(maps.Keys(p.Attributes), func(a, b string) int {
			return 2*(p.Attributes[b]-p.Attributes[a]) + strings.Compare(a, b)
		})
		parts := make([]string, 0, len(names))
		for _, n := range names[:min(len(names), maxAttributes)] {
			parts = append(parts, fmt.Sprintf("%s of %d", n, p.Attributes[n]))
		}
		_, _ = fmt.Fprintf(w, "Another value in place of one they had: %s\n", strings.Join(parts, ", "))
	}
	if len(p.Sample) > 0 {
		var rows []table.Row
		for _, l := range p.Sample {
			rows = append(rows, table.Row{l.CorrelationID, l.UserName, l.Key})
		}
		_, _ = fmt.Fprintf(w, "\nThose who leave%s:\n", some(p.Leaving-len(p.Sample), "more than these"))
		grid(w, table.Row{"correlation id", "username", "key"}, rows)
	}
	if p.Later > 0 {
		_, _ = fmt.Fprintf(w, "%d more are not in the file, but something came of them after it was exported: they stay as they are (--exported-at says when that was)\n", p.Later)
	}
	if p.Unnamed > 0 {
		_, _ = fmt.Fprintf(w, "%d more are not in the file, but have an id that the configuration would write in another way: they stay as they are (docs/events.md, Correlation ids)\n", p.Unnamed)
	}
	for _, f := range p.Faults {
		_, _ = fmt.Fprintf(w, "\nRefused: %s\n  If it is right all the same: --accept %s\n", f.Message, f.Doubt)
	}
}

// maxAttributes is how many attributes are named.
const maxAttributes = 8
