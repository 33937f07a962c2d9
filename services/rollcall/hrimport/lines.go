package hrimport

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/correlation"
)

// ReadLines reads CloudEvents, one JSON object a line, and calls each for every
// line that is not blank. The events are published as they are, as coming from
// source; ids reads its correlation ids, nil where its configuration is not known.
func ReadLines(r io.Reader, source string, ids *correlation.IDs, each func(Row) error) (Summary, error) {
	var sum Summary
	if err := events.CheckName(source); err != nil {
		return sum, fmt.Errorf("source: %w", err)
	}
	in := bufio.NewReader(r)
	if err := skipMark(in); err != nil {
		return sum, err
	}
	for number := 1; ; number++ {
		line, whole, err := readLine(in)
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			return sum, fmt.Errorf("read line %d: %w", number, err)
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			row := lineRow(line, whole, number, source, ids)
			sum.count(row)
			if err := each(row); err != nil {
				return sum, err
			}
		}
		if end {
			return sum, nil
		}
	}
}

func (s *Summary) count(row Row) {
	s.Rows++
	if len(row.Problems) > 0 {
		s.Unusable++
		return
	}
	s.Events++
}

// readLine reads one line, keeping no more of it than an event may have; whole
// says whether that was all of it.
func readLine(in *bufio.Reader) (line []byte, whole bool, err error) {
	whole = true
	for {
		part, err := in.ReadSlice('\n')
		if whole = whole && len(line)+len(part) <= events.MaxEventBytes+2; whole {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, whole, err // io.EOF is passed on as it is
		}
	}
}

func lineRow(line []byte, whole bool, number int, source string, ids *correlation.IDs) Row {
	row := Row{Line: number}
	problem := func(reason string) Row {
		row.Problems = []Problem{{Line: number, Reason: reason}}
		return row
	}
	if !whole || !jsontext.Value(line).IsValid() {
		row.Broken = true
	}
	if !whole {
		return problem(fmt.Sprintf("is longer than an event may be: %d bytes", events.MaxEventBytes))
	}
	var head struct {
		Type string `json:"type"`
	}
	// A line that cannot be read at all is judged by DecodeEvent below, whose
	// words are those of the service that would refuse it.
	_ = json.Unmarshal(line, &head)
	kind := events.Kind(head.Type)
	if kind == "" {
		kind = events.KindPerson
	}
	subject := events.DirectorySubject(source, kind)
	e, err := events.DecodeEvent(subject, line)
	if err == nil && ids != nil {
		row.Person, err = ids.Of(e)
	}
	if err != nil {
		return problem(err.Error())
	}
	row.Event, row.Data, row.Subject = e, bytes.Clone(line), subject
	return row
}
