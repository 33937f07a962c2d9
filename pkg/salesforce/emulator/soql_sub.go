package emulator

import (
	"fmt"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// semiJoin tests against the rows of an inner query: IN (SELECT ...), NOT IN.
func (c *compiled) semiJoin(f *field, e *soqlCompare) (func(any) bool, error) {
	if len(e.rows.items) != 1 || e.rows.items[0].function != "" || e.rows.items[0].child != nil || e.rows.group != nil {
		return nil, &soqlError{"semi join sub-selects must select a single field"} // [U]
	}
	inner, failure := c.org.compile(e.rows, c.own)
	if failure != nil {
		return nil, failure
	}
	column, failure := inner.path(e.rows.items[0].path)
	if failure != nil {
		return nil, failure
	}
	set := map[any]struct{}{}
	for _, r := range inner.run() {
		if v := column.value(c.org, r); v != nil {
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
	field *field
	plan  *compiled
}

// selectChildren reads (SELECT ... FROM PermissionSetAssignments).
func (c *compiled) selectChildren(q *soqlQuery) *wire.APIError {
	object, f := c.org.childRelation(c.table.object, q.from.text)
	if f == nil || q.count || q.group != nil {
		return c.query.errorAt(q.from, "INVALID_TYPE", fmt.Sprintf("Didn't understand relationship '%s' in FROM part of query call. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.", q.from.text))
	}
	plan, err := c.org.compileOn(q, c.org.table(object.name), c.own)
	if err != nil {
		return err
	}
	if len(plan.counts) > 0 {
		return c.query.errorAt(q.from, "MALFORMED_QUERY", "Only root queries support aggregate expressions") // [U]
	}
	c.root.columns = append(c.root.columns, selectColumn{child: &childNode{f.children, f, plan}})
	return nil
}

// childRelation finds the object and field that a relationship to children
// stands for.
func (o *Org) childRelation(parent *object, name string) (*object, *field) {
	for _, obj := range o.objects {
		for _, f := range obj.fields {
			if f.pointsTo(parent) && strings.EqualFold(f.children, name) {
				return obj, f
			}
		}
	}
	return nil, nil
}

func (f *field) pointsTo(o *object) bool {
	for _, name := range f.referenceTo {
		if name == o.name && f.children != "" {
			return true
		}
	}
	return false
}

// append writes the children of a row like a result of their own; none are
// null. [D]
func (n *childNode) append(b []byte, o *Org, parent *record, version string) []byte {
	t := n.plan.table
	rows := t.matches(n.field, parent.id)
	if t.indexes[n.field.pos] == nil {
		for _, r := range t.rows {
			if id, _ := r.at(n.field.pos).(string); id == parent.id {
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
		b = n.plan.root.append(b, o, r, version)
	}
	return append(b, "]}"...)
}
