package rest

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/call"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/soql"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

const maxTypeRuns = 10 // [D]

// collection is a parsed /composite/sobjects body.
type collection struct {
	allOrNone bool
	records   []store.JSONInput
}

// collectionBody parses the body and applies the bounds.
func (c collections) collectionBody() (collection, bool) {
	in, ok := c.RecordBody()
	if !ok {
		return collection{}, false
	}
	list, _ := in.Object.Get("records")
	items, _ := list.([]any)
	col := collection{allOrNone: in.Object.Flag("allOrNone")}
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
		col.records = append(col.records, store.JSONInput{Object: obj, Src: c.Payload})
	}
	return col, c.runsWithin(col.records)
}

func collectionSize(n int) *wire.APIError {
	if n == 0 { // [R]
		return wire.PlatformError(400, "REQUIRED_FIELD_MISSING", "At least 1 record is required")
	}
	if n > call.MaxRecords { // [R]
		return wire.PlatformError(400, "EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than 200 records into this call")
	}
	return nil
}

// runsWithin allows ten changes of object type. [D], text [U]
func (c collections) runsWithin(records []store.JSONInput) bool {
	runs, last := 0, ""
	for _, r := range records {
		if kind := recordType(r.Object); kind != last {
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
func (c collections) recordObject(obj *wire.Object) (*store.Object, *wire.APIError) {
	name := recordType(obj)
	if name == "" {
		return nil, wire.RecordError("INVALID_TYPE", "SObject type is required in attributes")
	}
	o := c.Org.Object(name)
	if o == nil {
		return nil, wire.RecordError("INVALID_TYPE", "sObject type '"+name+"' is not supported.")
	}
	c.Entry.Object = o.Name
	return o, nil
}

// each runs a collection: 200 and one result per record in request order, even
// when every record failed. [R]
func (c collections) each(n int, allOrNone bool, upsert bool, work func(t *store.Tx, i int) store.Outcome) {
	defer c.Lock()()
	t := c.Begin(n)
	start := t.Mark()
	results := make([]store.Outcome, n)
	bad := false
	for i := range results {
		mark := t.Mark()
		results[i] = work(t, i)
		if results[i].OK() {
			continue
		}
		t.RollbackTo(mark)
		bad = true
		if err := results[i].Errs[0]; err.Code == "JSON_PARSER_ERROR" || err.Spoils {
			t.RollbackTo(start) // a value of the wrong type spoils the whole request
			c.Entry.Records, c.Entry.Failed = n, n
			c.Fail(err)
			return
		}
	}
	if bad && allOrNone {
		t.RollbackTo(start)
		rollBackGood(results)
	}
	c.Entry.Failed = failed(results)
	c.Note(t, n)
	c.Bytes(200, resultBody(results, upsert))
}

func failed(results []store.Outcome) int {
	n := 0
	for i := range results {
		if !results[i].OK() {
			n++
		}
	}
	return n
}

func rollBackGood(results []store.Outcome) {
	for i := range results {
		if results[i].OK() {
			results[i] = store.Failed(wire.ErrRolledBack())
		}
	}
}

// resultBody writes the array of results; "id" is missing from failures. [R]
func resultBody(results []store.Outcome, upsert bool) []byte {
	b := make([]byte, 0, 2+len(results)*64)
	b = append(b, '[')
	for i := range results {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendResult(b, &results[i], upsert)
	}
	return append(b, ']')
}

func appendResult(b []byte, r *store.Outcome, upsert bool) []byte {
	b = append(b, '{')
	if r.OK() {
		b = wire.AppendString(append(b, `"id":`...), r.ID)
		b = append(b, `,"success":true,"errors":[]`...)
	} else {
		b = append(b, `"success":false,"errors":[`...)
		for i, e := range r.Errs {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.AppendTo(b, "statusCode")
		}
		b = append(b, ']')
	}
	if upsert {
		b = append(b, `,"created":`...)
		b = strconv.AppendBool(b, r.Created)
	}
	return append(b, '}')
}

func (c collections) createCollection() {
	col, ok := c.collectionBody()
	if !ok {
		return
	}
	c.each(len(col.records), col.allOrNone, false, func(t *store.Tx, i int) store.Outcome {
		o, err := c.recordObject(col.records[i].Object)
		if err != nil {
			return store.Failed(err)
		}
		return t.Insert(o, col.records[i])
	})
}

func (c collections) updateCollection() {
	col, ok := c.collectionBody()
	if !ok {
		return
	}
	c.each(len(col.records), col.allOrNone, false, func(t *store.Tx, i int) store.Outcome {
		o, err := c.recordObject(col.records[i].Object)
		if err != nil {
			return store.Failed(err)
		}
		id := col.records[i].Object.Text("Id")
		if id == "" { // [R]
			return store.Failed(wire.RecordError("MISSING_ARGUMENT", "Id not specified in an update call"))
		}
		return t.Update(o, id, col.records[i])
	})
}

func (c collections) deleteCollection() {
	query := c.Request.URL.Query()
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
	c.each(len(ids), strings.EqualFold(query.Get("allOrNone"), "true"), false, func(t *store.Tx, i int) store.Outcome {
		o := c.Org.ObjectOf(ids[i])
		if o == nil || !store.IsID(ids[i]) {
			return store.Failed(wire.ErrMalformedID(ids[i]))
		}
		c.Entry.Object = o.Name
		return t.Remove(o, ids[i])
	})
}

// upsertCollection: items carry "created". [R]
func (c collections) upsertCollection(object, key string) {
	o := c.objectNamed(object)
	if o == nil {
		return
	}
	f := c.Org.Key(o, key)
	if f == nil {
		c.Fail(wire.ErrExternalID(key))
		return
	}
	col, ok := c.collectionBody()
	if !ok {
		return
	}
	keys := store.NewUpsertKeys(f)
	for _, r := range col.records {
		keys.Add(r)
	}
	c.each(len(col.records), col.allOrNone, true, func(t *store.Tx, i int) store.Outcome {
		if err := keys.Repeated(col.records[i]); err != nil {
			return store.Failed(err)
		}
		return upsertItem(t, o, f, col.records[i])
	})
}

func upsertItem(t *store.Tx, o *store.Object, f *store.Field, in store.JSONInput) store.Outcome {
	v, _ := in.Value(f.Name)
	key := wire.PlainValue(v)
	if key == "" && f.Kind != store.KindID {
		return store.Failed(wire.RecordError("MISSING_ARGUMENT", f.Name+" not specified")) // [U]
	}
	if key == "" {
		return t.Insert(o, in) // PATCH .../Id with a null Id creates [R jsforce live]
	}
	res, rows := t.Upsert(o, f, key, withoutKey{in, f.Name}, false)
	if rows != nil {
		return store.Failed(wire.RecordError("DUPLICATE_EXTERNAL_ID", f.Name+": more than one record found for external id field")) // code [D WSDL]
	}
	return res
}

// withoutKey hides the external id field: the row has it already.
type withoutKey struct {
	store.JSONInput
	name string
}

func (in withoutKey) Each(fn func(string, any) *wire.APIError) *wire.APIError {
	return in.JSONInput.Each(func(name string, v any) *wire.APIError {
		if strings.EqualFold(name, in.name) {
			return nil
		}
		return fn(name, v)
	})
}

// readCollection answers POST {ids,fields} or GET ?ids=&fields=, null for what
// is not there.
func (c collections) readCollection(object string) {
	o := c.objectNamed(object)
	if o == nil {
		return
	}
	ids, fields := strings.Split(c.Request.URL.Query().Get("ids"), ","), c.Request.URL.Query().Get("fields")
	if c.Method == http.MethodPost {
		in, ok := c.RecordBody()
		if !ok {
			return
		}
		ids, fields = in.Texts("ids"), strings.Join(in.Texts("fields"), ",")
	}
	defer c.RLock()()
	shape, err := soql.ShapeOf(c.Org.Data, o, fields)
	if err != nil {
		c.Fail(err)
		return
	}
	b := []byte{'['}
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		if r := c.Org.Table(o.Name).Live(id); r != nil {
			b = shape.Append(b, c.Org.Data, r, c.Version)
		} else {
			b = append(b, "null"...)
		}
	}
	c.Entry.Records = len(ids)
	c.Bytes(200, append(b, ']'))
}
