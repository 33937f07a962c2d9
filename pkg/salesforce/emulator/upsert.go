package emulator

import (
	"strconv"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// upsert creates or updates by an external id or idLookup field.
func (t *tx) upsert(o *object, f *field, value string, in input, updateOnly bool) (outcome, []*record) {
	rows := t.org.table(o.name).matches(f, value)
	switch {
	case len(rows) > 1:
		return outcome{}, rows
	case len(rows) == 1:
		return t.update(o, rows[0].id, in), nil
	case updateOnly: // [D] forbids creation; answer [U]
		return failed(wire.ErrNotFound()), nil
	case f.kind == kindID && value != "":
		return failed(wire.ErrNotFound()), nil
	}
	return t.insert(o, keyedInput{in, f, value}), nil
}

// upsertKeys counts the external ids of one request: every record that shares
// its own with another is refused. [C and S: clients that look for the text]
type upsertKeys struct {
	field *field
	seen  map[string]int
}

func newUpsertKeys(f *field) upsertKeys { return upsertKeys{f, map[string]int{}} }

func (k upsertKeys) of(in input) string {
	v, _ := in.value(k.field.name)
	return indexKey(k.field, wire.PlainValue(v))
}

func (k upsertKeys) add(in input) { k.seen[k.of(in)]++ }

func (k upsertKeys) repeated(in input) *wire.APIError {
	key := k.of(in)
	if key == "" || k.seen[key] < 2 {
		return nil
	}
	v, _ := in.value(k.field.name)
	return wire.RecordError("DUPLICATE_VALUE", "Duplicate external id specified: "+wire.PlainValue(v), k.field.name)
}

// keyedInput adds the value of the external id field to what was sent.
type keyedInput struct {
	input
	field *field
	key   string
}

func (in keyedInput) each(fn func(string, any) *wire.APIError) *wire.APIError {
	if in.field.kind != kindID {
		if err := fn(in.field.name, in.key); err != nil {
			return err
		}
	}
	return in.input.each(fn)
}

func (in keyedInput) value(name string) (any, bool) {
	if strings.EqualFold(name, in.field.name) {
		return in.key, true
	}
	return in.input.value(name)
}

func (c *call) upsertRecord(object, key, value string) {
	o := c.objectNamed(object)
	if o == nil {
		return
	}
	f := c.org.key(o, key)
	if f == nil {
		c.Fail(wire.ErrExternalID(key)) // [R restforce]
		return
	}
	in, ok := c.recordBody()
	if !ok {
		return
	}
	if _, sent := in.value(f.name); sent { // 400 [D], text [U]
		c.Fail(wire.RecordError("INVALID_FIELD", "The "+f.name+" field should not be specified in the sobject data."))
		return
	}
	var rows []*record
	updateOnly := c.r.URL.Query().Get("updateOnly") == "true"
	res := c.write(func(t *tx) (res outcome) {
		res, rows = t.upsert(o, f, value, in, updateOnly)
		return res
	})
	switch {
	case rows != nil:
		c.several(o, rows)
	case !res.ok():
		c.Fail(res.errs...)
	default:
		c.upserted(res)
	}
}

// upserted: 201 created, 200 updated, or before v46 an empty 204. [R, D]
func (c *call) upserted(res outcome) {
	body := []byte(`{"id":"` + res.id + `","success":true,"errors":[],"created":` + strconv.FormatBool(res.created) + `}`)
	switch {
	case res.created:
		c.Bytes(201, body)
	case c.versionNumber() < 46:
		c.None(204)
	default:
		c.Bytes(200, body)
	}
}
