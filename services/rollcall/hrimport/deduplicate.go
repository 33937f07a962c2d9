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

// deduplication is which rows speak of whom: what the first reading keeps.
type deduplication struct {
	sets map[digest]*duplicateSet
}

// duplicateSet is the rows of one correlation id, of which at most one counts.
type duplicateSet struct {
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

// deduplicate reads the whole file for which rows speak of whom.
func (m *Mapping) deduplicate(r io.Reader) (*deduplication, error) {
	t, err := newTable(r, m.delimiter(), m.columns)
	if err != nil {
		return nil, err
	}
	d := &deduplication{sets: map[digest]*duplicateSet{}}
	for {
		rec, err := t.next()
		if errors.Is(err, io.EOF) {
			return d, nil
		}
		if err != nil {
			return nil, err
		}
		if !t.whole(&rec) {
			continue
		}
		if id, err := m.person(t, &rec); err == nil {
			d.add(m, t, &rec, id)
		}
	}
}

func (d *deduplication) add(m *Mapping, t *table, rec *record, id string) {
	key := hash(id)
	identity := hash(t.cellsOf(rec, m.spec.Identity)...)
	content := hash(t.cellsOf(rec, m.columns)...)
	version := ""
	if m.spec.SourceVersion != "" {
		version = t.cell(rec, m.spec.SourceVersion)
	}
	s, known := d.sets[key]
	if !known {
		d.sets[key] = &duplicateSet{identity: identity, content: content, version: version, winner: rec.line, lines: []int{rec.line}, count: 1}
		return
	}
	s.count++
	if len(s.lines) < maxShownLines {
		s.lines = append(s.lines, rec.line)
	}
	switch {
	case s.identity != identity:
		s.twoPeople = true
	case s.content == content:
	default:
		s.decide(content, version, rec.line)
	}
}

// decide lets the newer of two versions win. Two rows without a version, or
// with the same one, disagree.
func (s *duplicateSet) decide(content digest, version string, line int) {
	if version == "" || s.version == "" {
		s.disagree = true
		return
	}
	order, err := events.CompareSourceVersions(version, s.version)
	switch {
	case err != nil || order == 0:
		s.disagree = true
	case order > 0:
		s.content, s.version, s.winner = content, version, line
	}
}

func (d *deduplication) of(key string) *duplicateSet { return d.sets[hash(key)] }

// others lists the lines of the id but one.
func (s *duplicateSet) others(line int) string {
	var out []string
	for _, l := range s.lines {
		if l != line {
			out = append(out, strconv.Itoa(l))
		}
	}
	if more := s.count - 1 - len(out); more > 0 {
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
