package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/correlation"
	"github.com/rollcall-sync/rollcall/services/rollcall/demo"
	"github.com/rollcall-sync/rollcall/services/rollcall/hrimport"
	"github.com/rollcall-sync/rollcall/services/rollcall/publish"
	"github.com/rollcall-sync/rollcall/services/rollcall/snapshot"
)

// publishing is the flags of `rollcall publish`.
type publishing struct {
	streams         Streams
	mapping, source string
	format          output
	connection      connection
	// operatorNkey reads what the nkey of a source may not.
	operatorNkey string
	accept       []string
	whole        whole
}

// export is a file that has been understood: how it is read, and whose it is.
type export struct {
	path   string
	file   io.ReadSeeker
	read   publish.Reader
	source string
	// ids reads the source's correlation ids, nil where its configuration is not known.
	ids *correlation.IDs
}

func newPublish(s Streams) *cobra.Command {
	p := &publishing{streams: s, connection: connection{streams: s}}
	c := &cobra.Command{
		Use:   "publish FILE",
		Short: "Publish an HR export: CSV, or CloudEvents one a line",
		Long: `Publish the rows of an export to DIRECTORY.

CSV is read by a column mapping. Without --mapping, one of those built in is
taken if the file has its columns: examples/hr-workers.yaml, and the demo's own.
A file that begins with "{" holds CloudEvents in JSON, one a line, and needs
--source. FILE may be - for standard input.

Rows that cannot be used are reported by line, column and reason, and the rest
is published; the exit code is then 1. With --config, ids that the source's
configuration refuses (sources.*.correlationID) are among them; without, Rollcall
parks their events. If most rows have no id that looks like one, nothing is
published. Every run stores what it reads: publishing a file again changes
nothing, unless another one came in between; then this one is the newest. A row
counts as duplicate, and as a fault, if the stream did not take it because it has
another event under its message's id.

Whoever is not in the file stays as they are. With --snapshot the file is the
whole of its source, and whom the source has and the file lacks has left: they
are counted and shown first, removed only after a yes, and a file that was cut
off or lacks too many is refused. It needs --config, and where NATS knows users
an operator's nkey beside the source's. docs/events.md has the rules.`,
		Example: `  rollcall publish workers.csv
  rollcall publish workers.csv --mapping mapping.yaml
  rollcall publish events.jsonl --source hr -o json
  rollcall publish workers.csv --snapshot --config rollcall.yaml --dry-run`,
		Args: exactly(1, "one file"),
		RunE: func(c *cobra.Command, args []string) error { return p.run(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&p.mapping, "mapping", "", "column mapping `file` of a CSV export")
	c.Flags().StringVar(&p.source, "source", "", "`name` of the source in the configuration, for CloudEvents")
	c.Flags().StringVar(&p.operatorNkey, "operator-nkey", os.Getenv("ROLLCALL_OPERATOR_NKEY_SEED_FILE"),
		"`file` with an operator's nkey seed, to compare the file with what is known (ROLLCALL_OPERATOR_NKEY_SEED_FILE)")
	c.Flags().StringSliceVar(&p.accept, "accept", nil, "take the file though it seems to be so: "+strings.Join(doubts(), ", "))
	_ = c.RegisterFlagCompletionFunc("accept", cobra.FixedCompletions(doubts(), cobra.ShellCompDirectiveNoFileComp))
	p.whole.flags(c)
	p.format.flag(c)
	p.connection.flags(c)
	return c
}

func doubts() []string {
	var out []string
	for _, d := range snapshot.Doubts() {
		out = append(out, string(d))
	}
	return out
}

// accepted are the doubts that are set aside.
func (p *publishing) accepted() ([]snapshot.Doubt, error) {
	out := make([]snapshot.Doubt, len(p.accept))
	for i, word := range p.accept {
		if out[i] = snapshot.Doubt(word); !slices.Contains(snapshot.Doubts(), out[i]) {
			return nil, wrongUse("--accept: there is no %q, only %s", word, strings.Join(doubts(), ", "))
		}
	}
	return out, nil
}

func (p *publishing) run(ctx context.Context, path string) error {
	accepted, err := p.accepted()
	if err != nil {
		return err
	}
	in, err := p.openFile(path)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	file, done, err := hrimport.Rewindable(in)
	if err != nil {
		return err
	}
	defer done()
	x, err := p.reader(path, file)
	if err != nil {
		return app.Usage(err)
	}
	if p.whole.snapshot {
		return p.publishWhole(ctx, x, accepted)
	}
	return p.publish(ctx, x, accepted)
}

// published is what became of an export, as it is printed.
type published struct {
	publish.Result
	// Lacking is how many people the source has whom the file lacks; nil where
	// that cannot be told, for the reason in LackingUnknown.
	Lacking        *int   `json:"lacking,omitempty"`
	LackingUnknown string `json:"lackingUnknown,omitempty"`
}

// publish publishes an export whose silence means nothing.
func (p *publishing) publish(ctx context.Context, x export, accepted []snapshot.Doubt) error {
	session, err := p.connection.as(bus.RolePublisher(x.source), "").open(ctx)
	if err != nil {
		return err
	}
	defer session.close()
	known, unknown := p.known(ctx, x)
	compared := snapshot.Compare(known, x.ids)
	if _, err := publish.Survey(x.read, x.file, compared.Row); err != nil {
		return fmt.Errorf("%s: %w", x.path, err)
	}
	if f := compared.Unfit(); len(f) > 0 && !slices.Contains(accepted, f[0].Doubt) {
		return fmt.Errorf("%s: %s Nothing was published; --accept %s publishes the rows that can be used", x.path, f[0].Message, f[0].Doubt)
	}
	out := published{LackingUnknown: unknown}
	if n := compared.Missing(); unknown == "" {
		out.Lacking = &n
	}
	out.Result, err = p.send(ctx, session, x.read, x.file)
	if err := p.report(x.source, out); err != nil {
		return err
	}
	return outcome(x.path, out.Result, err)
}

// known reads whom the source has, where that may be read; otherwise unknown
// says why not. Nothing hangs on it but a line of the summary.
func (p *publishing) known(ctx context.Context, x export) (known map[string]snapshot.Person, unknown string) {
	switch file, err := p.connection.load(); {
	case err != nil || x.ids == nil:
		return nil, "name the configuration that has source " + x.source + " with --config"
	case file.NATS.NkeySeedFile != "" && p.operatorNkey == "":
		return nil, "the nkey of a source may not read it: name an operator's with --operator-nkey"
	}
	session, err := p.connection.as(bus.RoleOperator, p.operatorNkey).open(ctx)
	if err != nil {
		return nil, err.Error()
	}
	defer session.close()
	if known, err = snapshot.Known(ctx, session.bus, x.source); err != nil {
		return nil, err.Error()
	}
	return known, ""
}

// send stores what a reader reads.
func (p *publishing) send(ctx context.Context, s *session, read publish.Reader, file io.ReadSeeker) (publish.Result, error) {
	meter := newMeter(p.streams.Err)
	defer meter.close()
	return publish.New(s.bus, s.tel, meter.show).Publish(ctx, read, file)
}

// outcome is how the command ends.
func outcome(path string, r publish.Result, err error) error {
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	case r.Unusable+r.Duplicate > 0:
		return errReported
	}
	return nil
}

func (p *publishing) openFile(path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(p.streams.In), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, wrongUse("%w", err)
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errors.Join(wrongUse("%s is a folder", path), f.Close())
	}
	return f, nil
}

