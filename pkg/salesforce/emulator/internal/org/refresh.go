package org

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// Refresh says what another org behind the same name is like.
type Refresh struct {
	// Keep says whose users are copied; nil: nobody's but those that connected
	// apps run as.
	Keep func(userID string) bool
	// KeepIDs leaves every row its id; else all are others.
	KeepIDs bool
	// KeepOrgID leaves the org its id.
	KeepOrgID bool
}

// Refresh puts another org into an org's place: its set-up, the users who are
// kept, and whatever hangs on them. Nobody is signed in there. Who still holds
// the old one sees it as it was. The state lock is held.
func (s *Set) Refresh(old *Org, r Refresh) (*Org, error) {
	at := slices.Index(s.order, old)
	if at < 0 {
		return nil, fmt.Errorf("emulator: refresh: org %s is not there any more", old.ID)
	}
	in, err := old.copied()
	if err != nil {
		return nil, fmt.Errorf("emulator: refresh: %w", err)
	}
	in.Grants = nil
	ordinal := s.number()
	if !r.KeepOrgID {
		in.ID = store.NewID("00D", store.PodOf(ordinal), uint64(ordinal+1))
		if shared, prefix := strings.CutSuffix(in.Config.InstanceURL, "/orgs/"+old.ID); prefix {
			in.Config.InstanceURL = shared + "/orgs/" + in.ID
		}
	}
	c := copier{old: old, in: in, pod: old.Pod}
	if !r.KeepIDs {
		c.pod = store.PodOf(ordinal)
	}
	c.drop(r.Keep)
	c.rename()
	o, err := s.loadOrg(in, ordinal)
	if err != nil {
		return nil, fmt.Errorf("emulator: refresh: %w", err)
	}
	delete(s.byID, store.ShortID(old.ID))
	s.byID[store.ShortID(o.ID)], s.order[at] = o, o
	s.added(o)
	return o, nil
}

// copied is the org as it is saved, so that nothing is shared with it.
func (o *Org) copied() (*snapshotOrg, error) {
	text, err := json.Marshal(o.save())
	if err != nil {
		return nil, fmt.Errorf("copy: %w", err)
	}
	var in snapshotOrg
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, fmt.Errorf("copy: %w", err)
	}
	return &in, nil
}

// copier turns the copy of an org into another org.
type copier struct {
	old *Org
	in  *snapshotOrg
	pod string // of the new ids
}

// drop takes the users away who are not kept, and what cannot stand without
// them; other rows only lose the reference.
func (c copier) drop(keep func(userID string) bool) {
	gone := map[string]bool{}
	runAs := map[string]bool{}
	for _, app := range c.in.Config.Clients {
		runAs[strings.ToLower(app.RunAsUsername)] = true
	}
	c.in.Rows["User"] = slices.DeleteFunc(c.in.Rows["User"], func(r snapshotRecord) bool {
		name, _ := r.Values["Username"].(string)
		if runAs[strings.ToLower(name)] || keep != nil && keep(r.ID) {
			return false
		}
		gone[r.ID] = true
		return true
	})
	for object, rows := range c.in.Rows {
		c.in.Rows[object] = slices.DeleteFunc(rows, func(r snapshotRecord) bool { return losesOwner(object, r, gone) })
	}
	for id := range gone {
		delete(c.in.Refusals, store.ShortID(id))
		delete(c.in.Denied, store.ShortID(id))
	}
}

// losesOwner says whether a row goes with a user who is gone.
func losesOwner(object string, r snapshotRecord, gone map[string]bool) bool {
	for field, v := range r.Values {
		id, ok := v.(string)
		if !ok || !gone[id] {
			continue
		}
		switch object + "." + field {
		case "UserLogin.UserId", "PermissionSetAssignment.AssigneeId", "PermissionSetLicenseAssign.AssigneeId", "GroupMember.UserOrGroupId":
			return true
		}
		delete(r.Values, field)
	}
	return false
}

// rename gives every row its new id, wherever it is named.
func (c copier) rename() {
	for object, rows := range c.in.Rows {
		for i := range rows {
			r := &rows[i]
			r.ID = c.renamed(r.ID)
			r.CreatedBy, r.ModifiedBy = c.renamed(r.CreatedBy), c.renamed(r.ModifiedBy)
			for name, v := range r.Values {
				f := c.old.Object(object).Field(name)
				if id, ok := v.(string); ok && f.Kind == store.KindReference {
					r.Values[name] = c.renamed(id)
				}
			}
		}
	}
	c.in.Refusals = renamedKeys(c, c.in.Refusals)
	c.in.Denied = renamedKeys(c, c.in.Denied)
}

// renamed is the id that a row has in the other org; the org's row is named as
// the org.
func (c copier) renamed(id string) string {
	switch {
	case id == c.old.ID:
		return c.in.ID
	case c.pod == c.old.Pod || len(id) != store.LongIDLen:
		return id
	}
	return store.LongID(id[:3] + c.pod + store.ShortID(id)[5:])
}

// renamedKeys does the same for what is kept by 15 character ids.
func renamedKeys[V any](c copier, in map[string]V) map[string]V {
	out := make(map[string]V, len(in))
	for short, v := range in {
		if short != "" {
			short = store.ShortID(c.renamed(store.LongID(short)))
		}
		out[short] = v
	}
	return out
}
