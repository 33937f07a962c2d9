package store

import (
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Kind is the type of a field.
type Kind uint8

// The kinds of fields.
const (
	KindString Kind = iota
	kindEmail
	KindBoolean
	KindInt
	KindDouble
	KindReference
	KindPicklist
	KindDatetime
	KindDate
	KindID
)

// KindCount is how many kinds there are.
const KindCount = KindID + 1

// String is the type as a describe names it. [R camel user.json]
func (k Kind) String() string {
	return [KindCount]string{"string", "email", "boolean", "int", "double", "reference", "picklist", "datetime", "date", "id"}[k]
}

// SOAP is the type as SOAP names it. [R camel user.json, for id and string]
func (k Kind) SOAP() string {
	switch k {
	case KindID, KindReference:
		return "tns:ID"
	case KindBoolean, KindInt, KindDouble, KindDate:
		return "xsd:" + k.String()
	case KindDatetime:
		return "xsd:dateTime"
	}
	return "xsd:string"
}

// Field describes one column. Fields with compute hold no value of their own.
type Field struct {
	Pos           int
	Name          string
	Label         string
	Kind          Kind
	Length        int
	Required      bool
	ReadOnly      bool
	createOnly    bool
	Unique        bool
	ExternalID    bool
	IDLookup      bool
	CaseSensitive bool
	Indexed       bool
	shared        bool // few distinct values: intern them
	Fallback      any  // value on create when none is sent
	Values        []string
	ReferenceTo   []string
	Relationship  string
	Children      string // what the rows that point here are called from there
	compute       func(r *Record) any
}

// Custom says whether the field is one of the customer's own.
func (f *Field) Custom() bool { return strings.HasSuffix(f.Name, "__c") }

// Createable says whether a new record may be sent with the field.
func (f *Field) Createable() bool { return !f.ReadOnly && f.compute == nil }

// Updateable says whether the field may change.
func (f *Field) Updateable() bool { return f.Createable() && !f.createOnly }

// lookup says whether the field may address a record in a path. [D]
func (f *Field) lookup() bool { return f.ExternalID || f.IDLookup || f.Kind == KindID }

// Object describes one sObject type of one org.
type Object struct {
	Name       string
	Label      string
	Prefix     string
	Fields     []*Field
	ByName     map[string]*Field
	byRelation map[string]*Field
	// Setup objects may not share a transaction with others. [D]
	Setup    bool
	NoCreate bool
	NoUpdate bool
	NoDelete bool
	// Untraced rows leave nothing when they are deleted: no list of deleted rows
	// has them.
	Untraced bool
	// Neutral says whether a change may stand beside any other.
	Neutral func(now *Draft) bool
	// Rules run after the generic checks and before the row changes.
	Rules func(t *Tx, now *Draft) *wire.APIError
	// Stored runs after the row changed.
	Stored func(t *Tx, now *Draft)
	// Owned lists junctions, as object and field, whose rows go with this one.
	Owned [][2]string
	// Removed runs after the row was deleted.
	Removed func(t *Tx, r *Record)
	// Existing finds a row that makes an insert a success without a change.
	Existing func(now *Draft) *Record
}

// NewObject has an Id, the fields, and who made and changed a row when.
func NewObject(name, label, prefix string, fields ...*Field) *Object {
	o := &Object{Name: name, Label: label, Prefix: prefix}
	o.Fields = append([]*Field{idField()}, fields...)
	o.Fields = append(o.Fields, auditFields()...)
	o.reindex()
	return o
}

// Add appends columns.
func (o *Object) Add(fields ...*Field) {
	o.Fields = append(o.Fields, fields...)
	o.reindex()
}

func (o *Object) reindex() {
	o.ByName = make(map[string]*Field, 2*len(o.Fields))
	o.byRelation = map[string]*Field{}
	for i, f := range o.Fields {
		f.Pos = i
		o.ByName[f.Name] = f
		o.ByName[strings.ToLower(f.Name)] = f
		if f.Relationship != "" {
			o.byRelation[strings.ToLower(f.Relationship)] = f
		}
	}
}

// Field finds a column by name in any case. [C wso2 uses lower case]
func (o *Object) Field(name string) *Field {
	if f, ok := o.ByName[name]; ok {
		return f
	}
	return o.ByName[strings.ToLower(name)]
}

// Relation finds the column whose reference has this name, in any case.
func (o *Object) Relation(name string) *Field {
	return o.byRelation[strings.ToLower(name)]
}

func idField() *Field {
	return &Field{Name: "Id", Label: "Record ID", Kind: KindID, Length: LongIDLen, IDLookup: true, Indexed: true,
		compute: func(r *Record) any { return r.ID }}
}

func auditFields() []*Field {
	stamp := func(name, label string, get func(r *Record) wire.Instant) *Field {
		return &Field{Name: name, Label: label, Kind: KindDatetime, compute: func(r *Record) any { return get(r) }}
	}
	by := func(name, label, relation string, get func(r *Record) string) *Field {
		return &Field{Name: name, Label: label, Kind: KindReference, Length: LongIDLen, ReferenceTo: []string{"User"},
			Relationship: relation, compute: func(r *Record) any { return wire.TextOrNil(get(r)) }}
	}
	return []*Field{
		stamp("CreatedDate", "Created Date", func(r *Record) wire.Instant { return r.Created }),
		by("CreatedById", "Created By ID", "CreatedBy", func(r *Record) string { return r.CreatedBy }),
		stamp("LastModifiedDate", "Last Modified Date", func(r *Record) wire.Instant { return r.Modified }),
		by("LastModifiedById", "Last Modified By ID", "LastModifiedBy", func(r *Record) string { return r.ModifiedBy }),
		stamp("SystemModstamp", "System Modstamp", func(r *Record) wire.Instant { return r.Modified }),
	}
}

func (f *Field) allows(value string) bool {
	return len(f.Values) == 0 || slices.Contains(f.Values, value)
}

// PointsTo says whether rows point to those of an object by this field, under a
// name that queries know.
func (f *Field) PointsTo(o *Object) bool {
	for _, name := range f.ReferenceTo {
		if name == o.Name && f.Children != "" {
			return true
		}
	}
	return false
}
