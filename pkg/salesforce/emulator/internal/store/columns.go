package store

// Text is a column of text of so many characters.
func Text(name, label string, length int) *Field {
	return &Field{Name: name, Label: label, Length: length}
}

// Mail is a column that holds an e-mail address.
func Mail(name, label string, length int) *Field {
	return &Field{Name: name, Label: label, Length: length, Kind: kindEmail}
}

// Flag is true or false, and never null.
func Flag(name, label string, fallback bool) *Field {
	return &Field{Name: name, Label: label, Kind: KindBoolean, Fallback: fallback}
}

// Number is a whole number.
func Number(name, label string) *Field {
	return &Field{Name: name, Label: label, Kind: KindInt}
}

// Reference points to rows of other objects; relation is what queries call the
// row it points to.
func Reference(name, label, relation string, to ...string) *Field {
	return &Field{Name: name, Label: label, Kind: KindReference, Length: LongIDLen, Relationship: relation, ReferenceTo: to, shared: true}
}

// Picklist has one of the values, or any where none is listed.
func Picklist(name, label string, values ...string) *Field {
	return &Field{Name: name, Label: label, Kind: KindPicklist, Length: 40, Values: values, shared: true}
}

// Computed has no value of its own.
func Computed(name, label string, kind Kind, fn func(r *Record) any) *Field {
	return &Field{Name: name, Label: label, Kind: kind, Length: 255, compute: fn}
}

// Must is required.
func (f *Field) Must() *Field { f.Required = true; return f }

// Fixed is read-only.
func (f *Field) Fixed() *Field { f.ReadOnly = true; return f }

// Once may be set on create alone.
func (f *Field) Once() *Field { f.createOnly = true; return f }

// Index lets queries find rows by the column.
func (f *Field) Index() *Field { f.Indexed = true; return f }

// Share keeps one copy of values that many rows have.
func (f *Field) Share() *Field { f.shared = true; return f }

// LookedUp may address a record in a path.
func (f *Field) LookedUp() *Field { f.IDLookup = true; f.Indexed = true; return f }

// Or is the value on create when none is sent.
func (f *Field) Or(v any) *Field { f.Fallback = v; return f }

// Named is what the rows that point here are called from there.
func (f *Field) Named(children string) *Field { f.Children = children; return f }

// Long is the length of a computed text.
func (f *Field) Long(n int) *Field { f.Length = n; return f }
