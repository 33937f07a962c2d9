package emulator

import (
	"strconv"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// objectNamed finds the type a path names, or answers 404. [R]
func (c *call) objectNamed(name string) *object {
	o := c.org.object(name)
	if o == nil {
		c.Fail(wire.ErrNotFound())
		return nil
	}
	c.entry.Object = o.name
	return o
}

// objectIn is objectNamed for a route, where no org may be known yet.
func (c *call) objectIn(name string) *object {
	if o := c.org; o != nil {
		return o.object(name)
	}
	token, _ := bearer(c.r)
	id, _, _ := strings.Cut(token, "!")
	if o := c.s.Org(id); o != nil {
		return o.object(name)
	}
	return nil
}

// recordBody parses the body of a single-record call.
func (c *call) recordBody() (jsonInput, bool) {
	if len(c.payload) == 0 && c.doc == nil {
		c.Fail(wire.ErrNoBody())
		return jsonInput{}, false
	}
	if err := c.mediaType("application/json"); err != nil {
		c.Fail(err)
		return jsonInput{}, false
	}
	doc, err := c.document()
	if err != nil {
		c.Fail(wire.ErrJSON(err))
		return jsonInput{}, false
	}
	obj, ok := doc.(*wire.Object)
	if !ok {
		c.Fail(wire.PlatformError(400, "JSON_PARSER_ERROR", "The value provided is not a JSON object at "+wire.Position(c.payload, 0))) // [U]
	}
	return jsonInput{obj, c.payload}, ok
}

// write runs one change as a transaction of its own, or as a part of the
// composite it belongs to.
func (c *call) write(work func(t *tx) outcome) outcome {
	defer c.lock()()
	t := c.begin()
	mark := len(t.undo)
	res := work(t)
	if !res.ok() {
		t.rollbackTo(mark)
	}
	c.note(t, 1)
	return res
}

// begin starts a transaction that knows the caller and the planned faults; a
// part of an allOrNone composite goes on with the one that is open.
func (c *call) begin() *tx {
	t := c.tx
	if t == nil {
		t = c.org.begin(c.actor)
	}
	t.fault = c.s.faults.forRecord(c)
	t.places = nil
	return t
}

// lock takes the state for writing and gives the function that frees it. Parts
// of a composite run under the lock of the whole.
func (c *call) lock() func() {
	if c.part {
		return func() {}
	}
	c.s.mu.Lock()
	return c.s.mu.Unlock
}

// rlock takes the state for reading.
func (c *call) rlock() func() {
	if c.part {
		return func() {}
	}
	c.s.mu.RLock()
	return c.s.mu.RUnlock
}

func (c *call) find(o *object, id string) *record {
	defer c.rlock()()
	return c.org.table(o.name).find(id)
}

// note keeps for the journal what a transaction touched.
func (c *call) note(t *tx, records int) {
	c.entry.Records += records
	c.entry.Touched = append(c.entry.Touched, t.places...)
}

// created writes the 201 body [R amp-labs create-ok.json]; v41 had warnings
// too [R camel], and until when it had is an assumption. [U]
func (c *call) created(id string) []byte {
	b := []byte(`{"id":"` + id + `","success":true,"errors":[]`)
	if c.versionNumber() <= 41 {
		b = append(b, `,"warnings":[]`...)
	}
	return append(b, '}')
}

func (c *call) versionNumber() float64 {
	number, _ := strconv.ParseFloat(c.version, 64) // checkVersion saw it
	return number
}

func (c *call) createRecord(object string) {
	o := c.objectNamed(object)
	if o == nil {
		return
	}
	in, ok := c.recordBody()
	if !ok {
		return
	}
	res := c.write(func(t *tx) outcome { return t.insert(o, in) })
	if !res.ok() {
		c.Fail(res.errs...)
		return
	}
	c.Header.Set("Location", "/services/data/v"+c.version+"/sobjects/"+o.name+"/"+res.id)
	c.Bytes(201, c.created(res.id))
}

func (c *call) updateRecord(object, id string) {
	o := c.objectNamed(object)
	if o == nil {
		return
	}
	in, ok := c.recordBody()
	if !ok {
		return
	}
	if !c.known(o, id) {
		return
	}
	if _, sent := in.value("Id"); sent { // [U] text
		c.Fail(wire.RecordError("INVALID_FIELD", "The Id field should not be specified in the sobject data."))
		return
	}
	res := c.write(func(t *tx) outcome {
		if err := c.mayReplace(o, id); err != nil {
			return failed(err)
		}
		return t.update(o, id, in)
	})
	if !res.ok() {
		c.Fail(res.errs...)
		return
	}
	c.None(204)
}

// known answers 404 when the id in a path names nothing.
func (c *call) known(o *object, id string) bool {
	defer c.rlock()()
	if isID(id) && c.org.table(o.name).find(id) != nil {
		return true
	}
	if isID(id) {
		c.Fail(wire.ErrNotFound())
		return false
	}
	c.Fail(wire.ErrExternalID(id)) // [R restforce sobject_find_error_response.json]
	return false
}

func (c *call) deleteRecord(object, key, value string) {
	o := c.objectNamed(object)
	if o == nil {
		return
	}
	id := value
	if !strings.EqualFold(key, "Id") {
		r := c.lookup(o, key, value)
		if r == nil {
			return
		}
		id = r.id
	} else if !c.known(o, id) {
		return
	}
	res := c.write(func(t *tx) outcome {
		if err := c.mayReplace(o, id); err != nil {
			return failed(err)
		}
		return t.remove(o, id)
	})
	if !res.ok() {
		c.Fail(res.errs...)
		return
	}
	c.None(204)
}

// lookup finds the one record that an external id names, or answers 404 or 300.
func (c *call) lookup(o *object, key, value string) *record {
	f := c.org.key(o, key)
	if f == nil {
		c.Fail(wire.ErrExternalID(key))
		return nil
	}
	defer c.rlock()()
	rows := c.org.table(o.name).matches(f, value)
	switch len(rows) {
	case 0:
		c.Fail(wire.ErrNotFound())
		return nil
	case 1:
		return rows[0]
	}
	c.several(o, rows)
	return nil
}

// several answers 300 with the addresses of all matches. [R restforce]
func (c *call) several(o *object, rows []*record) {
	bySeq(rows)
	urls := make([]string, 0, len(rows))
	for _, r := range rows {
		urls = append(urls, "/services/data/v"+c.version+"/sobjects/"+o.name+"/"+r.id)
	}
	c.JSON(300, urls)
}

func (c *call) readRecord(object, key, value string) {
	o := c.objectNamed(object)
	if o == nil {
		return
	}
	var r *record
	if strings.EqualFold(key, "Id") {
		if !c.known(o, value) {
			return
		}
		r = c.find(o, value)
	} else if r = c.lookup(o, key, value); r == nil {
		return
	}
	defer c.rlock()()
	if r.deleted {
		c.Fail(wire.ErrDeleted())
		return
	}
	shape, err := c.shapeOf(o, c.r.URL.Query().Get("fields"))
	if err != nil {
		c.Fail(err)
		return
	}
	if c.unchanged(r.modified.Time(), etagOf(o, r)) {
		return
	}
	c.entry.Records = 1
	c.Bytes(200, shape.append(nil, c.org, r, c.version))
}

// readParent answers /sobjects/User/{id}/Profile with the row that the
// relation names. [D api_rest relationships]
func (c *call) readParent(object, id, relation string) {
	o := c.objectNamed(object)
	if o == nil || !c.known(o, id) {
		return
	}
	unlock := c.rlock()
	rel := o.relation(relation)
	var parent *record
	if r := c.org.table(o.name).live(id); r != nil && !c.org.hides(rel) {
		parent = c.org.parent(r, rel)
	}
	unlock()
	if parent == nil {
		c.Fail(wire.ErrNotFound())
		return
	}
	c.readRecord(rel.referenceTo[0], "Id", parent.id)
}

// shapeOf reads ?fields=a,b.c; empty means every field of the object.
func (c *call) shapeOf(o *object, list string) (*selectNode, *wire.APIError) {
	shape := &selectNode{object: o}
	if list == "" {
		for _, f := range o.fields {
			if !c.org.hides(f) {
				shape.columns = append(shape.columns, selectColumn{field: f})
			}
		}
		return shape, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		path, ok := c.org.pathTo(o, strings.TrimSpace(name))
		if !ok {
			return nil, wire.PlatformError(400, "INVALID_FIELD", "No such column '"+name+"' on sobject of type "+o.name)
		}
		shape.add(c.org, path)
	}
	return shape, nil
}

// pathTo follows relations to a field that callers can see.
func (o *Org) pathTo(obj *object, name string) (p soqlPath, ok bool) {
	for {
		first, rest, more := strings.Cut(name, ".")
		if !more {
			p.column = o.visible(obj, name)
			return p, p.column != nil
		}
		rel := obj.relation(first)
		if rel == nil || o.hides(rel) {
			return p, false
		}
		p.relations = append(p.relations, rel)
		obj, name = o.object(rel.referenceTo[0]), rest
	}
}
