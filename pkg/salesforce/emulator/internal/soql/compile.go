package soql

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Path is a resolved field path: relations to follow, then the column.
type Path struct {
	relations []*store.Field
	column    *store.Field
}

// Value reads the path from a row; a missing parent makes it null.
func (p *Path) Value(d *store.Data, r *store.Record) any {
	for _, rel := range p.relations {
		if r = d.Parent(r, rel); r == nil {
			return nil
		}
	}
	return d.Value(r, p.column)
}

// Name is the path as a column of a result: Profile.Name.
func (p *Path) Name() string {
	var b strings.Builder
	for _, rel := range p.relations {
		b.WriteString(rel.Relationship + ".")
	}
	return b.String() + p.column.Name
}

// Plan is a query bound to an org's objects.
type Plan struct {
	query   *Query
	data    *store.Data
	own     bool // the emulator's own question, which sees every field
	table   *store.Table
	root    *Shape
	where   predicate
	order   []Path
	counts  []string // aliases of COUNT(field), for an aggregate result
	counted []Path
	group   []Path     // GROUP BY
	keys    []groupKey // what an aggregate result shows, in the order selected
}

// Object is what the rows are.
func (c *Plan) Object() *store.Object { return c.table.Object }

// Shape is how a row is written.
func (c *Plan) Shape() *Shape { return c.root }

// Fields are the paths selected; false when something else is selected too.
func (c *Plan) Fields() ([]Path, bool) {
	out := make([]Path, 0, len(c.query.items))
	for _, item := range c.query.items {
		path, err := c.path(item.path)
		if err != nil || item.function != "" || item.child != nil {
			return nil, false
		}
		out = append(out, path)
	}
	return out, true
}

type predicate func(r *store.Record) bool

// Compile resolves every name; the error is the answer's error.
func Compile(d *store.Data, q *Query, own bool) (*Plan, *wire.APIError) {
	t := d.Table(q.from.text)
	if t == nil {
		return nil, q.errorAt(q.from, "INVALID_TYPE", fmt.Sprintf("sObject type '%s' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.", q.from.text))
	}
	return compileOn(d, q, t, own)
}

// compileOn resolves every name of a query of one table.
func compileOn(d *store.Data, q *Query, t *store.Table, own bool) (*Plan, *wire.APIError) {
	c := &Plan{query: q, data: d, own: own, table: t, root: &Shape{Object: t.Object}}
	if err := c.groups(); err != nil {
		return nil, err
	}
	if err := c.selects(); err != nil {
		return nil, err
	}
	if q.where != nil {
		var err *wire.APIError
		if c.where, err = c.condition(q.where); err != nil {
			return nil, err
		}
	}
	for _, by := range q.order {
		path, err := c.path(by.path)
		if err != nil {
			return nil, err
		}
		c.order = append(c.order, path)
	}
	return c, nil
}

// errorAt points at a token the way Salesforce does: a window of the query, a
// caret under the token, row and column. The window's left edge is fitted to
// the one recorded body. [R amp-labs unknown-object.json]
func (q *Query) errorAt(t token, code, message string) *wire.APIError {
	const before, after = 32, 48
	start := max(0, t.pos-before)
	end := min(len(q.text), t.pos+len(t.text)+after)
	window := strings.ToValidUTF8(q.text[start:end], "")
	row := 1 + strings.Count(q.text[:t.pos], "\n")
	column := t.pos - strings.LastIndexByte(q.text[:t.pos], '\n')
	return wire.PlatformError(400, code, fmt.Sprintf("\n%s\n%s^\nERROR at Row:%d:Column:%d\n%s",
		window, strings.Repeat(" ", t.pos-start), row, column, message))
}

// path resolves Profile.UserLicense.Name and the like.
func (c *Plan) path(t token) (Path, *wire.APIError) {
	parts := strings.Split(t.text, ".")
	obj := c.table.Object
	if len(parts) > 1 && (strings.EqualFold(parts[0], c.query.alias) || strings.EqualFold(parts[0], obj.Name)) && obj.Relation(parts[0]) == nil {
		parts = parts[1:]
	}
	var p Path
	for _, name := range parts[:len(parts)-1] {
		rel := obj.Relation(name)
		if rel == nil || c.blind(rel) {
			return p, c.query.errorAt(t, "INVALID_FIELD", fmt.Sprintf("Didn't understand relationship '%s' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.", name))
		}
		p.relations = append(p.relations, rel)
		obj = c.data.Object(rel.ReferenceTo[0])
	}
	name := parts[len(parts)-1]
	if p.column = obj.Field(name); p.column == nil || c.blind(p.column) {
		return p, c.query.errorAt(t, "INVALID_FIELD", fmt.Sprintf("No such column '%s' on entity '%s'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.", name, obj.Name))
	}
	return p, nil
}

