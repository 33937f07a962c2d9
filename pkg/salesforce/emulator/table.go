package emulator

import (
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// cell is one stored value; absent means null.
type cell struct {
	pos   int32
	value any
}

// record is one row. Its cells are replaced as a whole on update, never
// changed in place, so that undoing is putting the old slice back.
type record struct {
	id         string
	seq        uint32
	deleted    bool
	created    wire.Instant
	modified   wire.Instant
	createdBy  string
	modifiedBy string
	cells      []cell
}

// at reads a stored value.
func (r *record) at(pos int) any { return cellAt(r.cells, pos) }

func cellAt(cells []cell, pos int) any {
	for i := range cells {
		if cells[i].pos == int32(pos) {
			return cells[i].value
		}
	}
	return nil
}

// table holds the rows of one object in one org.
type table struct {
	object  *object
	rows    []*record
	byID    map[string]*record
	indexes map[int]*index
	next    uint64
	dead    int
}

func newTable(o *object) *table {
	t := &table{object: o, byID: map[string]*record{}, indexes: map[int]*index{}}
	for _, f := range o.fields {
		if f.indexed && f.kind != kindID {
			t.indexes[f.pos] = &index{one: map[string]*record{}}
		}
	}
	return t
}

// find returns the row with this 15 or 18 character id, deleted or not.
func (t *table) find(id string) *record { return t.byID[shortID(id)] }

// live returns the row unless it was deleted.
func (t *table) live(id string) *record {
	if r := t.find(id); r != nil && !r.deleted {
		return r
	}
	return nil
}

func (t *table) add(r *record) {
	r.seq = uint32(t.next)
	t.rows = append(t.rows, r)
	t.byID[shortID(r.id)] = r
	t.index(r)
}

// drop forgets a row entirely. Only undoing an insert does that, and undoing
// goes backwards, so the row is the last one.
func (t *table) drop(r *record) {
	t.unindex(r)
	delete(t.byID, shortID(r.id))
	for i := len(t.rows) - 1; i >= 0; i-- {
		if t.rows[i] == r {
			t.rows = slices.Delete(t.rows, i, i+1)
			return
		}
	}
}

// bury marks a row deleted. Its id stays known, because a second delete
// answers ENTITY_IS_DELETED and not NOT_FOUND. [R]
func (t *table) bury(r *record) {
	t.unindex(r)
	r.deleted = true
	t.dead++
	if t.dead > 1024 && t.dead > len(t.rows)/2 {
		t.rows = slices.DeleteFunc(t.rows, func(r *record) bool { return r.deleted })
		t.dead = 0
	}
}

// revive undoes bury.
func (t *table) revive(r *record) {
	r.deleted = false
	t.dead = max(0, t.dead-1)
	if !slices.Contains(t.rows, r) {
		t.rows = append(t.rows, r)
		bySeq(t.rows)
	}
	t.index(r)
}

func (t *table) index(r *record) {
	for pos, ix := range t.indexes {
		if v := r.at(pos); v != nil {
			ix.add(indexKey(t.object.fields[pos], v), r)
		}
	}
}

func (t *table) unindex(r *record) {
	for pos, ix := range t.indexes {
		if v := r.at(pos); v != nil {
			ix.remove(indexKey(t.object.fields[pos], v), r)
		}
	}
}

// replace gives the row new cells and touches only the indexes whose value
// changed.
func (t *table) replace(r *record, cells []cell) {
	for pos, ix := range t.indexes {
		was, is := r.at(pos), cellAt(cells, pos)
		if was == is {
			continue
		}
		if was != nil {
			ix.remove(indexKey(t.object.fields[pos], was), r)
		}
		if is != nil {
			ix.add(indexKey(t.object.fields[pos], is), r)
		}
	}
	r.cells = cells
}

// matches gives the rows whose indexed field has this value, in any order.
func (t *table) matches(f *field, value string) []*record {
	if f.kind == kindID {
		if r := t.live(value); r != nil {
			return []*record{r}
		}
		return nil
	}
	ix := t.indexes[f.pos]
	if ix == nil {
		return nil
	}
	return ix.get(indexKey(f, value))
}

// indexKey folds a value the way SOQL compares it: text without case, ids by
// their first 15 characters.
func indexKey(f *field, v any) string {
	s, ok := v.(string)
	if !ok {
		return string(wire.AppendValue(nil, v))
	}
	if f.kind == kindReference || f.kind == kindID {
		return shortID(s)
	}
	return strings.ToLower(s)
}

// index maps a folded value to rows. Most values have one row, and that case
// costs one map entry; values shared by many rows have a set, so that taking
// one of 100,000 out is not a scan.
type index struct {
	one  map[string]*record
	many map[string]map[*record]struct{}
}

func (ix *index) add(key string, r *record) {
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
		ix.many = map[string]map[*record]struct{}{}
	}
	ix.many[key] = map[*record]struct{}{first: {}, r: {}}
	delete(ix.one, key)
}

func (ix *index) remove(key string, r *record) {
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

func (ix *index) get(key string) []*record {
	if set, ok := ix.many[key]; ok {
		rows := make([]*record, 0, len(set))
		for r := range set {
			rows = append(rows, r)
		}
		return rows
	}
	if r, ok := ix.one[key]; ok {
		return []*record{r}
	}
	return nil
}

// bySeq puts rows into the order they were made.
func bySeq(rows []*record) {
	slices.SortFunc(rows, func(a, b *record) int { return int(a.seq) - int(b.seq) })
}
