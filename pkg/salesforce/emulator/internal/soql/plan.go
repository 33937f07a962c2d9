package soql

import (
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// Run finds the rows of a query in the order asked for.
func (c *Plan) Run() []*store.Record {
	rows, indexed := c.candidates(c.query.where)
	if !indexed {
		rows = c.table.Rows
	}
	return c.among(rows, indexed)
}

// among finds the rows of the query among these, which are in no order when
// mixed is set.
func (c *Plan) among(rows []*store.Record, mixed bool) []*store.Record {
	out := make([]*store.Record, 0, min(len(rows), 2048))
	for _, r := range rows {
		if !r.Deleted && (c.where == nil || c.where(r)) {
			out = append(out, r)
		}
	}
	if mixed {
		store.BySeq(out)
	}
	c.sort(out)
	if c.group != nil {
		return out // its limit is on the groups
	}
	return window(out, c.query)
}

// window applies OFFSET and LIMIT.
func window[T any](list []T, q *Query) []T {
	if q.offset > 0 {
		list = list[min(q.offset, len(list)):]
	}
	if q.limit >= 0 && q.limit < len(list) {
		list = list[:q.limit]
	}
	return list
}

// candidates uses indexes where it can: a superset of the result, each row
// once, or false when only a scan will do.
func (c *Plan) candidates(e expr) ([]*store.Record, bool) {
	switch e := e.(type) {
	case *comparison:
		return c.lookup(e)
	case *and:
		var best []*store.Record
		found := false
		for _, part := range e.parts {
			if rows, ok := c.candidates(part); ok && (!found || len(rows) < len(best)) {
				best, found = rows, true
			}
		}
		return best, found
	case *or:
		var all []*store.Record
		for _, part := range e.parts {
			rows, ok := c.candidates(part)
			if !ok {
				return nil, false
			}
			all = append(all, rows...)
		}
		return distinct(all), true
	}
	return nil, false
}

// lookup serves = and IN on an indexed column, also through relations whose
// reference columns are indexed.
func (c *Plan) lookup(e *comparison) ([]*store.Record, bool) {
	if e.op != "=" && e.op != "in" || e.rows != nil {
		return nil, false
	}
	path, err := c.path(e.path)
	if err != nil || !path.column.Indexed {
		return nil, false
	}
	tables := []*store.Table{c.table}
	for _, rel := range path.relations {
		if !rel.Indexed || len(rel.ReferenceTo) != 1 {
			return nil, false
		}
		tables = append(tables, c.data.Table(rel.ReferenceTo[0]))
	}
	rows, ok := valuesIn(tables[len(tables)-1], path.column, e.values)
	for i := len(path.relations) - 1; i >= 0 && ok; i-- {
		var children []*store.Record
		for _, parent := range rows {
			children = append(children, tables[i].Matches(path.relations[i], parent.ID)...)
		}
		rows = children
	}
	return distinct(rows), ok
}

func valuesIn(t *store.Table, f *store.Field, values []token) ([]*store.Record, bool) {
	rows := make([]*store.Record, 0, len(values))
	for _, token := range values {
		if token.is("null") {
			return nil, false // null is not in the index
		}
		v, err := literal(f, token)
		if err != nil {
			return nil, false
		}
		rows = append(rows, t.Matches(f, store.IndexKey(f, v))...)
	}
	return rows, true
}

func distinct(rows []*store.Record) []*store.Record {
	if len(rows) < 2 {
		return rows
	}
	seen := make(map[*store.Record]struct{}, len(rows))
	return slices.DeleteFunc(rows, func(r *store.Record) bool {
		_, again := seen[r]
		seen[r] = struct{}{}
		return again
	})
}

// sort applies ORDER BY; nulls come first unless told otherwise. [D]
func (c *Plan) sort(rows []*store.Record) {
	if len(c.order) == 0 {
		return
	}
	slices.SortStableFunc(rows, func(a, b *store.Record) int {
		for i := range c.order {
			if d := c.before(i, a, b); d != 0 {
				return d
			}
		}
		return 0
	})
}

func (c *Plan) before(i int, a, b *store.Record) int {
	p, by := &c.order[i], c.query.order[i]
	x, y := p.Value(c.data, a), p.Value(c.data, b)
	if (x == nil) != (y == nil) {
		if (x == nil) != by.nullsLast {
			return -1
		}
		return 1
	}
	d := compareValues(folded(p.column, x), folded(p.column, y))
	if by.desc {
		return -d
	}
	return d
}
