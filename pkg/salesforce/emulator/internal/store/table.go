package store

import (
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Cell is one stored value; absent means null.
type Cell struct {
	Pos   int32
	Value any
}

// Cell is the field holding a value.
func (f *Field) Cell(v any) Cell { return Cell{int32(f.Pos), v} }

// Record is one row. Its cells are replaced as a whole on update, never
// changed in place, so that undoing is putting the old slice back.
type Record struct {
	ID         string
	seq        uint32
	Deleted    bool
	Created    wire.Instant
	Modified   wire.Instant
	CreatedBy  string
	ModifiedBy string
	Cells      []Cell
}

// At reads a stored value.
func (r *Record) At(pos int) any { return CellAt(r.Cells, pos) }

// CellAt finds the value of a column, null when there is none.
func CellAt(cells []Cell, pos int) any {
	for i := range cells {
		if cells[i].Pos == int32(pos) {
			return cells[i].Value
		}
	}
	return nil
}

// Table holds the rows of one object in one org.
type Table struct {
	Object  *Object
	Rows    []*Record
	byID    map[string]*Record
	indexes map[int]*index
	Next    uint64
	dead    int
}

func newTable(o *Object) *Table {
	t := &Table{Object: o, byID: map[string]*Record{}, indexes: map[int]*index{}}
	for _, f := range o.Fields {
		if f.Indexed && f.Kind != KindID {
			t.indexes[f.Pos] = &index{one: map[string]*Record{}}
		}
	}
	return t
}

// Find returns the row with this 15 or 18 character id, deleted or not.
func (t *Table) Find(id string) *Record { return t.byID[ShortID(id)] }

// Live returns the row unless it was deleted.
func (t *Table) Live(id string) *Record {
	if r := t.Find(id); r != nil && !r.Deleted {
		return r
	}
	return nil
}

// Add takes a row in.
func (t *Table) Add(r *Record) {
	r.seq = uint32(t.Next)
	t.Rows = append(t.Rows, r)
	t.byID[ShortID(r.ID)] = r
	t.index(r)
}

// Drop forgets a row entirely. Only undoing an insert does that, and undoing
// goes backwards, so the row is the last one.
func (t *Table) Drop(r *Record) {
	t.unindex(r)
	delete(t.byID, ShortID(r.ID))
	for i := len(t.Rows) - 1; i >= 0; i-- {
		if t.Rows[i] == r {
			t.Rows = slices.Delete(t.Rows, i, i+1)
			return
		}
	}
}

// bury marks a row deleted. Its id stays known, because a second delete
// answers ENTITY_IS_DELETED and not NOT_FOUND. [R]
func (t *Table) bury(r *Record) {
	t.unindex(r)
	r.Deleted = true
	t.dead++
	if t.dead > 1024 && t.dead > len(t.Rows)/2 {
		t.Rows = slices.DeleteFunc(t.Rows, func(r *Record) bool { return r.Deleted })
		t.dead = 0
	}
}

// revive undoes bury.
func (t *Table) revive(r *Record) {
	r.Deleted = false
	t.dead = max(0, t.dead-1)
	if !slices.Contains(t.Rows, r) {
		t.Rows = append(t.Rows, r)
		BySeq(t.Rows)
	}
	t.index(r)
}

func (t *Table) index(r *Record) {
	for pos, ix := range t.indexes {
		if v := r.At(pos); v != nil {
			ix.add(IndexKey(t.Object.Fields[pos], v), r)
		}
	}
}

func (t *Table) unindex(r *Record) {
	for pos, ix := range t.indexes {
		if v := r.At(pos); v != nil {
			ix.remove(IndexKey(t.Object.Fields[pos], v), r)
		}
	}
}

// replace gives the row new cells and touches only the indexes whose value
// changed.
func (t *Table) replace(r *Record, cells []Cell) {
	for pos, ix := range t.indexes {
		was, is := r.At(pos), CellAt(cells, pos)
		if was == is {
			continue
		}
		if was != nil {
			ix.remove(IndexKey(t.Object.Fields[pos], was), r)
		}
		if is != nil {
			ix.add(IndexKey(t.Object.Fields[pos], is), r)
		}
	}
	r.Cells = cells
}

// Matches gives the rows whose indexed field has this value, in any order.
func (t *Table) Matches(f *Field, value string) []*Record {
	if f.Kind == KindID {
		if r := t.Live(value); r != nil {
			return []*Record{r}
		}
		return nil
	}
	ix := t.indexes[f.Pos]
	if ix == nil {
		return nil
	}
	return ix.get(IndexKey(f, value))
}

// Indexed says whether matches knows the field.
func (t *Table) Indexed(f *Field) bool { return f.Kind == KindID || t.indexes[f.Pos] != nil }

// IndexKey folds a value the way SOQL compares it: text without case, ids by
// their first 15 characters.
func IndexKey(f *Field, v any) string {
	s, ok := v.(string)
	if !ok {
		return string(wire.AppendValue(nil, v))
	}
	if f.Kind == KindReference || f.Kind == KindID {
		return ShortID(s)
	}
	return strings.ToLower(s)
}

// index maps a folded value to rows. Most values have one row, and that case
// costs one map entry; values shared by many rows have a set, so that taking
// one of 100,000 out is not a scan.
type index struct {
	one  map[string]*Record
	many map[string]map[*Record]struct{}
}

func (ix *index) add(key string, r *Record) {
	if set, ok := ix.many[key]; ok {
		set[r] = struct{}{}
		return
	}
	first, taken := ix.one[key]
	if !taken {
		ix.one[key] = r
		return
	}
	if first == r {
		return
	}
	if ix.many == nil {
		ix.many = map[string]map[*Record]struct{}{}
	}
	ix.many[key] = map[*Record]struct{}{first: {}, r: {}}
	delete(ix.one, key)
}

func (ix *index) remove(key string, r *Record) {
	if set, ok := ix.many[key]; ok {
		delete(set, r)
		if len(set) == 0 {
			delete(ix.many, key)
		}
		return
	}
	if ix.one[key] == r {
		delete(ix.one, key)
	}
}

func (ix *index) get(key string) []*Record {
	if set, ok := ix.many[key]; ok {
		rows := make([]*Record, 0, len(set))
		for r := range set {
			rows = append(rows, r)
		}
		return rows
	}
	if r, ok := ix.one[key]; ok {
		return []*Record{r}
	}
	return nil
}

// BySeq puts rows into the order they were made.
func BySeq(rows []*Record) {
	slices.SortFunc(rows, func(a, b *Record) int { return int(a.seq) - int(b.seq) })
}
