package org

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/auth"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// snapshotVersion changes when the file format does.
const snapshotVersion = 1

// snapshotFile is the whole server on disk. Sessions, cursors, faults and the
// journal are left out: they do not outlive a process in life either.
type snapshotFile struct {
	Version   int           `json:"version"`
	Elsewhere []string      `json:"elsewhere,omitempty"`
	Orgs      []snapshotOrg `json:"orgs"`
}

type snapshotOrg struct {
	Config   Config                      `json:"config"`
	ID       string                      `json:"id"`
	Next     map[string]uint64           `json:"next"`
	Rows     map[string][]snapshotRecord `json:"rows"`
	Refusals map[string]Refusal          `json:"refusals,omitempty"`
	Denied   map[string][]Denial         `json:"denied,omitempty"`
	Grants   []auth.Saved                `json:"grants,omitempty"`
	Left     *Left                       `json:"left,omitempty"`
}

type snapshotRecord struct {
	ID         string         `json:"id"`
	Created    wire.Instant   `json:"created"`
	Modified   wire.Instant   `json:"modified"`
	CreatedBy  string         `json:"createdBy,omitempty"`
	ModifiedBy string         `json:"modifiedBy,omitempty"`
	Values     map[string]any `json:"values"`
}

// Save writes orgs, rows, refusals, planted usernames and refresh tokens as
// JSON. The file holds secrets.
func (s *Set) Save(w io.Writer) error {
	s.State.RLock()
	defer s.State.RUnlock()
	file := snapshotFile{Version: snapshotVersion, Orgs: []snapshotOrg{}}
	for name := range s.elsewhere {
		file.Elsewhere = append(file.Elsewhere, name)
	}
	slices.Sort(file.Elsewhere)
	for _, o := range s.order {
		file.Orgs = append(file.Orgs, o.save())
	}
	if err := json.NewEncoder(w).Encode(file); err != nil {
		return fmt.Errorf("emulator: save: %w", err)
	}
	return nil
}

func (o *Org) save() snapshotOrg {
	out := snapshotOrg{Config: o.Config, ID: o.ID, Next: map[string]uint64{}, Rows: map[string][]snapshotRecord{}, Refusals: o.refusals, Denied: o.Denied, Left: o.Place().Left}
	out.Config.Clients, out.Config.FeatureLicenses, out.Grants = o.Auth.Apps(), o.seats.limits, o.Auth.Save()
	for _, obj := range o.Objects {
		t := o.Table(obj.Name)
		out.Next[obj.Name] = t.Next
		for _, r := range t.Rows {
			if !r.Deleted {
				out.Rows[obj.Name] = append(out.Rows[obj.Name], saveRow(r, obj))
			}
		}
	}
	return out
}

func saveRow(r *store.Record, obj *store.Object) snapshotRecord {
	values := make(map[string]any, len(r.Cells))
	for _, c := range r.Cells {
		values[obj.Fields[c.Pos].Name] = c.Value
	}
	return snapshotRecord{r.ID, r.Created, r.Modified, r.CreatedBy, r.ModifiedBy, values}
}

// Load fills a set that has no orgs from what Save wrote.
func (s *Set) Load(r io.Reader) error {
	var file snapshotFile
	if err := json.NewDecoder(r).Decode(&file); err != nil {
		return fmt.Errorf("emulator: load: %w", err)
	}
	if file.Version != snapshotVersion {
		return fmt.Errorf("emulator: load: version %d, want %d", file.Version, snapshotVersion)
	}
	s.State.Lock()
	defer s.State.Unlock()
	if len(s.order) > 0 {
		return errors.New("emulator: load: the server has orgs already")
	}
	orgs := make([]*Org, 0, len(file.Orgs))
	for i := range file.Orgs {
		o, err := s.loadOrg(&file.Orgs[i], s.number())
		if err != nil {
			return fmt.Errorf("emulator: load: org %s: %w", file.Orgs[i].ID, err)
		}
		orgs = append(orgs, o)
	}
	for _, name := range file.Elsewhere {
		s.elsewhere[name] = struct{}{}
	}
	for _, o := range orgs {
		s.take(o)
	}
	return nil
}

func (s *Set) loadOrg(in *snapshotOrg, ordinal int) (*Org, error) {
	in.Config.ID = in.ID
	if err := in.Config.Validate(); err != nil {
		return nil, err
	}
	o := newOrg(s, in.Config, ordinal)
	if err := errors.Join((seeder{o}).fieldAccess(), o.seats.known()); err != nil {
		return nil, err
	}
	for name, rows := range in.Rows {
		t := o.Table(name)
		if t == nil {
			return nil, fmt.Errorf("no object %q", name)
		}
		for i := range rows {
			if err := o.loadRow(t, &rows[i]); err != nil {
				return nil, fmt.Errorf("%s %s: %w", name, rows[i].ID, err)
			}
		}
		t.Next = max(t.Next, in.Next[name])
	}
	o.place.Store(placeAt(in.Config.InstanceURL, in.Left))
	if in.Refusals != nil {
		o.refusals = in.Refusals
	}
	if in.Denied != nil {
		o.Denied = in.Denied
	}
	o.Auth.Load(in.Grants)
	o.recountSeats()
	return o, nil
}

func (o *Org) loadRow(t *store.Table, in *snapshotRecord) error {
	r := &store.Record{ID: in.ID, Created: in.Created, Modified: in.Modified, CreatedBy: in.CreatedBy, ModifiedBy: in.ModifiedBy}
	for name, v := range in.Values {
		f := t.Object.Field(name)
		if f == nil {
			return fmt.Errorf("no field %q", name)
		}
		value, err := restore(f, v)
		if err != nil {
			return err
		}
		if value == nil || value == false {
			continue
		}
		r.Cells = append(r.Cells, f.Cell(o.Intern(f, value)))
	}
	t.Next++
	t.Add(r)
	return nil
}

// restore undoes what JSON did to a stored value.
func restore(f *store.Field, v any) (any, error) {
	if n, ok := v.(float64); ok && f.Kind == store.KindDatetime {
		return wire.Instant(n), nil
	}
	value, failure := f.Convert(wire.FromGo(v))
	if failure != nil {
		return nil, failure
	}
	return value, nil
}

// recountSeats derives the used seats from the rows.
func (o *Org) recountSeats() {
	clear(o.seats.used)
	clear(o.seats.features)
	for _, r := range o.Table("User").Rows {
		o.seats.moveFeatures(nil, r.Cells)
		if r.At(o.user.active.Pos) == true {
			o.seats.move("", o.LicenceOf(wire.PlainValue(r.At(o.user.profile.Pos))))
		}
	}
	t := o.Table("PermissionSetLicenseAssign")
	for _, r := range t.Rows {
		o.seats.move("", wire.PlainValue(r.At(t.Object.Field("PermissionSetLicenseId").Pos)))
	}
}
