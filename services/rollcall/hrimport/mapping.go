package hrimport

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/correlation"
)

// Mapping says which columns of an export become which attributes. It is safe
// for concurrent use.
type Mapping struct {
	spec       spec
	attributes []attribute
	// columns are all columns the mapping needs, sorted.
	columns []string
	// ids reads the ids of the source, nil where its configuration is not known.
	ids *correlation.IDs
}

// spec is the mapping file.
type spec struct {
	// Source is the source's name in Rollcall's configuration. Required.
	Source string `yaml:"source"`
	// EventSource is the CloudEvents source attribute, a URI.
	// Default urn:rollcall:source:<source>.
	EventSource string `yaml:"eventSource"`
	// Delimiter separates columns: one character. Default comma.
	Delimiter string `yaml:"delimiter"`
	// Correlation is the column that names the person. Required. It is never
	// empty in a usable row.
	Correlation string `yaml:"correlation"`
	// Identity are the columns in which two different people differ. Default
	// all columns of the mapping but SourceVersion.
	Identity []string `yaml:"identity"`
	// SourceVersion is the column with the record's version: a whole number or
	// an RFC 3339 time. Optional.
	SourceVersion string `yaml:"sourceVersion"`
	// Lane is change or backfill. Default backfill: an export is a bulk load.
	Lane events.Lane `yaml:"lane"`
	// Attributes are SCIM attributes, by path.
	Attributes map[string]attributeSpec `yaml:"attributes"`
}

// attributeSpec says where an attribute's value comes from: exactly one of
// Column, Template and Constant. Values are trimmed.
type attributeSpec struct {
	// Column is a column's name.
	Column string `yaml:"column"`
	// Template is text with columns in braces. It is empty where one of them is.
	Template string `yaml:"template"`
	// Constant is the same for everybody.
	Constant string `yaml:"constant"`
	// Values translates the value; one that is not listed is a fault of the row,
	// or stays as it is where KeepOther is set.
	Values    map[string]string `yaml:"values"`
	KeepOther bool              `yaml:"keepOther"`
	// Default stands in for an empty value.
	Default string `yaml:"default"`
	// Required makes an empty value a fault of the row.
	Required bool `yaml:"required"`
	// Lower and ASCII rewrite the value: lower case; accents off.
	Lower bool `yaml:"lower"`
	ASCII bool `yaml:"ascii"`
}

// Load reads the mapping file at path. The error lists every fault.
func Load(path string) (*Mapping, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("column mapping: %w", err)
	}
	m, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("column mapping %s:\n%w", path, err)
	}
	return m, nil
}

// Parse is Load for a mapping that is already in memory.
func Parse(data []byte) (*Mapping, error) {
	var s spec
	dec := yaml.NewDecoder(strings.NewReader(string(data)))
	dec.KnownFields(true)
	if err := dec.Decode(&s); err != nil {
		return nil, yamlFaults(err)
	}
	if err := dec.Decode(&spec{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("  holds more than one YAML document")
	}
	s = s.withDefaults()
	m := &Mapping{spec: s}
	if err := m.compile(); err != nil {
		return nil, err
	}
	return m, nil
}

// Under returns the mapping with what the configuration says of the source's
// correlation ids: rows that write one id in two ways speak of one person, and
// what would be rejected by assignment is a problem of its row.
func (m *Mapping) Under(ids *correlation.IDs) *Mapping {
	out := *m
	out.ids = ids
	return &out
}

// person is the id that a row names its person by, in one form.
func (m *Mapping) person(t *table, rec *record) (string, error) {
	written := t.cell(rec, m.spec.Correlation)
	switch {
	case written == "":
		return "", errors.New("is empty: it names the person")
	case m.ids == nil:
		return written, nil
	}
	return m.ids.Canonical(written)
}

// Source is the name under which the mapping publishes.
func (m *Mapping) Source() string { return m.spec.Source }

// yamlFaults lists what the decoder found, one a line.
func yamlFaults(err error) error {
	var types *yaml.TypeError
	if !errors.As(err, &types) {
		if errors.Is(err, io.EOF) {
			return errors.New("  is empty")
		}
		return fmt.Errorf("  %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	faults := make([]error, len(types.Errors))
	for i, e := range types.Errors {
		e = strings.NewReplacer(" in type hrimport.spec", "", " in type hrimport.attributeSpec", "", "field ", "key ").Replace(e)
		faults[i] = errors.New("  " + strings.Replace(e, "not found", "is not a key of a column mapping", 1))
	}
	return errors.Join(faults...)
}

func (s spec) withDefaults() spec {
	if s.EventSource == "" {
		s.EventSource = "urn:rollcall:source:" + s.Source
	}
	if s.Delimiter == "" {
		s.Delimiter = ","
	}
	if s.Lane == "" {
		s.Lane = events.LaneBackfill
	}
	return s
}

// compile checks the mapping and prepares its attributes.
func (m *Mapping) compile() error {
	var faults []error
	fault := func(where, format string, args ...any) {
		faults = append(faults, fmt.Errorf("  %s: %s", where, fmt.Sprintf(format, args...)))
	}
	m.checkHead(fault)
	columns := map[string]bool{m.spec.Correlation: true}
	for _, path := range slices.Sorted(maps.Keys(m.spec.Attributes)) {
		a, err := newAttribute(path, m.spec.Attributes[path])
		if err != nil {
			fault("attributes."+path, "%s", err)
			continue
		}
		m.attributes = append(m.attributes, a)
		for _, c := range a.columns() {
			columns[c] = true
		}
	}
	if len(m.spec.Identity) == 0 {
		m.spec.Identity = slices.Sorted(maps.Keys(columns))
	}
	for _, c := range append(slices.Clone(m.spec.Identity), m.spec.SourceVersion) {
		columns[c] = true
	}
	delete(columns, "")
	m.columns = slices.Sorted(maps.Keys(columns))
	return errors.Join(faults...)
}

func (m *Mapping) checkHead(fault func(where, format string, args ...any)) {
	s := m.spec
	if err := events.CheckName(s.Source); err != nil {
		fault("source", "%s", err)
	}
	if s.Correlation == "" {
		fault("correlation", "is required: the column that names the person")
	}
	if s.Lane != events.LaneBackfill && s.Lane != events.LaneChange {
		fault("lane", "must be change or backfill, is %q", s.Lane)
	}
	if r, size := utf8.DecodeRuneInString(s.Delimiter); size != len(s.Delimiter) || r == '"' || r == '\r' || r == '\n' || r == utf8.RuneError {
		fault("delimiter", "must be one character, and no quote or line break")
	}
	if len(s.Attributes) == 0 {
		fault("attributes", "is required: nothing would be published")
	}
}

func (m *Mapping) delimiter() rune {
	r, _ := utf8.DecodeRuneInString(m.spec.Delimiter)
	return r
}
