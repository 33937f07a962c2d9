package emulator

import (
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

type fieldKind uint8

const (
	kindString fieldKind = iota
	kindEmail
	kindBoolean
	kindInt
	kindDouble
	kindReference
	kindPicklist
	kindDatetime
	kindDate
	kindID
)

// kindCount is how many kinds there are.
const kindCount = kindID + 1

// String is the type as a describe names it. [R camel user.json]
func (k fieldKind) String() string {
	return [kindCount]string{"string", "email", "boolean", "int", "double", "reference", "picklist", "datetime", "date", "id"}[k]
}

// soap is the type as SOAP names it. [R camel user.json, for id and string]
func (k fieldKind) soap() string {
	switch k {
	case kindID, kindReference:
		return "tns:ID"
	case kindBoolean, kindInt, kindDouble, kindDate:
		return "xsd:" + k.String()
	case kindDatetime:
		return "xsd:dateTime"
	}
	return "xsd:string"
}

// field describes one column. Fields with compute hold no value of their own.
type field struct {
	pos           int
	name          string
	label         string
	kind          fieldKind
	length        int
	required      bool
	readOnly      bool
	createOnly    bool
	unique        bool
	externalID    bool
	idLookup      bool
	caseSensitive bool
	indexed       bool
	shared        bool // few distinct values: intern them
	fallback      any  // value on create when none is sent
	values        []string
	referenceTo   []string
	relationship  string
	children      string // what the rows that point here are called from there
	compute       func(o *Org, r *record) any
}

func (f *field) custom() bool { return strings.HasSuffix(f.name, "__c") }

func (f *field) createable() bool { return !f.readOnly && f.compute == nil }

func (f *field) updateable() bool { return f.createable() && !f.createOnly }

// lookup says whether the field may address a record in a path. [D]
func (f *field) lookup() bool { return f.externalID || f.idLookup || f.kind == kindID }

// object describes one sObject type of one org.
type object struct {
	name       string
	label      string
	prefix     string
	fields     []*field
	byName     map[string]*field
	byRelation map[string]*field
	// setup objects may not share a transaction with others. [D]
	setup    bool
	noCreate bool
	noUpdate bool
	noDelete bool
	// rules run after the generic checks and before the row changes.
	rules func(t *tx, now *draft) *wire.APIError
	// stored runs after the row changed.
	stored func(t *tx, now *draft)
	// owned lists junctions, as object and field, whose rows go with this one.
	owned [][2]string
	// removed runs after the row was deleted.
	removed func(t *tx, r *record)
	// existing finds a row that makes an insert a success without a change.
	existing func(o *Org, now *draft) *record
}

func newObject(name, label, prefix string, fields ...*field) *object {
	o := &object{name: name, label: label, prefix: prefix}
	o.fields = append([]*field{idField()}, fields...)
	o.fields = append(o.fields, auditFields()...)
	o.reindex()
	return o
}

func (o *object) reindex() {
	o.byName = make(map[string]*field, 2*len(o.fields))
	o.byRelation = map[string]*field{}
	for i, f := range o.fields {
		f.pos = i
		o.byName[f.name] = f
		o.byName[strings.ToLower(f.name)] = f
		if f.relationship != "" {
			o.byRelation[strings.ToLower(f.relationship)] = f
		}
	}
}

// field finds a column by name in any case. [C wso2 uses lower case]
func (o *object) field(name string) *field {
	if f, ok := o.byName[name]; ok {
		return f
	}
	return o.byName[strings.ToLower(name)]
}

func (o *object) relation(name string) *field {
	return o.byRelation[strings.ToLower(name)]
}

func (o *object) addCustom(fields []CustomField) {
	for _, c := range fields {
		o.fields = append(o.fields, c.field())
	}
	o.reindex()
}

func idField() *field {
	return &field{name: "Id", label: "Record ID", kind: kindID, length: longIDLen, idLookup: true, indexed: true,
		compute: func(_ *Org, r *record) any { return r.id }}
}

func auditFields() []*field {
	stamp := func(name, label string, get func(r *record) wire.Instant) *field {
		return &field{name: name, label: label, kind: kindDatetime, compute: func(_ *Org, r *record) any { return get(r) }}
	}
	by := func(name, label, relation string, get func(r *record) string) *field {
		return &field{name: name, label: label, kind: kindReference, length: longIDLen, referenceTo: []string{"User"},
			relationship: relation, compute: func(_ *Org, r *record) any { return wire.TextOrNil(get(r)) }}
	}
	return []*field{
		stamp("CreatedDate", "Created Date", func(r *record) wire.Instant { return r.created }),
		by("CreatedById", "Created By ID", "CreatedBy", func(r *record) string { return r.createdBy }),
		stamp("LastModifiedDate", "Last Modified Date", func(r *record) wire.Instant { return r.modified }),
		by("LastModifiedById", "Last Modified By ID", "LastModifiedBy", func(r *record) string { return r.modifiedBy }),
		stamp("SystemModstamp", "System Modstamp", func(r *record) wire.Instant { return r.modified }),
	}
}

func text(name, label string, length int) *field {
	return &field{name: name, label: label, length: length}
}

func mail(name, label string, length int) *field {
	return &field{name: name, label: label, length: length, kind: kindEmail}
}

func flag(name, label string, fallback bool) *field {
	return &field{name: name, label: label, kind: kindBoolean, fallback: fallback}
}

func number(name, label string) *field {
	return &field{name: name, label: label, kind: kindInt}
}

func reference(name, label, relation string, to ...string) *field {
	return &field{name: name, label: label, kind: kindReference, length: longIDLen, relationship: relation, referenceTo: to, shared: true}
}

func picklist(name, label string, values ...string) *field {
	return &field{name: name, label: label, kind: kindPicklist, length: 40, values: values, shared: true}
}

func (f *field) must() *field     { f.required = true; return f }
func (f *field) fixed() *field    { f.readOnly = true; return f }
func (f *field) once() *field     { f.createOnly = true; return f }
func (f *field) index() *field    { f.indexed = true; return f }
func (f *field) share() *field    { f.shared = true; return f }
func (f *field) lookedUp() *field { f.idLookup = true; f.indexed = true; return f }

func (f *field) or(v any) *field { f.fallback = v; return f }

func computed(name, label string, kind fieldKind, fn func(o *Org, r *record) any) *field {
	return &field{name: name, label: label, kind: kind, length: 255, compute: fn}
}

func (f *field) named(children string) *field { f.children = children; return f }

func (f *field) long(n int) *field { f.length = n; return f }

func (f *field) allows(value string) bool {
	return len(f.values) == 0 || slices.Contains(f.values, value)
}

// CustomField declares a custom field of User.
type CustomField struct {
	// Name ends in __c.
	Name string `json:"name"`
	// Label defaults to the name without __c.
	Label string `json:"label,omitempty"`
	// Type is string (default), email, boolean, int, double, date or datetime.
	Type string `json:"type,omitempty"`
	// Length defaults to 255.
	Length int `json:"length,omitempty"`
	// ExternalID allows addressing a record by this field, and indexes it.
	ExternalID bool `json:"externalId,omitempty"`
	// Unique refuses a value a second time.
	Unique bool `json:"unique,omitempty"`
	// CaseSensitive makes Unique tell upper from lower case.
	CaseSensitive bool `json:"caseSensitive,omitempty"`
}

func (c CustomField) field() *field {
	f := &field{name: c.Name, label: c.Label, length: c.Length, unique: c.Unique, externalID: c.ExternalID,
		caseSensitive: c.CaseSensitive, indexed: c.ExternalID || c.Unique}
	if f.label == "" {
		f.label = strings.ReplaceAll(strings.TrimSuffix(c.Name, "__c"), "_", " ")
	}
	if f.length == 0 {
		f.length = 255
	}
	for k := range kindCount {
		if k.String() == c.Type {
			f.kind = k
		}
	}
	if f.kind == kindBoolean {
		f.fallback = false
	}
	return f
}
