package emulator

import (
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// tx is one transaction: a single call, a whole collection, or an allOrNone
// composite. The server's state lock is held for its life.
type tx struct {
	org    *Org
	actor  *record // who does it; nil for the emulator's own planting
	now    wire.Instant
	undo   []func()
	first  string    // the object that fixed whether this is setup work
	setup  bool      // what it fixed
	fault  recordHit // planned per-record faults; nil outside of HTTP calls
	places []string  // ids and usernames touched, for the journal
	plants bool      // planting may write what a client may not
}

// recordHit asks the fault plan about one record; a non-nil answer is the
// error that the record shall get.
type recordHit func(o *object, id string, in input) *wire.APIError

// draft is a record on its way in: what it was, and what it would be.
type draft struct {
	object *object
	old    *record // nil on insert
	row    *record
	cells  []cell
	sent   []*field
	fail   *wire.APIError
}

// input reads the values sent for one record, from JSON or from CSV.
type input interface {
	each(func(name string, value any) *wire.APIError) *wire.APIError
	value(name string) (any, bool)
}

// outcome is what became of one record.
type outcome struct {
	id      string
	created bool
	errs    []*wire.APIError
}

func failed(errs ...*wire.APIError) outcome { return outcome{errs: errs} }

func (r outcome) ok() bool { return len(r.errs) == 0 }

func (o *Org) begin(actor *record) *tx {
	return &tx{org: o, actor: actor, now: wire.InstantOf(o.server.now())}
}

// rollback undoes everything, newest first.
func (t *tx) rollback() {
	for i := len(t.undo) - 1; i >= 0; i-- {
		t.undo[i]()
	}
	t.undo = nil
}

func (t *tx) actorID() string {
	if t.actor == nil {
		return ""
	}
	return t.actor.id
}

func (d *draft) get(name string) any { return cellAt(d.cells, d.object.field(name).pos) }

func (d *draft) text(name string) string {
	s, _ := d.get(name).(string)
	return s
}

func (d *draft) flag(name string) bool {
	b, _ := d.get(name).(bool)
	return b
}

// was reads the value before the change; nil on insert.
func (d *draft) was(name string) any {
	if d.old == nil {
		return nil
	}
	return d.old.at(d.object.field(name).pos)
}

func (d *draft) changed(name string) bool { return d.was(name) != d.get(name) }

func (d *draft) sentField(name string) bool {
	return slices.Contains(d.sent, d.object.field(name))
}

// same keeps one copy of a text that a record holds twice: username and e-mail
// address, employee number and federation id are often equal.
func (d *draft) same(v any) any {
	if _, text := v.(string); !text {
		return v
	}
	for i := range d.cells {
		if d.cells[i].value == v {
			return d.cells[i].value
		}
	}
	return v
}

func (d *draft) set(f *field, v any) {
	for i := range d.cells {
		if d.cells[i].pos == int32(f.pos) {
			if v == nil {
				d.cells = slices.Delete(d.cells, i, i+1)
			} else {
				d.cells[i].value = v
			}
			return
		}
	}
	if v != nil {
		d.cells = append(d.cells, cell{int32(f.pos), v})
	}
}

func (t *tx) insert(o *object, in input) outcome {
	if o.noCreate && !t.plants {
		return failed(wire.RecordError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "entity type cannot be inserted: "+o.label)) // [U]
	}
	if err := t.mayChange(o); err != nil {
		return failed(err)
	}
	if id, _ := in.value("Id"); wire.PlainValue(id) != "" { // [R; fields U]
		return failed(wire.RecordError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id"))
	}
	d := &draft{object: o, cells: make([]cell, 0, 32), sent: make([]*field, 0, 24)}
	if err := t.fill(d, in); err != nil {
		return failed(err)
	}
	if err := d.required(); err != nil {
		return failed(err)
	}
	d.defaults()
	if err := t.admit(d, in, ""); err != nil {
		return failed(err)
	}
	if o.existing != nil {
		if r := o.existing(t.org, d); r != nil {
			return outcome{id: r.id}
		}
	}
	t.store(d)
	return outcome{id: d.row.id, created: true}
}

func (t *tx) update(o *object, id string, in input) outcome {
	r, err := t.target(o, id)
	if err != nil {
		return failed(err)
	}
	if o.noUpdate && !t.plants {
		return failed(wire.RecordError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"))
	}
	if err := t.mayChange(o); err != nil {
		return failed(err)
	}
	d := &draft{object: o, old: r, row: r, cells: slices.Clone(r.cells)}
	if err := t.fill(d, in); err != nil {
		return failed(err)
	}
	if err := d.required(); err != nil {
		return failed(err)
	}
	if err := t.admit(d, in, r.id); err != nil {
		return failed(err)
	}
	t.store(d)
	return outcome{id: r.id}
}

func (t *tx) remove(o *object, id string) outcome {
	r, err := t.target(o, id)
	if err != nil {
		return failed(err)
	}
	if o.noDelete && !t.plants {
		// For User the code over REST is not recorded: an assumption. [U]
		return failed(wire.RecordError("CANNOT_DELETE_ENTITY", "entity type cannot be deleted"))
	}
	if err := t.mayChange(o); err != nil {
		return failed(err)
	}
	if err := t.mixes(o, o.setup); err != nil {
		return failed(err)
	}
	if t.fault != nil {
		if err := t.fault(o, r.id, rowInput{t.org, o, r}); err != nil {
			return failed(err)
		}
	}
	table := t.org.table(o.name)
	table.bury(r)
	modified := r.modified
	r.modified = t.now
	t.undo = append(t.undo, func() { r.modified = modified; table.revive(r) })
	t.places = append(t.places, r.id)
	if o.removed != nil {
		o.removed(t, r)
	}
	t.cascade(o, r.id)
	return outcome{id: r.id}
}

// cascade takes the rows along that cannot stand without their owner.
func (t *tx) cascade(o *object, id string) {
	for _, junction := range o.owned {
		table := t.org.table(junction[0])
		for _, r := range table.matches(table.object.field(junction[1]), id) {
			table.bury(r)
			t.undo = append(t.undo, func() { table.revive(r) })
		}
	}
}

// target finds the row to change.
func (t *tx) target(o *object, id string) (*record, *wire.APIError) {
	if !isID(id) || len(id) == 18 && longID(shortID(id)) != id { // the last three are a check sum
		return nil, wire.ErrMalformedID(id)
	}
	if !strings.HasPrefix(id, o.prefix) {
		return nil, wire.ErrCrossReference()
	}
	r := t.org.table(o.name).find(id)
	if r == nil {
		return nil, wire.ErrCrossReference() // in a path the caller turns this into 404
	}
	if r.deleted {
		return nil, wire.ErrDeleted()
	}
	return r, nil
}

// fill converts and checks every value sent.
func (t *tx) fill(d *draft, in input) *wire.APIError {
	var denied []string
	err := in.each(func(name string, value any) *wire.APIError {
		f := d.object.field(name)
		if f == nil {
			var failure *wire.APIError
			if f, value, failure = t.related(d.object, name, value); failure != nil {
				return failure
			}
		}
		if f == nil || !t.plants && t.org.hides(f) {
			return wire.ErrNoColumn(name, d.object.name)
		}
		if f.kind == kindID {
			return nil
		}
		if !t.mayWrite(d, f) {
			denied = append(denied, f.name)
			return nil
		}
		v, err := f.convert(value)
		if err != nil {
			return err
		}
		d.sent = append(d.sent, f)
		if v == false {
			v = nil // false is not stored; a boolean is never null anyway [D]
		}
		checked, err := f.check(t.org, v)
		if err == nil {
			d.set(f, t.org.intern(f, d.same(checked)))
			return nil
		}
		d.set(f, v) // sent, if wrong: it is not missing
		if d.fail == nil {
			d.fail = err // reported after the required fields
		}
		return nil
	})
	if err == nil && denied != nil {
		err = wire.ErrReadOnly(denied...)
	}
	return err
}

func (t *tx) mayWrite(d *draft, f *field) bool {
	if t.plants {
		return f.compute == nil
	}
	if t.org.access[f] == FieldReadOnly {
		return false
	}
	if d.old == nil {
		return f.createable()
	}
	return f.updateable()
}

// required names every missing field in one error. [R]
func (d *draft) required() *wire.APIError {
	var missing []string
	for _, f := range d.object.fields {
		if f.required && cellAt(d.cells, f.pos) == nil {
			missing = append(missing, f.name)
		}
	}
	if missing != nil {
		return wire.ErrRequired(missing)
	}
	return d.fail
}

func (d *draft) defaults() {
	for _, f := range d.object.fields {
		if f.fallback == nil || f.fallback == false || f.compute != nil {
			continue
		}
		sentFalse := f.kind == kindBoolean && slices.Contains(d.sent, f)
		if !sentFalse && cellAt(d.cells, f.pos) == nil {
			d.cells = append(d.cells, cell{int32(f.pos), f.fallback})
		}
	}
}

// admit asks everybody who may still refuse.
func (t *tx) admit(d *draft, in input, id string) *wire.APIError {
	if !t.neutral(d) {
		if err := t.mixes(d.object, d.object.setup); err != nil {
			return err
		}
	}
	if t.fault != nil {
		if err := t.fault(d.object, id, draftInput{d, in}); err != nil {
			return err
		}
	}
	if err := t.unique(d); err != nil {
		return err
	}
	if d.object.rules != nil {
		return d.object.rules(t, d)
	}
	return nil
}

// unique covers fields flagged unique; User's own rules have their own texts.
func (t *tx) unique(d *draft) *wire.APIError {
	for _, f := range d.sent {
		if !f.unique {
			continue
		}
		v := cellAt(d.cells, f.pos)
		if v == nil {
			continue
		}
		if other := t.org.taken(d.object, f, v, d.row); other != nil { // [U] text
			return wire.RecordError("DUPLICATE_VALUE",
				"duplicate value found: "+f.name+" duplicates value on record with id: "+shortID(other.id), f.name)
		}
	}
	return nil
}

// taken finds another row that holds the value.
func (o *Org) taken(obj *object, f *field, v any, self *record) *record {
	for _, r := range o.table(obj.name).matches(f, indexKey(f, v)) {
		if r != self && (!f.caseSensitive || r.at(f.pos) == v) {
			return r
		}
	}
	return nil
}

// mixes refuses setup and other objects in one transaction. [R text, D list]
func (t *tx) mixes(o *object, setup bool) *wire.APIError {
	if t.first == "" {
		t.first, t.setup = o.name, setup
		return nil
	}
	if t.setup == setup {
		return nil
	}
	return wire.RecordError("MIXED_DML_OPERATION",
		"DML operation on setup object is not permitted after you have updated a non-setup object (or vice versa): "+
			o.name+", original object: "+t.first)
}

// neutral says whether the change may stand beside anything.
func (t *tx) neutral(d *draft) bool {
	if d.object.name != "User" || d.old == nil {
		return false
	}
	// These make an update of User setup work; without them it is not. [D]
	for _, name := range [...]string{"UserRoleId", "IsActive", "ForecastEnabled", "IsPortalEnabled", "Username", "ProfileId"} {
		if f := d.object.field(name); f != nil && d.sentField(name) {
			return false
		}
	}
	return true
}

// store makes the change and remembers how to take it back.
func (t *tx) store(d *draft) {
	table := t.org.table(d.object.name)
	if d.old == nil {
		table.next++
		r := &record{id: newID(d.object.prefix, t.org.pod, table.next), cells: slices.Clone(d.cells)[:len(d.cells):len(d.cells)],
			created: t.now, modified: t.now, createdBy: t.actorID(), modifiedBy: t.actorID()}
		table.add(r)
		d.row = r
		t.undo = append(t.undo, func() { table.drop(r) })
	} else {
		r, cells, modified, by := d.old, d.old.cells, d.old.modified, d.old.modifiedBy
		d.old = &record{id: r.id, cells: cells}
		table.replace(r, d.cells)
		r.modified, r.modifiedBy = t.now, t.actorID()
		t.undo = append(t.undo, func() {
			table.replace(r, cells)
			r.modified, r.modifiedBy = modified, by
		})
	}
	t.places = append(t.places, d.row.id)
	if d.object.stored != nil {
		d.object.stored(t, d)
	}
}
