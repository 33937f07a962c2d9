package hrimport

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// maxShownLines is how many lines of one id a problem names.
const maxShownLines = 8

type digest [16]byte

// census is who is in the file: what the first reading keeps per person.
type census struct {
	people map[digest]*entrant
}

// entrant is one correlation id of the file.
type entrant struct {
	identity digest
	content  digest
	version  string
	// winner is the line whose row is published.
	winner int
	lines  []int
	count  int
	// twoPeople, disagree: why no row of the id can be used.
	twoPeople bool
	disagree  bool
}

// count reads the whole file for who is in it.
func (m *Mapping) census(r io.Reader) (*census, error) {
	t, err := newTable(r, m.delimiter(), m.columns)
	if err != nil {
		return nil, err
	}
	c := &census{people: map[digest]*entrant{}}
	for {
		rec, err := t.next()
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		if err != nil {
			return nil, err
		}
		if !t.whole(&rec) {
			continue
		}
		if id, err := m.person(t, &rec); err == nil {
			c.add(m, t, &rec, id)
		}
	}
}

func (c *census) add(m *Mapping, t *table, rec *record, id string) {
	key := hash(id)
	identity := hash(t.cellsOf(rec, m.spec.Identity)...)
	content := hash(t.cellsOf(rec, m.columns)...)
	version := ""
	if m.spec.SourceVersion != "" {
		version = t.cell(rec, m.spec.SourceVersion)
	}
	e, known := c.people[key]
	if !known {
		c.people[key] = &entrant{identity: identity, content: content, version: version, winner: rec.line, lines: []int{rec.line}, count: 1}
		return
	}
	e.count++
	if len(e.lines) < maxShownLines {
		e.lines = append(e.lines, rec.line)
	}
	switch {
	case e.identity != identity:
		e.twoPeople = true
	case e.content == content:
	default:
		e.decide(content, version, rec.line)
	}
}

// decide lets the newer of two versions win. Two rows without a version, or
// with the same one, disagree.
func (e *entrant) decide(content digest, version string, line int) {
	if version == "" || e.version == "" {
		e.disagree = true
		return
	}
	order, err := events.CompareSourceVersions(version, e.version)
	switch {
	case err != nil || order == 0:
		e.disagree = true
	case order > 0:
		e.content, e.version, e.winner = content, version, line
	}
}

func (c *census) of(key string) *entrant { return c.people[hash(key)] }

// others lists the lines of the id but one.
func (e *entrant) others(line int) string {
	var out []string
	for _, l := range e.lines {
		if l != line {
			out = append(out, strconv.Itoa(l))
		}
	}
	if more := e.count - 1 - len(out); more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(out, ", ")
}

// hash is over the parts with their lengths, so that no two lists are one text.
func hash(parts ...string) digest {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:", len(p))
		h.Write([]byte(p))
	}
	return digest(h.Sum(nil)[:16])
}