// blind says whether the one who asks cannot see the field.
func (c *Plan) blind(f *store.Field) bool { return !c.own && c.data.Hides(f) }

func (c *Plan) selects() *wire.APIError {
	if c.group != nil {
		return nil // groups has read the items
	}
	for _, item := range c.query.items {
		if item.child != nil {
			if err := c.selectChildren(item.child); err != nil {
				return err
			}
			continue
		}
		switch item.function {
		case "fields":
			if err := c.selectAll(item); err != nil {
				return err
			}
			continue
		case "count":
			path, err := c.path(item.path)
			if err != nil {
				return err
			}
			alias := item.alias
			if alias == "" {
				alias = fmt.Sprintf("expr%d", len(c.counts))
			}
			c.counts, c.counted = append(c.counts, alias), append(c.counted, path)
			continue
		}
		path, err := c.path(item.path)
		if err != nil {
			return err
		}
		if !c.root.add(c.data, path) {
			return wire.PlatformError(400, "INVALID_FIELD", "duplicate field selected: "+path.column.Name) // [U]
		}
	}
	if len(c.counts) > 0 && len(c.root.columns) > 0 {
		return c.query.errorAt(c.query.items[0].path, "MALFORMED_QUERY", "Field must be grouped or aggregated: "+c.query.items[0].path.text)
	}
	return nil
}

// selectAll serves FIELDS(ALL), FIELDS(STANDARD) and FIELDS(CUSTOM). [D]
func (c *Plan) selectAll(item item) *wire.APIError {
	which := strings.ToLower(item.path.text)
	if which != "standard" && (c.query.limit < 0 || c.query.limit > 200) {
		return wire.PlatformError(400, "MALFORMED_QUERY", "The SOQL FIELDS function must have a LIMIT of at most 200") // [U]
	}
	for _, f := range c.table.Object.Fields {
		if c.blind(f) {
			continue
		}
		if which == "all" || (which == "custom") == f.Custom() {
			c.root.add(c.data, Path{column: f})
		}
	}
	return nil
}

// condition compiles a WHERE tree.
func (c *Plan) condition(e expr) (predicate, *wire.APIError) {
	switch e := e.(type) {
	case *not:
		part, err := c.condition(e.part)
		return func(r *store.Record) bool { return !part(r) }, err
	case *and:
		parts, err := c.conditions(e.parts)
		return func(r *store.Record) bool {
			for _, p := range parts {
				if !p(r) {
					return false
				}
			}
			return true
		}, err
	case *or:
		parts, err := c.conditions(e.parts)
		return func(r *store.Record) bool {
			for _, p := range parts {
				if p(r) {
					return true
				}
			}
			return false
		}, err
	case *comparison:
		return c.compare(e)
	}
	return nil, wire.PlatformError(400, "MALFORMED_QUERY", "unknown condition")
}

func (c *Plan) conditions(list []expr) ([]predicate, *wire.APIError) {
	out := make([]predicate, 0, len(list))
	for _, e := range list {
		p, err := c.condition(e)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func (c *Plan) compare(e *comparison) (predicate, *wire.APIError) {
	path, err := c.path(e.path)
	if err != nil {
		return nil, err
	}
	test, failure := c.test(path.column, e)
	if failure != nil {
		var inner *wire.APIError
		if errors.As(failure, &inner) {
			return nil, inner
		}
		var bad *syntaxError
		if errors.As(failure, &bad) {
			return nil, wire.PlatformError(400, "MALFORMED_QUERY", bad.message)
		}
		var filter *filterError
		if errors.As(failure, &filter) {
			return nil, c.query.errorAt(e.path, "INVALID_QUERY_FILTER_OPERATOR", filter.message)
		}
		return nil, c.query.errorAt(e.path, "INVALID_FIELD", failure.Error())
	}
	if len(path.relations) == 0 {
		column := path.column
		return func(r *store.Record) bool { return test(c.data.Value(r, column)) }, nil
	}
	return func(r *store.Record) bool { return test(path.Value(c.data, r)) }, nil
}

// pathTo follows relations to a field that callers can see.
func pathTo(d *store.Data, obj *store.Object, name string) (p Path, ok bool) {
	for {
		first, rest, more := strings.Cut(name, ".")
		if !more {
			p.column = d.Visible(obj, name)
			return p, p.column != nil
		}
		rel := obj.Relation(first)
		if rel == nil || d.Hides(rel) {
			return p, false
		}
		p.relations = append(p.relations, rel)
		obj, name = d.Object(rel.ReferenceTo[0]), rest
	}
}
