package soql

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Aggregates says whether the query asks for counts or groups instead of rows.
func (c *Plan) Aggregates() bool {
	return c.query.count || len(c.counts) > 0 || c.group != nil
}

// Summary answers a query that aggregates; false when it asks for the rows.
func (c *Plan) Summary(rows []*store.Record) ([]byte, bool) {
	switch {
	case c.query.count:
		return fmt.Appendf(nil, `{"totalSize":%d,"done":true,"records":[]}`, len(rows)), true
	case c.group != nil:
		return c.grouped(rows), true
	case len(c.counts) > 0:
		return c.aggregate(rows), true
	}
	return nil, false
}

// groupKey is one member of an aggregate result: a column that the rows are
// grouped by, or a count.
type groupKey struct {
	name  string
	path  Path
	count bool
}

// groups reads GROUP BY, and the items that may stand beside it. COUNT is the
// only function.
func (c *Plan) groups() *wire.APIError {
	for _, t := range c.query.group {
		path, err := c.path(t)
		if err != nil {
			return err
		}
		c.group = append(c.group, path)
	}
	if c.group == nil {
		return nil
	}
	for _, item := range c.query.items {
		key, err := c.groupKey(item)
		if err != nil {
			return err
		}
		c.keys = append(c.keys, key)
	}
	return nil
}

func (c *Plan) groupKey(item item) (groupKey, *wire.APIError) {
	if item.child != nil || item.function == "fields" {
		return groupKey{}, wire.PlatformError(400, "MALFORMED_QUERY", "unexpected token: (")
	}
	path, err := c.path(item.path)
	if err != nil {
		return groupKey{}, err
	}
	key := groupKey{name: item.alias, path: path, count: item.function == "count"}
	if key.count {
		if key.name == "" {
			n := 0
			for _, k := range c.keys {
				if k.count {
					n++
				}
			}
			key.name = "expr" + strconv.Itoa(n)
		}
		return key, nil
	}
	key.name = path.column.Name // of Profile.Name too
	for i := range c.group {
		if c.group[i].Name() == path.Name() {
			return key, nil
		}
	}
	return key, c.query.errorAt(item.path, "MALFORMED_QUERY", "Field must be grouped or aggregated: "+item.path.text)
}

// grouped answers a query with GROUP BY, the groups in the order their first
// rows have.
func (c *Plan) grouped(rows []*store.Record) []byte {
	first := map[string][]*store.Record{}
	var order []string
	for _, r := range rows {
		var key strings.Builder
		for i := range c.group {
			key.Write(wire.AppendValue(nil, folded(c.group[i].column, c.group[i].Value(c.data, r))))
			key.WriteByte(0)
		}
		if first[key.String()] == nil {
			order = append(order, key.String())
		}
		first[key.String()] = append(first[key.String()], r)
	}
	order = window(order, c.query)
	b := fmt.Appendf(nil, `{"totalSize":%d,"done":true,"records":[`, len(order))
	for i, key := range order {
		if i > 0 {
			b = append(b, ',')
		}
		b = c.appendGroup(b, first[key])
	}
	return append(b, "]}"...)
}

func (c *Plan) appendGroup(b []byte, rows []*store.Record) []byte {
	b = append(b, `{"attributes":{"type":"AggregateResult"}`...)
	for i := range c.keys {
		k := &c.keys[i]
		b = append(wire.AppendString(append(b, ','), k.name), ':')
		if !k.count {
			b = wire.AppendValue(b, k.path.Value(c.data, rows[0]))
			continue
		}
		n := 0
		for _, r := range rows {
			if k.path.Value(c.data, r) != nil {
				n++
			}
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, '}')
}

// aggregate answers SELECT COUNT(field).
func (c *Plan) aggregate(rows []*store.Record) []byte {
	b := []byte(`{"totalSize":1,"done":true,"records":[{"attributes":{"type":"AggregateResult"}`)
	for i, alias := range c.counts {
		n := 0
		for _, r := range rows {
			if c.counted[i].Value(c.data, r) != nil {
				n++
			}
		}
		b = append(wire.AppendString(append(b, ','), alias), ':')
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, `}]}`...)
}
