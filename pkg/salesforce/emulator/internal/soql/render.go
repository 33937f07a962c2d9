package soql

import (
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Shape is the shape of a result row: columns and nested parents in the
// order they were selected.
type Shape struct {
	Object  *store.Object
	columns []shapeColumn
}

type shapeColumn struct {
	field  *store.Field // a column of this object, or the relation
	parent *Shape       // set for a relation
	child  *childNode   // set for a query of children; then there is no field
}

// ShapeOf reads ?fields=a,b.c; empty means every field of the object.
func ShapeOf(d *store.Data, o *store.Object, list string) (*Shape, *wire.APIError) {
	shape := &Shape{Object: o}
	if list == "" {
		for _, f := range o.Fields {
			if !d.Hides(f) {
				shape.columns = append(shape.columns, shapeColumn{field: f})
			}
		}
		return shape, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		path, ok := pathTo(d, o, strings.TrimSpace(name))
		if !ok {
			return nil, wire.PlatformError(400, "INVALID_FIELD", "No such column '"+name+"' on sobject of type "+o.Name)
		}
		shape.add(d, path)
	}
	return shape, nil
}

// add puts a path into the shape; false when it is there already.
func (n *Shape) add(d *store.Data, p Path) bool {
	for _, rel := range p.relations {
		n = n.child(d, rel)
	}
	for _, c := range n.columns {
		if c.field == p.column && c.parent == nil {
			return false
		}
	}
	n.columns = append(n.columns, shapeColumn{field: p.column})
	return true
}

func (n *Shape) child(d *store.Data, rel *store.Field) *Shape {
	for _, c := range n.columns {
		if c.field == rel && c.parent != nil {
			return c.parent
		}
	}
	parent := &Shape{Object: d.Object(rel.ReferenceTo[0])}
	n.columns = append(n.columns, shapeColumn{field: rel, parent: parent})
	return parent
}

// Append writes one row: attributes first, a missing parent as null. [R]
func (n *Shape) Append(b []byte, d *store.Data, r *store.Record, version string) []byte {
	b = appendAttributes(append(b, '{'), n.Object.Name, r.ID, version)
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
			b = c.parent.Append(b, d, parent, version)
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
