package emulator

import (
	"strconv"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/soql"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// objectNamed finds the type a path names, or answers 404. [R]
func (c *call) objectNamed(name string) *store.Object {
	o := c.org.Object(name)
	if o == nil {
		c.Fail(wire.ErrNotFound())
		return nil
	}
	c.entry.Object = o.Name
	return o
}

// objectIn is objectNamed for a route, where no org may be known yet.
func (c *call) objectIn(name string) *store.Object {
	if o := c.org; o != nil {
		return o.Object(name)
	}
	token, _ := bearer(c.r)
	id, _, _ := strings.Cut(token, "!")
	if o := c.s.Org(id); o != nil {
		return o.Object(name)
	}
	return nil
}

// recordBody parses the body of a single-record call.
func (c *call) recordBody() (store.JSONInput, bool) {
	if len(c.payload) == 0 && c.doc == nil {
		c.Fail(wire.ErrNoBody())
		return store.JSONInput{}, false
	}
	if err := c.mediaType("application/json"); err != nil {
		c.Fail(err)
		return store.JSONInput{}, false
	}
	doc, err := c.Document()
	if err != nil {
		c.Fail(wire.ErrJSON(err))
		return store.JSONInput{}, false
	}
	obj, ok := doc.(*wire.Object)
	if !ok {
		c.Fail(wire.PlatformError(400, "JSON_PARSER_ERROR", "The value provided is not a JSON object at "+wire.Position(c.payload, 0))) // [U]
	}
	return store.JSONInput{Object: obj, Src: c.payload}, ok
}

// write runs one change as a transaction of its own, or as a part of the
// composite it belongs to.
func (c *call) write(work func(t *store.Tx) store.Outcome) store.Outcome {
	defer c.lock()()
	t := c.begin()
	mark := t.Mark()
	res := work(t)
	if !res.OK() {
		t.RollbackTo(mark)
	}
	c.note(t, 1)
	return res
}

// begin starts a transaction that knows the caller and the planned faults; a
// part of an allOrNone composite goes on with the one that is open.
func (c *call) begin() *store.Tx {
	t := c.tx
	if t == nil {
		t = c.org.Begin(c.actor)
	}
	t.Hit = c.s.faults.ForRecord(c.subject(), func(id string) { c.entry.FaultID = id })
	t.Places = nil
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

func (c *call) find(o *store.Object, id string) *store.Record {
	defer c.rlock()()
	return c.org.Table(o.Name).Find(id)
}

// note keeps for the journal what a transaction touched.
func (c *call) note(t *store.Tx, records int) {
	c.entry.Records += records
	c.entry.Touched = append(c.entry.Touched, t.Places...)
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
	res := c.write(func(t *store.Tx) store.Outcome { return t.Insert(o, in) })
	if !res.OK() {
		c.Fail(res.Errs...)
		return
	}
	c.Header.Set("Location", "/services/data/v"+c.version+"/sobjects/"+o.Name+"/"+res.ID)
	c.Bytes(201, c.created(res.ID))
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
	if _, sent := in.Value("Id"); sent { // [U] text
		c.Fail(wire.RecordError("INVALID_FIELD", "The Id field should not be specified in the sobject data."))
		return
	}
	res := c.write(func(t *store.Tx) store.Outcome {
		if err := c.mayReplace(o, id); err != nil {
			return store.Failed(err)
		}
		return t.Update(o, id, in)
	})
	if !res.OK() {
		c.Fail(res.Errs...)
		return
	}
	c.None(204)
}

// known answers 404 when the id in a path names nothing.
func (c *call) known(o *store.Object, id string) bool {
	defer c.rlock()()
	if store.IsID(id) && c.org.Table(o.Name).Find(id) != nil {
		return true
	}
	if store.IsID(id) {
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
		id = r.ID
	} else if !c.known(o, id) {
		return
	}
	res := c.write(func(t *store.Tx) store.Outcome {
		if err := c.mayReplace(o, id); err != nil {
			return store.Failed(err)
		}
		return t.Remove(o, id)
	})
	if !res.OK() {
		c.Fail(res.Errs...)
		return
	}
	c.None(204)
}

// lookup finds the one record that an external id names, or answers 404 or 300.
func (c *call) lookup(o *store.Object, key, value string) *store.Record {
	f := c.org.Key(o, key)
	if f == nil {
		c.Fail(wire.ErrExternalID(key))
		return nil
	}
	defer c.rlock()()
	rows := c.org.Table(o.Name).Matches(f, value)
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
func (c *call) several(o *store.Object, rows []*store.Record) {
	store.BySeq(rows)
	urls := make([]string, 0, len(rows))
	for _, r := range rows {
		urls = append(urls, "/services/data/v"+c.version+"/sobjects/"+o.Name+"/"+r.ID)
	}
	c.JSON(300, urls)
}

func (c *call) readRecord(object, key, value string) {
	o := c.objectNamed(object)
	if o == nil {
		return
	}
	var r *store.Record
	if strings.EqualFold(key, "Id") {
		if !c.known(o, value) {
			return
		}
		r = c.find(o, value)
	} else if r = c.lookup(o, key, value); r == nil {
		return
	}
	defer c.rlock()()
	if r.Deleted {
		c.Fail(wire.ErrDeleted())
		return
	}
	shape, err := soql.ShapeOf(c.org.Data, o, c.r.URL.Query().Get("fields"))
	if err != nil {
		c.Fail(err)
		return
	}
	if c.unchanged(r.Modified.Time(), etagOf(o, r)) {
		return
	}
	c.entry.Records = 1
	c.Bytes(200, shape.Append(nil, c.org.Data, r, c.version))
}

// readParent answers /sobjects/User/{id}/Profile with the row that the
// relation names. [D api_rest relationships]
func (c *call) readParent(object, id, relation string) {
	o := c.objectNamed(object)
	if o == nil || !c.known(o, id) {
		return
	}
	unlock := c.rlock()
	rel := o.Relation(relation)
	var parent *store.Record
	if r := c.org.Table(o.Name).Live(id); r != nil && !c.org.Hides(rel) {
		parent = c.org.Parent(r, rel)
	}
	unlock()
	if parent == nil {
		c.Fail(wire.ErrNotFound())
		return
	}
	c.readRecord(rel.ReferenceTo[0], "Id", parent.ID)
}
