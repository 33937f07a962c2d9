package push

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// User fields with a meaning of their own.
const (
	fieldID         = "Id"
	fieldUsername   = "Username"
	fieldFederation = "FederationIdentifier"
	fieldEmail      = "Email"
	fieldActive     = "IsActive"
	fieldProfile    = "ProfileId"
	fieldRole       = "UserRoleId"
)

// What Link.Assigned holds in place of an assignment's id.
const (
	// found: the user had it before Rollcall came. It is neither given again nor
	// ever taken away.
	found = "found"
	// there: Rollcall gave it in a call whose answer was lost; the id is read
	// when it is needed.
	there = "there"
	// perhaps: Rollcall was about to give it. It is given again (which is
	// harmless) or taken away, never taken for granted.
	perhaps = ""
)

// change is what has to be done to one user; what is done is taken out.
type change struct {
	// create holds the fields of a new user.
	create map[string]any
	// update holds changed fields, IsActive among them.
	update map[string]any
	// freeze and unfreeze are UserLogin.IsFrozen.
	freeze, unfreeze bool
	// give and take are names as Link.Assigned has them.
	give, take []string
}

func (c change) empty() bool {
	return c.create == nil && len(c.update) == 0 && !c.freeze && !c.unfreeze && len(c.give) == 0 && len(c.take) == 0
}

// modifies says whether the change needs leave to update an existing user.
func (c change) modifies() bool {
	return len(c.update) > 0 || c.unfreeze || len(c.give) > 0 || len(c.take) > 0
}

// wantedFields are the fields a user should have, profile and role among them.
// A role is cleared only where Rollcall gave one.
func wantedFields(d events.Desired, link events.Link, id ids) map[string]any {
	w := make(map[string]any, len(d.Fields)+2)
	for name, v := range d.Fields {
		if !reserved(name) {
			w[name] = plain(v)
		}
	}
	if id.profile != "" {
		w[fieldProfile] = id.profile
	}
	if id.role != "" {
		w[fieldRole] = id.role
	} else if h, ok := link.FieldHashes[fieldRole]; ok && h != hashValue(nil) {
		w[fieldRole] = nil
	}
	return w
}

func reserved(name string) bool {
	for _, r := range []string{fieldID, fieldActive, fieldProfile, fieldRole} {
		if strings.EqualFold(name, r) {
			return true
		}
	}
	return false
}

// planCreate is the change that makes a new user. Nulls are left out: a new
// user has no value to clear.
func planCreate(d events.Desired, id ids) change {
	fields := wantedFields(d, events.Link{}, id)
	maps.DeleteFunc(fields, func(_ string, v any) bool { return v == nil })
	fields[fieldActive] = true
	give, _ := planAssignments(d, nil)
	return change{create: fields, give: give}
}

// planExisting is the change that makes an existing user as desired. With u, the
// user as read just now, it goes by the values; without, by the link's hashes.
func planExisting(d events.Desired, link events.Link, u *user, id ids, freezeFirst bool) change {
	active := link.Active
	if u != nil {
		active = u.active
	}
	if !d.Active {
		if !active {
			return change{}
		}
		return change{update: map[string]any{fieldActive: false}, freeze: freezeFirst && !link.Frozen}
	}
	c := change{update: map[string]any{}}
	for name, v := range wantedFields(d, link, id) {
		if differs(name, v, link, u) {
			c.update[name] = v
		}
	}
	if !active {
		c.update[fieldActive] = true
	}
	c.unfreeze = link.Frozen
	c.give, c.take = planAssignments(d, link.Assigned)
	return c
}

func differs(name string, v any, link events.Link, u *user) bool {
	if u == nil {
		h, ok := link.FieldHashes[name]
		return !ok || h != hashValue(v)
	}
	have, ok := u.fields[strings.ToLower(name)]
	return !ok && v != nil || ok && !same(have, v)
}

// planAssignments compares what a user was given with what they should have.
func planAssignments(d events.Desired, have map[string]string) (give, take []string) {
	want := make(map[string]bool, len(d.PermissionSets)+len(d.Groups))
	add := func(kind string, list []string) {
		for _, n := range list {
			name := kind + "/" + n
			if have[name] == perhaps && !want[name] {
				give = append(give, name)
			}
			want[name] = true
		}
	}
	add(kindPermissionSet, d.PermissionSets)
	add(kindGroup, d.Groups)
	for name, id := range have {
		if !want[name] && id != found {
			take = append(take, name)
		}
	}
	slices.Sort(take)
	return give, take
}

// hashFields are the hashes a link keeps of what was applied.
func hashFields(fields map[string]any) map[string]string {
	out := make(map[string]string, len(fields))
	for name, v := range fields {
		out[name] = hashValue(v)
	}
	return out
}

// hashValue is short: it only has to tell a value from its successor.
func hashValue(v any) string {
	sum := sha256.Sum256([]byte(canonical(plain(v))))
	return base64.RawStdEncoding.EncodeToString(sum[:8])
}

func canonical(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "s" + v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case interface{ Float64() (float64, error) }: // a number as the client reads it
		if f, err := v.Float64(); err == nil {
			return strconv.FormatFloat(f, 'g', -1, 64)
		}
	}
	data, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}

// plain makes of a value what Salesforce makes of it: an empty string is null.
func plain(v any) any {
	if s, ok := v.(string); ok && strings.TrimSpace(s) == "" {
		return nil
	}
	return v
}

// same compares a value read from Salesforce, which trims strings, with a
// desired one.
func same(have, want any) bool {
	h, w := plain(have), plain(want)
	if hs, ok := h.(string); ok {
		ws, ok := w.(string)
		return ok && strings.TrimSpace(hs) == strings.TrimSpace(ws)
	}
	return canonical(h) == canonical(w)
}
