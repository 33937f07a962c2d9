package emulator

import (
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// selectNode is the shape of a result row: columns and nested parents in the
// order they were selected.
type selectNode struct {
	object  *store.Object
	columns []selectColumn
}

type selectColumn struct {
	field  *store.Field // a column of this object, or the relation
	parent *selectNode  // set for a relation
	child  *childNode   // set for a query of children; then there is no field
}

// add puts a path into the shape; false when it is there already.
func (n *selectNode) add(d *store.Data, p soqlPath) bool {
	for _, rel := range p.relations {
		n = n.child(d, rel)
	}
	for _, c := range n.columns {
		if c.field == p.column && c.parent == nil {
			return false
		}
	}
	n.columns = append(n.columns, selectColumn{field: p.column})
	return true
}

func (n *selectNode) child(d *store.Data, rel *store.Field) *selectNode {
	for _, c := range n.columns {
		if c.field == rel && c.parent != nil {
			return c.parent
		}
	}
	parent := &selectNode{object: d.Object(rel.ReferenceTo[0])}
	n.columns = append(n.columns, selectColumn{field: rel, parent: parent})
	return parent
}

// append writes one row: attributes first, a missing parent as null. [R]
func (n *selectNode) append(b []byte, d *store.Data, r *store.Record, version string) []byte {
	b = appendAttributes(append(b, '{'), n.object.Name, r.ID, version)
	for _, c := range n.columns {
		b = append(b, ',')
		if c.child != nil {
			b = c.child.append(b, d, r, version)
			continue
		}
		if c.parent == nil {
			b = append(wire.AppendString(b, c.field.Name), ':')
			b = wire.AppendValue(b, d.Value(r, c.field))
			continue
		}
		b = append(wire.AppendString(b, c.field.Relationship), ':')
		if parent := d.Parent(r, c.field); parent != nil {
			b = c.parent.append(b, d, parent, version)
		} else {
			b = append(b, "null"...)
		}
	}
	return append(b, '}')
}

func appendAttributes(b []byte, object, id, version string) []byte {
	b = append(b, `"attributes":{"type":"`...)
	b = append(b, object...)
	b = append(b, `","url":"/services/data/v`...)
	b = append(b, version...)
	b = append(b, "/sobjects/"...)
	b = append(b, object...)
	b = append(b, '/')
	b = append(b, id...)
	return append(b, `"}`...)
}