// reader says how the file is read, and what its source is: by the first of its
// bytes, and by the columns it has.
func (p *publishing) reader(path string, file io.ReadSeeker) (export, error) {
	x := export{path: path, file: file, source: p.source}
	head, err := peek(file)
	if err != nil {
		return x, fmt.Errorf("read %s: %w", path, err)
	}
	if bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) {
		if p.source == "" {
			return x, errors.New("--source is required for CloudEvents: under which name do they come?")
		}
		x.ids, err = p.connection.ids(p.source)
		x.read = publish.Lines(p.source, x.ids)
		return x, err
	}
	if p.source != "" {
		return x, errors.New("--source is for CloudEvents; a CSV export's source stands in its column mapping")
	}
	m, err := p.columnMapping(path, head)
	if err != nil {
		return x, err
	}
	x.source = m.Source()
	x.ids, err = p.connection.ids(x.source)
	x.read = m.Under(x.ids).Read
	return x, err
}

// headBytes is enough for a line of column names.
const headBytes = 64 << 10

// peek returns the beginning of a file, which is as if it had not been read.
func peek(file io.ReadSeeker) ([]byte, error) {
	head := make([]byte, headBytes)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return bytes.TrimPrefix(head[:n], []byte("\xef\xbb\xbf")), nil
}

