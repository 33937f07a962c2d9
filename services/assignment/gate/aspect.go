package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// What a taking is called beside kinds and names of assignments.
const (
	takesActive  = "active"
	takesProfile = "profile"
	fieldName    = "Username"
	fieldEmail   = "Email"

	fieldFederation = "FederationIdentifier"
)

// Takings are what is taken or changed, by aspect; an aspect without any is not
// in it.
type Takings map[events.Aspect][]string

// Takes says what a wish takes of what a person has by now. Somebody who has
// nothing, or of whom nothing can be worked out, loses nothing; of a leaver, only
// that they are one: what else they had stays with a user who cannot sign in.
func Takes(is, wish *events.Desired) Takings {
	switch {
	case is == nil || wish == nil || !is.Active || wish.Problem != nil:
		return nil
	case !wish.Active:
		return Takings{events.AspectActive: {takesActive}}
	}
	out := Takings{}
	if lost := lostAccess(is, wish); len(lost) > 0 {
		out[events.AspectAccess] = lost
	}
	if changed := changedIdentity(is, wish); len(changed) > 0 {
		out[events.AspectIdentity] = changed
	}
	return out
}

func lostAccess(is, wish *events.Desired) []string {
	var out []string
	for _, kind := range slices.Sorted(maps.Keys(is.Assignments)) {
		for _, name := range is.Assignments[kind] {
			if !slices.Contains(wish.Assignments[kind], name) {
				out = append(out, kind+"/"+name)
			}
		}
	}
	if is.Profile != "" && is.Profile != wish.Profile {
		out = append(out, takesProfile)
	}
	return out
}

// identityFields are what people sign in and are reached by: the federation id is
// that of single sign-on.
func identityFields() []string { return []string{fieldEmail, fieldName, fieldFederation} }

// changedIdentity: another case of letters is no other address.
func changedIdentity(is, wish *events.Desired) []string {
	var out []string
	for _, name := range identityFields() {
		have := text(is, name)
		if have != "" && !strings.EqualFold(have, text(wish, name)) {
			out = append(out, name)
		}
	}
	return out
}

func text(d *events.Desired, field string) string {
	s, _ := d.Fields[field].(string)
	return s
}

// keep makes one aspect of d what it is by now. For a deactivation the caller
// has worked out what else is wished for: see [Case].
func keep(aspect events.Aspect, is, d *events.Desired) {
	switch aspect {
	case events.AspectAccess:
		d.Assignments, d.Profile = maps.Clone(is.Assignments), is.Profile
	case events.AspectIdentity:
		d.Fields = maps.Clone(d.Fields)
		if d.Fields == nil {
			d.Fields = map[string]any{}
		}
		for _, name := range identityFields() {
			if v, ok := is.Fields[name]; ok {
				d.Fields[name] = v
			} else {
				delete(d.Fields, name)
			}
		}
		d.Match.Username, d.Match.Email, d.Match.FederationID = is.Match.Username, is.Match.Email, is.Match.FederationID
	case events.AspectActive:
	}
}

// Baseline gives a wish that cannot be worked out what the person has by now, so
// that the next one is compared with that.
func Baseline(is, wish *events.Desired) {
	if is == nil || wish.Problem == nil || !is.Active {
		return
	}
	wish.Fields = maps.Clone(wish.Fields)
	if wish.Fields == nil {
		wish.Fields = map[string]any{}
	}
	wish.Assignments, wish.Profile = maps.Clone(is.Assignments), is.Profile
	for _, name := range identityFields() {
		if v, ok := is.Fields[name]; ok {
			wish.Fields[name] = v
		}
	}
	wish.Held = slices.Clone(is.Held)
}

// WishOf is a short hash of one aspect of a wish: equal where the same is wished for.
func WishOf(d *events.Desired, aspect events.Aspect) string {
	var of any
	switch aspect {
	case events.AspectActive:
		of = d.Active
	case events.AspectAccess:
		of = map[string]any{"profile": d.Profile, "assignments": filled(d.Assignments)}
	case events.AspectIdentity:
		of = []string{strings.ToLower(text(d, fieldName)), strings.ToLower(text(d, fieldEmail)), strings.ToLower(text(d, fieldFederation))}
	}
	data, err := json.Marshal(of) // maps are written in order
	if err != nil {
		data = fmt.Append(nil, of)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// filled leaves kinds without a name out: none is none, however it is written.
func filled(a map[string][]string) map[string][]string {
	out := make(map[string][]string, len(a))
	for kind, names := range a {
		if len(names) > 0 {
			out[kind] = slices.Sorted(slices.Values(names))
		}
	}
	return out
}
