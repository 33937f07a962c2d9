package hrimport

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxRowBytes bounds one row, so that a quote nobody closed does not read the
// whole file as one cell.
const maxRowBytes = 1 << 20

// saveAsUTF8 is what to do about a file in another encoding.
const saveAsUTF8 = `save the file as UTF-8 (in a spreadsheet: "CSV UTF-8")`

// table reads the rows of a CSV file whose header has been understood.
type table struct {
	csv    *csv.Reader
	limit  *rowLimit
	width  int
	column map[string]int
}

// record is one row, usable or not.
type record struct {
	line     int
	cells    []string
	problems []Problem
}

// newTable reads the header. Its error lists every fault of the header.
func newTable(r io.Reader, delimiter rune, needed []string) (*table, error) {
	buffered := bufio.NewReader(r)
	if err := skipMark(buffered); err != nil {
		return nil, err
	}
	t := &table{limit: &rowLimit{r: buffered}, column: map[string]int{}}
	t.csv = csv.NewReader(t.limit)
	t.csv.Comma, t.csv.FieldsPerRecord = delimiter, -1
	t.limit.reset()
	header, err := t.csv.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty: it needs a row of column names")
	case err != nil:
		return nil, fmt.Errorf("read the row of column names: %w", err)
	}
	return t, t.readHeader(header, needed)
}

// skipMark takes the byte order mark off, and refuses other encodings that can
// be told by theirs.
func skipMark(r *bufio.Reader) error {
	start, err := r.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read: %w", err)
	}
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		_, err := r.Discard(3)
		return err // cannot fail: the bytes were peeked
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return errors.New("the file is in UTF-16: " + saveAsUTF8)
	}
	return nil
}

func (t *table) readHeader(header, needed []string) error {
	t.width = len(header)
	var faults []error
	for i, name := range header {
		if !utf8.ValidString(name) {
			return errors.New("the row of column names is not UTF-8: " + saveAsUTF8)
		}
		name = strings.TrimSpace(name)
		if first, twice := t.column[name]; twice {
			faults = append(faults, fmt.Errorf("column %q stands twice, as column %d and %d", name, first+1, i+1))
			continue
		}
		t.column[name] = i
	}
	for _, name := range needed {
		if _, ok := t.column[name]; !ok {
			faults = append(faults, fmt.Errorf("column %q is missing; the file has %s", name, quoteAll(header)))
		}
	}
	return errors.Join(faults...)
}

func quoteAll(names []string) string {
	const most = 40
	out := make([]string, 0, len(names))
	for _, n := range names[:min(len(names), most)] {
		out = append(out, fmt.Sprintf("%q", strings.TrimSpace(n)))
	}
	if len(names) > most {
		out = append(out, "…")
	}
	return strings.Join(out, ", ")
}

// next returns the next row, io.EOF at the end. Another error means that the
// rest of the file cannot be read.
func (t *table) next() (record, error) {
	t.limit.reset()
	cells, err := t.csv.Read()
	var syntax *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return record{}, io.EOF
	case errors.As(err, &syntax):
		return record{line: syntax.StartLine, problems: []Problem{{Line: syntax.StartLine, Reason: syntaxReason(syntax)}}}, nil
	case err != nil:
		line, _ := t.csv.FieldPos(0)
		return record{}, fmt.Errorf("read the row after line %d: %w", line, err)
	}
	rec := record{cells: cells}
	rec.line, _ = t.csv.FieldPos(0)
	if len(cells) != t.width {
		rec.problems = []Problem{{Line: rec.line, Reason: fmt.Sprintf("has %d columns, the row of column names has %d", len(cells), t.width)}}
		return rec, nil
	}
	t.checkText(&rec)
	return rec, nil
}

func syntaxReason(e *csv.ParseError) string {
	where := fmt.Sprintf("line %d, byte %d: ", e.Line, e.Column)
	if e.Line > e.StartLine {
		where = fmt.Sprintf("lines %d to %d were read as one row; %s", e.StartLine, e.Line, where)
	}
	switch {
	case errors.Is(e.Err, csv.ErrQuote):
		return where + "a quote is not closed, or text follows a closing quote"
	case errors.Is(e.Err, csv.ErrBareQuote):
		return where + "a quote stands in a value that does not begin with one"
	}
	return where + e.Err.Error()
}

// checkText finds bytes that are not UTF-8.
func (t *table) checkText(rec *record) {
	for i, cell := range rec.cells {
		if utf8.ValidString(cell) {
			continue
		}
		line, _ := t.csv.FieldPos(i)
		rec.problems = append(rec.problems, Problem{Line: line, Column: t.nameOf(i),
			Reason: fmt.Sprintf("byte %d of the value is not UTF-8: %s", invalidAt(cell)+1, saveAsUTF8)})
	}
}

func invalidAt(s string) int {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return i
		}
	}
	return 0
}

func (t *table) nameOf(index int) string {
	for name, i := range t.column {
		if i == index {
			return name
		}
	}
	return ""
}

// whole says whether the row's cells stand under the right columns.
func (t *table) whole(rec *record) bool { return len(rec.cells) == t.width }

func (t *table) cell(rec *record, column string) string {
	return strings.TrimSpace(rec.cells[t.column[column]])
}

func (t *table) cellsOf(rec *record, columns []string) []string {
	out := make([]string, 0, len(columns))
	for _, c := range columns {
		out = append(out, t.cell(rec, c))
	}
	return slices.Clip(out)
}

// errRowTooLong ends the reading: where the next row begins cannot be known.
var errRowTooLong = fmt.Errorf("a row is longer than %d bytes: is a quote not closed?", maxRowBytes)

// rowLimit bounds what is read for one row.
type rowLimit struct {
	r    io.Reader
	left int
}

// reset is called before every row. What is buffered ahead counts for the row
// before, which only makes the limit a little stricter or wider.
func (l *rowLimit) reset() { l.left = maxRowBytes }

func (l *rowLimit) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errRowTooLong
	}
	n, err := l.r.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err // a reader passes io.EOF on as it is
}
