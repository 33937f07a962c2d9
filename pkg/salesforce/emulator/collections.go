package emulator

import (
	"strconv"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

const (
	maxCollection = 200 // [R]
	maxTypeRuns   = 10  // [D]
)

// collection is a parsed /composite/sobjects body.
type collection struct {
	allOrNone bool
	records   []jsonInput
}

// collectionBody parses the body and applies the bounds.
func (c *call) collectionBody() (collection, bool) {
	in, ok := c.recordBody()
	if !ok {
		return collection{}, false
	}
	list, _ := in.object.Get("records")
	items, _ := list.([]any)
	col := collection{allOrNone: in.object.Flag("allOrNone")}
	if err := collectionSize(len(items)); err != nil {
		c.Fail(err)
		return col, false
	}
	for _, item := range items {
		obj, ok := item.(*wire.Object)
		if !ok {
			c.Fail(wire.PlatformError(400, "JSON_PARSER_ERROR", "Record is not an object")) // [U]
			return col, false
		}
		col.records = append(col.records, jsonInput{obj, c.payload})
	}
	return col, c.runsWithin(col.records)
}

func collectionSize(n int) *wire.APIError {
	if n == 0 { // [R]
		return wire.PlatformError(400, "REQUIRED_FIELD_MISSING", "At least 1 record is required")
	}
	if n > maxCollection { // [R]
		return wire.PlatformError(400, "EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than 200 records into this call")
	}
	return nil
}

// runsWithin allows ten changes of object type. [D], text [U]
func (c *call) runsWithin(records []jsonInput) bool {
	runs, last := 0, ""
	for _, r := range records {
		if kind := recordType(r.object); kind != last {
			runs, last = runs+1, kind
		}
	}
	if runs > maxTypeRuns {
		c.Fail(wire.PlatformError(400, "INVALID_BATCH_SIZE", "Cannot have more than 10 chunks in a single operation"))
		return false
	}
	return true
}

func recordType(obj *wire.Object) string {
	attrs, _ := obj.Get("attributes")
	if a, ok := attrs.(*wire.Object); ok {
		return a.Text("type")
	}
	return ""
}

// recordObject finds a record's type. [U] texts
func (c *call) recordObject(obj *wire.Object) (*object, *wire.APIError) {
	name := recordType(obj)
	if name == "" {
		return nil, wire.RecordError("INVALID_TYPE", "SObject type is required in attributes")
	}
	o := c.org.object(name)
	if o == nil {
		return nil, wire.RecordError("INVALID_TYPE", "sObject type '"+name+"' is not supported.")
	}
	c.entry.Object = o.name
	return o, nil
}

// each runs a collection: 200 and one result per record in request order, even
// when every record failed. [R]
func (c *call) each(n int, allOrNone bool, upsert bool, work func(t *tx, i int) outcome) {
	defer c.lock()()
	t := c.begin()
	start := len(t.undo)
	results := make([]outcome, n)
	bad := false
	for i := range results {
		mark := len(t.undo)
		results[i] = work(t, i)
		if results[i].ok() {
			continue
		}
		t.rollbackTo(mark)
		bad = true
		if err := results[i].errs[0]; err.Code == "JSON_PARSER_ERROR" {
			t.rollbackTo(start) // a value of the wrong type spoils the whole request
			c.Fail(err)
			return
		}
	}
	if bad && allOrNone {
		t.rollbackTo(start)
		rollBackGood(results)
	}
	c.note(t, n)
	c.Bytes(200, resultBody(results, upsert))
}

func rollBackGood(results []outcome) {
	for i := range results {
		if results[i].ok() {
			results[i] = failed(wire.ErrRolledBack())
		}
	}
}

// rollbackTo undoes what a failed record left behind.
func (t *tx) rollbackTo(mark int) {
	for i := len(t.undo) - 1; i >= mark; i-- {
		t.undo[i]()
	}
	t.undo = t.undo[:mark]
}

// resultBody writes the array of results; "id" is missing from failures. [R]
func resultBody(results []outcome, upsert bool) []byte {
	b := make([]byte, 0, 2+len(results)*64)
	b = append(b, '[')
	for i := range results {
		if i > 0 {
			b = append(b, ',')
		}
		b = results[i].append(b, upsert)
	}
	return append(b, ']')
}

func (r *outcome) append(b []byte, upsert bool) []byte {
	b = append(b, '{')
	if r.ok() {
		b = wire.AppendString(append(b, `"id":`...), r.id)
		b = append(b, `,"success":true,"errors":[]`...)
	} else {
		b = append(b, `"success":false,"errors":[`...)
		for i, e := range r.errs {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.AppendTo(b, "statusCode")
		}
		b = append(b, ']')
	}
	if upsert {
		b = append(b, `,"created":`...)
		b = strconv.AppendBool(b, r.created)
	}
	return append(b, '}')
}

func (c *call) createCollection() {
	col, ok := c.collectionBody()
	if !ok {
		return
	}
	c.each(len(col.records), col.allOrNone, false, func(t *tx, i int) outcome {
		o, err := c.recordObject(col.records[i].object)
		if err != nil {
			return failed(err)
		}
		return t.insert(o, col.records[i])
	})
}

func (c *call) updateCollection() {
	col, ok := c.collectionBody()
	if !ok {
		return
	}
	c.each(len(col.records), col.allOrNone, false, func(t *tx, i int) outcome {
		o, err := c.recordObject(col.records[i].object)
		if err != nil {
			return failed(err)
		}
		id := col.records[i].object.Text("Id")
		if id == "" { // [R]
			return failed(wire.RecordError("MISSING_ARGUMENT", "Id not specified in an update call"))
		}
		return t.update(o, id, col.records[i])
	})
}

func (c *call) deleteCollection() {
	query := c.r.URL.Query()
	var ids []string
	for id := range strings.SplitSeq(query.Get("ids"), ",") {
		if id = strings.TrimSpace(id); id != "" {
			ids = append(ids, id)
		}
	}
	if err := collectionSize(len(ids)); err != nil {
		c.Fail(err)
		return
	}
	c.each(len(ids), strings.EqualFold(query.Get("allOrNone"), "true"), false, func(t *tx, i int) outcome {
		o := c.org.objectOf(ids[i])
		if o == nil || !isID(ids[i]) {
			return failed(wire.ErrMalformedID(ids[i]))
		}
		c.entry.Object = o.name
		return t.remove(o, ids[i])
	})
}

// upsertCollection: items carry "created". [R]
func (c *call) upsertCollection(object, key string) {
	o := c.objectNamed(object)
	if o == nil {
		return
	}
	f := c.org.key(o, key)
	if f == nil {
		c.Fail(wire.ErrExternalID(key))
		return
	}
	col, ok := c.collectionBody()
	if !ok {
		return
	}
	keys := newUpsertKeys(f)
	for _, r := range col.records {
		keys.add(r)
	}
	c.each(len(col.records), col.allOrNone, true, func(t *tx, i int) outcome {
		if err := keys.repeated(col.records[i]); err != nil {
			return failed(err)
		}
		return t.upsertItem(o, f, col.records[i])
	})
}

func (t *tx) upsertItem(o *object, f *field, in jsonInput) outcome {
	v, _ := in.value(f.name)
	key := wire.PlainValue(v)
	if key == "" && f.kind != kindID {
		return failed(wire.RecordError("MISSING_ARGUMENT", f.name+" not specified")) // [U]
	}
	if key == "" {
		return t.insert(o, in) // PATCH .../Id with a null Id creates [R jsforce live]
	}
	res, rows := t.upsert(o, f, key, withoutKey{in, f.name}, false)
	if rows != nil {
		return failed(wire.RecordError("DUPLICATE_EXTERNAL_ID", f.name+": more than one record found for external id field")) // code [D WSDL]
	}
	return res
}

// withoutKey hides the external id field: the row has it already.
type withoutKey struct {
	jsonInput
	name string
}

func (in withoutKey) each(fn func(string, any) *wire.APIError) *wire.APIError {
	return in.jsonInput.each(func(name string, v any) *wire.APIError {
		if strings.EqualFold(name, in.name) {
			return nil
		}
		return fn(name, v)
	})
}

// readCollection answers POST {ids,fields} or GET ?ids=&fields=, null for what
// is not there.
func (c *call) readCollection(object string) {
	o := c.objectNamed(object)
	if o == nil {
		return
	}
	ids, fields := strings.Split(c.r.URL.Query().Get("ids"), ","), c.r.URL.Query().Get("fields")
	if c.method == "POST" {
		in, ok := c.recordBody()
		if !ok {
			return
		}
		ids, fields = in.texts("ids"), strings.Join(in.texts("fields"), ",")
	}
	defer c.rlock()()
	shape, err := c.shapeOf(o, fields)
	if err != nil {
		c.Fail(err)
		return
	}
	b := []byte{'['}
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		if r := c.org.table(o.name).live(id); r != nil {
			b = shape.append(b, c.org, r, c.version)
		} else {
			b = append(b, "null"...)
		}
	}
	c.entry.Records = len(ids)
	c.Bytes(200, append(b, ']'))
}

// texts reads a list of strings.
func (in jsonInput) texts(name string) []string {
	list, _ := in.object.Get(name)
	items, _ := list.([]any)
	out := make([]string, 0, len(items))
	for _, v := range items {
		out = append(out, wire.PlainValue(v))
	}
	return out
}
