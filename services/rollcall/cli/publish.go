package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/rollcall/demo"
	"github.com/rollcall-sync/rollcall/services/rollcall/hrimport"
	"github.com/rollcall-sync/rollcall/services/rollcall/publish"
)

// publishing is the flags of `rollcall publish`.
type publishing struct {
	streams         Streams
	mapping, source string
	format          output
	connection      connection
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
parks their events. Every run stores what it reads: publishing
a file again changes nothing, unless another one came in between; then this one is
the newest. A row counts as duplicate, and as a fault, if the stream did not take
it because it has another event under its message's id.`,
		Example: `  rollcall publish workers.csv
  rollcall publish workers.csv --mapping mapping.yaml
  rollcall publish events.jsonl --source hr -o json`,
		Args: exactly(1, "one file"),
		RunE: func(c *cobra.Command, args []string) error { return p.run(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&p.mapping, "mapping", "", "column mapping `file` of a CSV export")
	c.Flags().StringVar(&p.source, "source", "", "`name` of the source in the configuration, for CloudEvents")
	p.format.flag(c)
	p.connection.flags(c)
	return c
}

func (p *publishing) run(ctx context.Context, path string) error {
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
	read, source, err := p.reader(path, file)
	if err != nil {
		return app.Usage(err)
	}
	p.connection.role = bus.RolePublisher(source)
	session, err := p.connection.open(ctx)
	if err != nil {
		return err
	}
	defer session.close()
	meter := newMeter(p.streams.Err)
	result, err := publish.New(session.bus, session.tel, meter.show).Publish(ctx, read, file)
	meter.close()
	if err := p.report(result); err != nil {
		return err
	}
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	case result.Unusable+result.Duplicate > 0:
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
func (p *publishing) reader(path string, file io.ReadSeeker) (read publish.Reader, source string, err error) {
	head, err := peek(file)
	if err != nil {
		return nil, "", fmt.Errorf("read %s: %w", path, err)
	}
	if bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) {
		if p.source == "" {
			return nil, "", errors.New("--source is required for CloudEvents: under which name do they come?")
		}
		ids, err := p.connection.ids(p.source)
		return publish.Lines(p.source, ids), p.source, err
	}
	if p.source != "" {
		return nil, "", errors.New("--source is for CloudEvents; a CSV export's source stands in its column mapping")
	}
	m, err := p.columnMapping(path, head)
	if err != nil {
		return nil, "", err
	}
	ids, err := p.connection.ids(m.Source())
	return m.Under(ids).Read, m.Source(), err
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
func (p *publishing) report(r publish.Result) error {
	if p.format == outputJSON {
		return printJSON(p.streams.Out, r)
	}
	if len(r.Problems) > 0 {
		rows := make([]table.Row, len(r.Problems))
		for i, problem := range r.Problems {
			rows[i] = table.Row{problem.Line, problem.Column, problem.Reason}
		}
		grid(p.streams.Err, table.Row{"line", "column", "why the row was not published"}, rows, 3)
	}
	_, err := fmt.Fprintf(p.streams.Out, "%d rows: %d published, %d unusable%s%s%s\n", r.Rows, r.Published, r.Unusable,
		some(r.Duplicate, "duplicate"), some(r.Repeated, "repeated"), some(r.Superseded, "with a newer version in the file"))
	return err
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
