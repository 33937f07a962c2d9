package store

import (
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Tx is one transaction: a single call, a whole collection, or an allOrNone
// composite. The server's state lock is held for its life.
type Tx struct {
	Data   *Data
	Actor  *Record // who does it; nil for the emulator's own planting
	Now    wire.Instant
	undo   []func()
	first  string   // the object that fixed whether this is setup work
	setup  bool     // what it fixed
	Hit    Hit      // planned per-record faults; nil outside of HTTP calls
	Places []string // ids and usernames touched, for the journal
	// Stripped are the users from whom the org's own flow took something.
	Stripped []string
	Plants   bool // planting may write what a client may not
}

// Hit asks the fault plan about one record; a non-nil answer is the
// error that the record shall get.
type Hit func(o *Object, id string, in Input) *wire.APIError

// Rollback undoes everything, newest first.
func (t *Tx) Rollback() { t.RollbackTo(0) }

// Mark is where the transaction is now, for RollbackTo.
func (t *Tx) Mark() int { return len(t.undo) }

// OnRollback is called should what has just been done be undone.
func (t *Tx) OnRollback(undo func()) { t.undo = append(t.undo, undo) }

func (t *Tx) actorID() string {
	if t.Actor == nil {
		return ""
	}
	return t.Actor.ID
}

// Insert makes a record of what was sent.
func (t *Tx) Insert(o *Object, in Input) Outcome {
	if o.NoCreate && !t.Plants {
		return Failed(wire.RecordError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "entity type cannot be inserted: "+o.Label)) // [U]
	}
	if err := t.mayChange(o); err != nil {
		return Failed(err)
	}
	if id, _ := in.Value("Id"); wire.PlainValue(id) != "" { // [R; fields U]
		return Failed(wire.RecordError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id"))
	}
	d := &Draft{Object: o, Cells: make([]Cell, 0, 32), sent: make([]*Field, 0, 24)}
	if err := t.fill(d, in); err != nil {
		return Failed(err)
	}
	if err := d.required(); err != nil {
		return Failed(err)
	}
	d.defaults()
	if err := t.admit(d, in, ""); err != nil {
		return Failed(err)
	}
	if o.Existing != nil {
		if r := o.Existing(d); r != nil {
			return Outcome{ID: r.ID}
		}
	}
	t.Store(d)
	return Outcome{ID: d.Row.ID, Created: true}
}

// Update changes a record.
func (t *Tx) Update(o *Object, id string, in Input) Outcome {
	r, err := t.target(o, id)
	if err != nil {
		return Failed(err)
	}
	if o.NoUpdate && !t.Plants {
		return Failed(wire.RecordError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"))
	}
	if err := t.mayChange(o); err != nil {
		return Failed(err)
	}
	d := &Draft{Object: o, Old: r, Row: r, Cells: slices.Clone(r.Cells)}
	if err := t.fill(d, in); err != nil {
		return Failed(err)
	}
	if err := d.required(); err != nil {
		return Failed(err)
	}
	if err := t.admit(d, in, r.ID); err != nil {
		return Failed(err)
	}
	t.Store(d)
	return Outcome{ID: r.ID}
}

// Remove deletes a record and what cannot stand without it.
func (t *Tx) Remove(o *Object, id string) Outcome {
	r, err := t.target(o, id)
	if err != nil {
		return Failed(err)
	}
	if o.NoDelete && !t.Plants {
		// For User the code over REST is not recorded: an assumption. [U]
		return Failed(wire.RecordError("CANNOT_DELETE_ENTITY", "entity type cannot be deleted"))
	}
	if err := t.mayChange(o); err != nil {
		return Failed(err)
	}
	if err := t.mixes(o, o.Setup); err != nil {
		return Failed(err)
	}
	if t.Hit != nil {
		if err := t.Hit(o, r.ID, rowInput{t.Data, o, r}); err != nil {
			return Failed(err)
		}
	}
	table := t.Data.Table(o.Name)
	table.bury(r)
	modified := r.Modified
	r.Modified = t.Now
	t.undo = append(t.undo, func() { r.Modified = modified; table.revive(r) })
	t.Places = append(t.Places, r.ID)
	if o.Removed != nil {
		o.Removed(t, r)
	}
	t.cascade(o, r.ID)
	return Outcome{ID: r.ID}
}

// cascade takes the rows along that cannot stand without their owner.
func (t *Tx) cascade(o *Object, id string) {
	for _, junction := range o.Owned {
		table := t.Data.Table(junction[0])
		for _, r := range table.Matches(table.Object.Field(junction[1]), id) {
			table.bury(r)
			t.undo = append(t.undo, func() { table.revive(r) })
		}
	}
}

// target finds the row to change.
func (t *Tx) target(o *Object, id string) (*Record, *wire.APIError) {
	if !IsID(id) || len(id) == 18 && LongID(ShortID(id)) != id { // the last three are a check sum
		return nil, wire.ErrMalformedID(id)
	}
	if !strings.HasPrefix(id, o.Prefix) {
		return nil, wire.ErrCrossReference()
	}
	r := t.Data.Table(o.Name).Find(id)
	if r == nil {
		return nil, wire.ErrCrossReference() // in a path the caller turns this into 404
	}
	if r.Deleted {
		return nil, wire.ErrDeleted()
	}
	return r, nil
}

// fill converts and checks every value sent.
func (t *Tx) fill(d *Draft, in Input) *wire.APIError {
	var denied []string
	err := in.Each(func(name string, value any) *wire.APIError {
		f := d.Object.Field(name)
		if f == nil {
			var failure *wire.APIError
			if f, value, failure = t.related(d.Object, name, value); failure != nil {
				return failure
			}
		}
		if f == nil || !t.Plants && t.Data.Hides(f) {
			return wire.ErrNoColumn(name, d.Object.Name)
		}
		if f.Kind == KindID {
			return nil
		}
		if !t.mayWrite(d, f) {
			denied = append(denied, f.Name)
			return nil
		}
		v, err := f.Convert(value)
		if err != nil {
			return err
		}
		d.sent = append(d.sent, f)
		if v == false {
			v = nil // false is not stored; a boolean is never null anyway [D]
		}
		checked, err := f.check(t.Data, v)
		if err == nil {
			d.Set(f, t.Data.Intern(f, d.same(checked)))
			return nil
		}
		d.Set(f, v) // sent, if wrong: it is not missing
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

func (t *Tx) mayWrite(d *Draft, f *Field) bool {
	if t.Plants {
		return f.compute == nil
	}
	if t.Data.Access[f] == FieldReadOnly {
		return false
	}
	if d.Old == nil {
		return f.Createable()
	}
	return f.Updateable()
}

// admit asks everybody who may still refuse.
func (t *Tx) admit(d *Draft, in Input, id string) *wire.APIError {
	if o := d.Object; o.Neutral == nil || !o.Neutral(d) {
		if err := t.mixes(d.Object, d.Object.Setup); err != nil {
			return err
		}
	}
	if t.Hit != nil {
		if err := t.Hit(d.Object, id, draftInput{d, in}); err != nil {
			return err
		}
	}
	if err := t.unique(d); err != nil {
		return err
	}
	if d.Object.Rules != nil {
		return d.Object.Rules(t, d)
	}
	return nil
}

// unique covers fields flagged unique; User's own rules have their own texts.
func (t *Tx) unique(d *Draft) *wire.APIError {
	for _, f := range d.sent {
		if !f.Unique {
			continue
		}
		v := CellAt(d.Cells, f.Pos)
		if v == nil {
			continue
		}
		if other := t.Data.Taken(d.Object, f, v, d.Row); other != nil { // [U] text
			return wire.RecordError("DUPLICATE_VALUE",
				"duplicate value found: "+f.Name+" duplicates value on record with id: "+ShortID(other.ID), f.Name)
		}
	}
	return nil
}

// mixes refuses setup and other objects in one transaction. [R text, D list]
func (t *Tx) mixes(o *Object, setup bool) *wire.APIError {
	if t.first == "" {
		t.first, t.setup = o.Name, setup
		return nil
	}
	if t.setup == setup {
		return nil
	}
	return wire.RecordError("MIXED_DML_OPERATION",
		"DML operation on setup object is not permitted after you have updated a non-setup object (or vice versa): "+
			o.Name+", original object: "+t.first)
}

// Store makes the change and remembers how to take it back.
func (t *Tx) Store(d *Draft) {
	table := t.Data.Table(d.Object.Name)
	if d.Old == nil {
		table.Next++
		r := &Record{ID: NewID(d.Object.Prefix, t.Data.Pod, table.Next), Cells: slices.Clone(d.Cells)[:len(d.Cells):len(d.Cells)],
			Created: t.Now, Modified: t.Now, CreatedBy: t.actorID(), ModifiedBy: t.actorID()}
		table.Add(r)
		d.Row = r
		t.undo = append(t.undo, func() { table.Drop(r) })
	} else {
		r, cells, modified, by := d.Old, d.Old.Cells, d.Old.Modified, d.Old.ModifiedBy
		d.Old = &Record{ID: r.ID, Cells: cells}
		table.replace(r, d.Cells)
		r.Modified, r.ModifiedBy = t.Now, t.actorID()
		t.undo = append(t.undo, func() {
			table.replace(r, cells)
			r.Modified, r.ModifiedBy = modified, by
		})
	}
	t.Places = append(t.Places, d.Row.ID)
	if d.Object.Stored != nil {
		d.Object.Stored(t, d)
	}
}

// RollbackTo undoes what a failed record left behind.
func (t *Tx) RollbackTo(mark int) {
	for i := len(t.undo) - 1; i >= mark; i-- {
		t.undo[i]()
	}
	t.undo = t.undo[:mark]
}

// mayChange asks whether the caller has the right to change rows of a type.
func (t *Tx) mayChange(o *Object) *wire.APIError {
	if t.Actor == nil || t.Data.Lacks == nil || !t.Data.Lacks(t.Actor.ID, o) {
		return nil
	}
	return wire.RecordError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
}
