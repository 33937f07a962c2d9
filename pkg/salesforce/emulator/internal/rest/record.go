package rest

import (
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/call"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/soql"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// objectNamed finds the type a path names, or answers 404. [R]
func (c addressed) objectNamed(name string) *store.Object {
	o := c.Org.Object(name)
	if o == nil {
		c.Fail(wire.ErrNotFound())
		return nil
	}
	c.Entry.Object = o.Name
	return o
}

// objectIn is objectNamed for a route, where no org may be known yet.
func (c addressed) objectIn(name string) *store.Object {
	if o := c.Org; o != nil {
		return o.Object(name)
	}
	token, _ := call.Bearer(c.Request)
	id, _, _ := strings.Cut(token, "!")
	if o := c.Env.Orgs.Find(id); o != nil {
		return o.Object(name)
	}
	return nil
}

// write runs one change as a transaction of its own, or as a part of the
// composite it belongs to.
func (c records) write(work func(t *store.Tx) store.Outcome) store.Outcome {
	defer c.Lock()()
	t := c.Begin(1)
	mark := t.Mark()
	res := work(t)
	if !res.OK() {
		t.RollbackTo(mark)
		c.Entry.Failed++
	}
	c.Note(t, 1)
	return res
}

func (c addressed) find(o *store.Object, id string) *store.Record {
	defer c.RLock()()
	return c.Org.Table(o.Name).Find(id)
}

// created writes the 201 body [R amp-labs create-ok.json]; v41 had warnings
// too [R camel], and until when it had is an assumption. [U]
func (c records) created(id string) []byte {
	b := []byte(`{"id":"` + id + `","success":true,"errors":[]`)
	if c.VersionNumber() <= 41 {
		b = append(b, `,"warnings":[]`...)
	}
	return append(b, '}')
}

func (c records) createRecord(object string) {
	o := c.objectNamed(object)
	if o == nil {
		return
	}
	in, ok := c.RecordBody()
	if !ok {
		return
	}
	res := c.write(func(t *store.Tx) store.Outcome { return t.Insert(o, in) })
	if !res.OK() {
		c.Fail(res.Errs...)
		return
	}
	c.Header.Set("Location", "/services/data/v"+c.Version+"/sobjects/"+o.Name+"/"+res.ID)
	c.Bytes(201, c.created(res.ID))
}

func (c records) updateRecord(object, id string) {
	o := c.objectNamed(object)
	if o == nil {
		return
	}
	in, ok := c.RecordBody()
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
func (c addressed) known(o *store.Object, id string) bool {
	defer c.RLock()()
	if store.IsID(id) && c.Org.Table(o.Name).Find(id) != nil {
		return true
	}
	if store.IsID(id) {
		c.Fail(wire.ErrNotFound())
		return false
	}
	c.Fail(wire.ErrExternalID(id)) // [R restforce sobject_find_error_response.json]
	return false
}

func (c records) deleteRecord(object, key, value string) {
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
func (c addressed) lookup(o *store.Object, key, value string) *store.Record {
	f := c.Org.Key(o, key)
	if f == nil {
		c.Fail(wire.ErrExternalID(key))
		return nil
	}
	defer c.RLock()()
	rows := c.Org.Table(o.Name).Matches(f, value)
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
func (c addressed) several(o *store.Object, rows []*store.Record) {
	store.BySeq(rows)
	urls := make([]string, 0, len(rows))
	for _, r := range rows {
		urls = append(urls, "/services/data/v"+c.Version+"/sobjects/"+o.Name+"/"+r.ID)
	}
	c.JSON(300, urls)
}

func (c records) readRecord(object, key, value string) {
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
	defer c.RLock()()
	if r.Deleted {
		c.Fail(wire.ErrDeleted())
		return
	}
	shape, err := soql.ShapeOf(c.Org.Data, o, c.Request.URL.Query().Get("fields"))
	if err != nil {
		c.Fail(err)
		return
	}
	if c.unchanged(r.Modified.Time(), etagOf(o, r)) {
		return
	}
	c.Entry.Records = 1
	c.Bytes(200, shape.Append(nil, c.Org.Data, r, c.Version))
}

// readParent answers /sobjects/User/{id}/Profile with the row that the
// relation names. [D api_rest relationships]
func (c records) readParent(object, id, relation string) {
	o := c.objectNamed(object)
	if o == nil || !c.known(o, id) {
		return
	}
	unlock := c.RLock()
	rel := o.Relation(relation)
	var parent *store.Record
	if r := c.Org.Table(o.Name).Live(id); r != nil && !c.Org.Hides(rel) {
		parent = c.Org.Parent(r, rel)
	}
	unlock()
	if parent == nil {
		c.Fail(wire.ErrNotFound())
		return
	}
	c.readRecord(rel.ReferenceTo[0], "Id", parent.ID)
}
