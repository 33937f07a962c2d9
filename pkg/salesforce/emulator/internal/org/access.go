package org

import (
	"fmt"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Everything stands for all names of a list that is taken away.
const Everything = "*"

// Access is what a user has beside the profile, by names.
type Access struct {
	PermissionSets []string `json:"permissionSets,omitempty"`
	// PermissionSetGroups by DeveloperName.
	PermissionSetGroups []string `json:"permissionSetGroups,omitempty"`
	// Groups are public groups and queues, by Name or DeveloperName.
	Groups []string `json:"groups,omitempty"`
	// PermissionSetLicenses by DeveloperName.
	PermissionSetLicenses []string `json:"permissionSetLicenses,omitempty"`
}

// tie is how a user has something: the rows of a junction.
type tie struct {
	junction, user, thing string   // the object and its two references
	object                string   // what thing names
	columns               []string // by which it is named
	names                 []string
}

func (a Access) ties() []tie {
	return []tie{
		{"PermissionSetAssignment", "AssigneeId", "PermissionSetId", "PermissionSet", []string{"Name"}, a.PermissionSets},
		{"PermissionSetAssignment", "AssigneeId", "PermissionSetGroupId", "PermissionSetGroup", []string{"DeveloperName"}, a.PermissionSetGroups},
		{"GroupMember", "UserOrGroupId", "GroupId", "Group", []string{"Name", "DeveloperName"}, a.Groups},
		{"PermissionSetLicenseAssign", "AssigneeId", "PermissionSetLicenseId", "PermissionSetLicense", []string{"DeveloperName"}, a.PermissionSetLicenses},
	}
}

// known refuses names of what is not there; Everything is, where it is asked for.
func (o *Org) known(a Access, everything bool) error {
	for _, t := range a.ties() {
		for _, name := range t.names {
			if !(everything && name == Everything) && o.named(t, name) == nil {
				return fmt.Errorf("emulator: no %s %q", t.object, name)
			}
		}
	}
	return nil
}

func (o *Org) named(t tie, name string) *store.Record {
	for _, column := range t.columns {
		if r := o.ByName(t.object, column, name); r != nil {
			return r
		}
	}
	return nil
}

// rows are the junction rows by which a user has what a tie names.
func (o *Org) rows(t tie, userID string) []*store.Record {
	table := o.Table(t.junction)
	thing := table.Object.Field(t.thing)
	rows := slices.DeleteFunc(table.Matches(table.Object.Field(t.user), userID), func(r *store.Record) bool {
		id := wire.PlainValue(r.At(thing.Pos))
		return id == "" || !slices.Contains(t.names, Everything) && !slices.ContainsFunc(t.names, func(name string) bool {
			one := o.named(t, name)
			return one != nil && one.ID == id
		})
	})
	store.BySeq(rows)
	return rows
}

// give makes the rows that a user lacks.
func (o *Org) give(tx *store.Tx, userID string, a Access) error {
	for _, t := range a.ties() {
		for _, name := range t.names {
			only := t
			only.names = []string{name}
			if len(o.rows(only, userID)) > 0 {
				continue
			}
			in := store.MapInput{t.user: userID, t.thing: o.named(t, name).ID}
			if res := tx.Insert(o.Object(t.junction), in); !res.OK() {
				return fmt.Errorf("emulator: give %s %q: %w", t.object, name, res.Errs[0])
			}
		}
	}
	return nil
}

// take removes the rows that a user has of it.
func (o *Org) take(tx *store.Tx, userID string, a Access) error {
	for _, t := range a.ties() {
		for _, r := range o.rows(t, userID) {
			if res := tx.Remove(o.Object(t.junction), r.ID); !res.OK() {
				return fmt.Errorf("emulator: take %s: %w", t.object, res.Errs[0])
			}
		}
	}
	return nil
}