// columnMapping loads the mapping that is named, or finds a built-in one.
func (p *publishing) columnMapping(path string, head []byte) (*hrimport.Mapping, error) {
	if p.mapping != "" {
		return hrimport.Load(p.mapping)
	}
	for _, data := range [][]byte{demo.HRMapping, demo.Mapping} {
		m, err := hrimport.Parse(data)
		if err != nil {
			return nil, fmt.Errorf("built-in column mapping: %w", err)
		}
		if m.Fits(head) {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%s has not the columns of a built-in mapping: write one (examples/hr-workers.yaml shows how) and name it with --mapping", path)
}

// report prints what became of the rows: problems to standard error as a
// table, or everything to standard output as JSON.
func (p *publishing) report(source string, out published) error {
	if p.format == outputJSON {
		return printJSON(p.streams.Out, out)
	}
	p.printRows(out.Result)
	var err error
	switch {
	case out.Lacking == nil:
		_, err = fmt.Fprintf(p.streams.Out, "How many people source %s has who are not in the file is not known: %s.\n", source, out.LackingUnknown)
	case *out.Lacking == 0:
		_, err = fmt.Fprintf(p.streams.Out, "Nobody whom source %s has as active is missing from the file.\n", source)
	default:
		_, err = fmt.Fprintf(p.streams.Out, "%d people whom source %s has as active are not in the file. They stay as they are; with --snapshot they would leave.\n", *out.Lacking, source)
	}
	return err
}

// printRows prints what became of the rows.
func (p *publishing) printRows(r publish.Result) {
	if len(r.Problems) > 0 {
		rows := make([]table.Row, len(r.Problems))
		for i, problem := range r.Problems {
			rows[i] = table.Row{problem.Line, problem.Column, problem.Reason}
		}
		grid(p.streams.Err, table.Row{"line", "column", "why the row was not published"}, rows, 3)
	}
	_, _ = fmt.Fprintf(p.streams.Out, "%d rows: %d published, %d unusable%s%s%s\n", r.Rows, r.Published, r.Unusable,
		some(r.Duplicate, "duplicate"), some(r.Repeated, "repeated"), some(r.Superseded, "with a newer version in the file"))
}

func some(n int, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d %s", n, what)
}

// meter shows how far a file has been published.
type meter struct {
	w        io.Writer
	terminal bool
	shown    time.Time
}

func newMeter(w io.Writer) *meter { return &meter{w: w, terminal: isTerminal(w), shown: time.Now()} }

func (m *meter) show(rows, published int) {
	if time.Since(m.shown) < m.every() {
		return
	}
	m.shown = time.Now()
	begin, end := "", "\n"
	if m.terminal {
		begin, end = "\r\x1b[K", ""
	}
	_, _ = fmt.Fprintf(m.w, "%s%d rows read, %d published%s", begin, rows, published, end)
}

func (m *meter) every() time.Duration {
	if m.terminal {
		return 100 * time.Millisecond
	}
	return 2 * time.Second
}

func (m *meter) close() {
	if m.terminal {
		_, _ = fmt.Fprint(m.w, "\r\x1b[K")
	}
}
