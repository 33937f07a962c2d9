package preview

import (
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// Limits are how much may be taken away in one org at once.
type Limits struct {
	// People and Percent of those who are active now: whichever is more.
	People  int
	Percent float64
	// Off lets everything through.
	Off bool
}

// DefaultLimits are those of an org that has none of its own.
func DefaultLimits() Limits { return Limits{People: 10, Percent: 5} }

func (l Limits) of(active int) int { return max(l.People, int(float64(active)*l.Percent/100)) }

// Aspects are what is counted apart, in this order.
func Aspects() []string { return []string{AspectActive, AspectAccess, AspectIdentity} }

// The aspects.
const (
	// AspectActive: whether somebody has a user.
	AspectActive = "active"
	// AspectAccess: profile, permission sets and groups.
	AspectAccess = "access"
	// AspectIdentity: username and e-mail address.
	AspectIdentity = "identity"
)

// takes are the aspects in which a change takes something away or changes it. What
// is given counts nothing, and of a leaver only that they are one.
func takes(is, next *events.Desired) []string {
	switch {
	case !active(is) || next == nil || next.Problem != nil:
		return nil
	case !next.Active:
		return []string{AspectActive}
	}
	var out []string
	if is.Profile != "" && is.Profile != next.Profile || len(lacks(next.Assignments, is.Assignments)) > 0 {
		out = append(out, AspectAccess)
	}
	if slices.ContainsFunc([]string{"Email", "Username"}, func(field string) bool {
		have := text(is, field)
		return have != "" && !strings.EqualFold(have, text(next, field))
	}) {
		out = append(out, AspectIdentity)
	}
	return out
}

func text(d *events.Desired, field string) string {
	s, _ := d.Fields[field].(string)
	return s
}
