package soql

import (
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// semiJoin tests against the rows of an inner query: IN (SELECT ...), NOT IN.
func (c *Plan) semiJoin(f *store.Field, e *comparison) (func(any) bool, error) {
	if len(e.rows.items) != 1 || e.rows.items[0].function != "" || e.rows.items[0].child != nil || e.rows.group != nil {
		return nil, &syntaxError{"semi join sub-selects must select a single field"} // [U]
	}
	inner, failure := Compile(c.data, e.rows, c.own)
	if failure != nil {
		return nil, failure
	}
	column, failure := inner.path(e.rows.items[0].path)
	if failure != nil {
		return nil, failure
	}
	set := map[any]struct{}{}
	for _, r := range inner.Run() {
		if v := column.Value(c.data, r); v != nil {
			set[folded(column.column, v)] = struct{}{}
		}
	}
	negate := e.op == "not in"
	return func(v any) bool {
		if v == nil {
			return negate
		}
		_, in := set[folded(f, v)]
		return in != negate
	}, nil
}

// childNode is a query of the rows that point to a row.
type childNode struct {
	name  string
	field *store.Field
	plan  *Plan
}

// selectChildren reads (SELECT ... FROM PermissionSetAssignments).
func (c *Plan) selectChildren(q *Query) *wire.APIError {
	object, f := c.data.ChildRelation(c.table.Object, q.from.text)
	if f == nil || q.count || q.group != nil {
		return c.query.errorAt(q.from, "INVALID_TYPE", fmt.Sprintf("Didn't understand relationship '%s' in FROM part of query call. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.", q.from.text))
	}
	plan, err := compileOn(c.data, q, c.data.Table(object.Name), c.own)
	if err != nil {
		return err
	}
	if len(plan.counts) > 0 {
		return c.query.errorAt(q.from, "MALFORMED_QUERY", "Only root queries support aggregate expressions") // [U]
	}
	c.root.columns = append(c.root.columns, shapeColumn{child: &childNode{f.Children, f, plan}})
	return nil
}

// append writes the children of a row like a result of their own; none are
// null. [D]
func (n *childNode) append(b []byte, d *store.Data, parent *store.Record, version string) []byte {
	t := n.plan.table
	rows := t.Matches(n.field, parent.ID)
	if !t.Indexed(n.field) {
		for _, r := range t.Rows {
			if id, _ := r.At(n.field.Pos).(string); id == parent.ID {
				rows = append(rows, r)
			}
		}
	}
	b = append(wire.AppendString(b, n.name), ':')
	if rows = n.plan.among(rows, true); len(rows) == 0 {
		return append(b, "null"...)
	}
	b = fmt.Appendf(b, `{"totalSize":%d,"done":true,"records":[`, len(rows))
	for i, r := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = n.plan.root.Append(b, d, r, version)
	}
	return append(b, "]}"...)
}
