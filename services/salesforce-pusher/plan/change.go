package plan

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// User fields with a meaning of their own.
const (
	FieldID         = "Id"
	FieldUsername   = "Username"
	FieldFederation = "FederationIdentifier"
	FieldEmail      = "Email"
	FieldActive     = "IsActive"
	FieldProfile    = "ProfileId"
	FieldRole       = "UserRoleId"
)

// Change is what has to be done to one user; what is done is taken out.
type Change struct {
	// Create holds the fields of a new user.
	Create map[string]any
	// Update holds changed fields, IsActive among them.
	Update map[string]any
	// Freeze and Unfreeze are UserLogin.IsFrozen.
	Freeze, Unfreeze bool
	// Give and Take are names as Link.Assigned has them.
	Give, Take []string
}

func (c *Change) empty() bool {
	return c.Create == nil && len(c.Update) == 0 && !c.Freeze && !c.Unfreeze && len(c.Give) == 0 && len(c.Take) == 0
}

// modifies says whether the change needs leave to update an existing user.
func (c *Change) modifies() bool {
	return len(c.Update) > 0 || c.Unfreeze || len(c.Give) > 0 || len(c.Take) > 0
}

// IDs are the ids of the names that a user's own fields refer to.
type IDs struct{ Profile, Role string }

// wantedFields are the fields a user should have, profile and role among them.
// A role is cleared only where Rollcall gave one.
func wantedFields(d events.Desired, link events.Link, id IDs) map[string]any {
	w := make(map[string]any, len(d.Fields)+2)
	for name, v := range d.Fields {
		if !reserved(name) {
			w[name] = plain(v)
		}
	}
	if id.Profile != "" {
		w[FieldProfile] = id.Profile
	}
	if id.Role != "" {
		w[FieldRole] = id.Role
	} else if h, ok := link.FieldHashes[FieldRole]; ok && h != hashValue(nil) {
		w[FieldRole] = nil
	}
	return w
}

func reserved(name string) bool {
	for _, r := range []string{FieldID, FieldActive, FieldProfile, FieldRole} {
		if strings.EqualFold(name, r) {
			return true
		}
	}
	return false
}

// planCreate is the change that makes a new user. Nulls are left out: a new
// user has no value to clear.
func planCreate(d events.Desired, id IDs) Change {
	fields := wantedFields(d, events.Link{}, id)
	maps.DeleteFunc(fields, func(_ string, v any) bool { return v == nil })
	fields[FieldActive] = true
	give, _ := planAssignments(d, nil)
	return Change{Create: fields, Give: give}
}

// planExisting is the change that makes an existing user as desired. With u, the
// user as read just now, it goes by the values; without, by the link's hashes.
func planExisting(d events.Desired, link events.Link, u *User, id IDs, freezeFirst bool) Change {
	active := link.Active
	if u != nil {
		active = u.Active
	}
	if !d.Active {
		if !active {
			return Change{}
		}
		return Change{Update: map[string]any{FieldActive: false}, Freeze: freezeFirst && !link.Frozen}
	}
	c := Change{Update: map[string]any{}}
	for name, v := range wantedFields(d, link, id) {
		if differs(name, v, link, u) {
			c.Update[name] = v
		}
	}
	if !active || u == nil && len(c.Update) > 0 {
		c.Update[FieldActive] = true // nobody has looked: somebody may have deactivated the user by hand
	}
	c.Unfreeze = link.Frozen || link.FreezeLost
	c.Give, c.Take = planAssignments(d, link.Assigned)
	return c
}

func differs(name string, v any, link events.Link, u *User) bool {
	if u == nil {
		h, ok := link.FieldHashes[name]
		return !ok || h != hashValue(v)
	}
	have, ok := u.Fields[strings.ToLower(name)]
	return !ok && v != nil || ok && !same(have, v)
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
