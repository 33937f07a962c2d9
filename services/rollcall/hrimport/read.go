package hrimport

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// Read reads an export and calls each for every row, in the order of the file.
// An error of each ends it. Another error means that the file cannot be used,
// or from some row on cannot be read; a header that lacks columns is found
// before the first call.
//
// The file is read twice: where r cannot seek, it is copied to a temporary file.
func (m *Mapping) Read(r io.Reader, each func(Row) error) (Summary, error) {
	file, done, err := Rewindable(r)
	if err != nil {
		return Summary{}, err
	}
	defer done()
	start, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return Summary{}, fmt.Errorf("find the beginning of the file: %w", err)
	}
	d, err := m.deduplicate(file)
	if err != nil {
		return Summary{}, err
	}
	if _, err := file.Seek(start, io.SeekStart); err != nil {
		return Summary{}, fmt.Errorf("go back to the beginning of the file: %w", err)
	}
	return m.yield(file, d, each)
}

// Rewindable returns r as something that can be read twice, a temporary copy
// where it cannot; the function removes that.
func Rewindable(r io.Reader) (io.ReadSeeker, func(), error) {
	if s, ok := r.(io.ReadSeeker); ok {
		if _, err := s.Seek(0, io.SeekCurrent); err == nil {
			return s, func() {}, nil
		}
	}
	f, err := os.CreateTemp("", "rollcall-import-*.csv")
	if err != nil {
		return nil, nil, fmt.Errorf("make a copy to read twice: %w", err)
	}
	done := func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}
	if _, err := io.Copy(f, r); err != nil {
		done()
		return nil, nil, fmt.Errorf("make a copy to read twice: %w", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		done()
		return nil, nil, fmt.Errorf("make a copy to read twice: %w", err)
	}
	return f, done, nil
}

func (m *Mapping) yield(r io.Reader, d *deduplication, each func(Row) error) (Summary, error) {
	var sum Summary
	t, err := newTable(r, m.delimiter(), m.columns)
	if err != nil {
		return sum, err
	}
	for {
		rec, err := t.next()
		if errors.Is(err, io.EOF) {
			return sum, nil
		}
		if err != nil {
			return sum, err
		}
		row := m.row(t, &rec, d, &sum)
		if err := each(row); err != nil {
			return sum, err
		}
	}
}

// row makes what one record yields, and counts it.
func (m *Mapping) row(t *table, rec *record, d *deduplication, sum *Summary) Row {
	row := Row{Line: rec.line, Problems: rec.problems, Broken: !t.whole(rec)}
	sum.Rows++
	standing := alone
	if t.whole(rec) {
		standing = m.compare(t, rec, d, &row)
		m.fill(t, rec, &row)
	}
	if len(row.Problems) == 0 && standing == alone {
		sum.Events++
		return row
	}
	row.Event, row.Data, row.Subject = nil, nil, ""
	switch {
	case len(row.Problems) > 0:
		row.Note = ""
		sum.Unusable++
	case standing == repeated:
		sum.Repeated++
	default:
		sum.Superseded++
	}
	return row
}

// standing is how a row stands to the others of its person.
type standing int

const (
	alone      standing = iota // or the one that counts
	repeated                   // an earlier row says the same
	superseded                 // another row is newer
)

// compare sets a row against the others of its person.
func (m *Mapping) compare(t *table, rec *record, d *deduplication, row *Row) standing {
	column := m.spec.Correlation
	key, err := m.person(t, rec)
	if err != nil {
		row.Unfit = true
		row.Problems = append(row.Problems, Problem{Line: rec.line, Column: column, Reason: err.Error()})
		return alone
	}
	row.Named = key
	s := d.of(key)
	switch {
	case s.twoPeople:
		row.Problems = append(row.Problems, Problem{Line: rec.line, Column: column,
			Reason: "names different people in this file: see line " + s.others(rec.line)})
	case s.disagree:
		row.Problems = append(row.Problems, Problem{Line: rec.line, Column: column,
			Reason: "names one person with different values: see line " + s.others(rec.line)})
	case s.winner == rec.line:
	case hash(t.cellsOf(rec, m.columns)...) == s.content:
		row.Note = fmt.Sprintf("repeats line %d", s.winner)
		return repeated
	default:
		row.Note = fmt.Sprintf("line %d is a newer version", s.winner)
		return superseded
	}
	return alone
}

// fill makes the row's event; every value that cannot be used is a problem.
func (m *Mapping) fill(t *table, rec *record, row *Row) {
	person := &events.Person{}
	for _, a := range m.attributes {
		v, err := a.value(func(column string) string { return t.cell(rec, column) })
		if err == nil && v != "" {
			err = a.set(person, v)
		}
		if err != nil {
			row.Problems = append(row.Problems, Problem{Line: rec.line, Column: a.column(), Reason: err.Error()})
		}
	}
	if len(row.Problems) > 0 {
		return
	}
	e := &events.Event{
		SpecVersion: "1.0", Source: m.spec.EventSource, Type: events.TypePersonUpserted,
		DataContentType: events.ContentTypeJSON, Lane: m.spec.Lane, Person: person,
	}
	if m.spec.SourceVersion != "" {
		e.SourceVersion = t.cell(rec, m.spec.SourceVersion)
	}
	data, err := identify(e, m.spec.Source)
	if err == nil && m.ids != nil {
		row.Person, err = m.ids.Of(e)
	}
	if err != nil {
		row.Problems = append(row.Problems, Problem{Line: rec.line, Column: columnOf(err, m), Reason: err.Error()})
		return
	}
	row.Event, row.Data, row.Subject = e, data, events.DirectorySubject(m.spec.Source, events.KindPerson)
}

// columnOf names the column of a fault in an event, where it has one.
func columnOf(err error, m *Mapping) string {
	var fault *events.EventError
	if errors.As(err, &fault) && fault.Where == "/sourceversion" {
		return m.spec.SourceVersion
	}
	return ""
}

// identify gives an event the hash of itself for an id, so that the same row is
// the same event whenever it is read, and encodes it.
func identify(e *events.Event, source string) ([]byte, error) {
	e.ID = "unidentified"
	data, err := events.EncodeEvent(e)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", source)
	h.Write(data)
	e.ID = hex.EncodeToString(h.Sum(nil)[:20])
	if data, err = events.EncodeEvent(e); err != nil {
		return nil, err
	}
	// Read as assignment will read it: what would be rejected there is the
	// row's problem here.
	if _, err = events.DecodeEvent(events.DirectorySubject(source, events.KindPerson), data); err != nil {
		return nil, err
	}
	return data, nil
}
