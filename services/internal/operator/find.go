package operator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

var (
	// ErrNobody is returned where nobody fits.
	ErrNobody = errors.New("nobody is known by this key, correlation id, userName, employee number, e-mail address or Salesforce username")
	// ErrSeveral is returned where several people fit; the error names their keys.
	ErrSeveral = errors.New("several people are known by this name")
)

// maxNamed is how many keys an [ErrSeveral] names.
const maxNamed = 20

// findByName goes through everybody: no subject holds a name. It keeps the keys of
// those who fit, and a page of messages.
func (o *Operator) findByName(ctx context.Context, name string) (events.Key, error) {
	keys := map[events.Key]bool{}
	found := func(key events.Key, names []string) {
		if slices.ContainsFunc(names, func(n string) bool { return n != "" && strings.EqualFold(n, name) }) {
			keys[key] = true
		}
	}
	err := o.bus.Scan(ctx, events.StreamRoster, events.PersonsAll, 1, func(e bus.Entry) error {
		if p, err := events.Decode[events.PersonState](e.Data); err == nil {
			found(p.Key, namesOf(&p))
		}
		return nil
	})
	if err == nil {
		err = o.bus.Scan(ctx, events.StreamRoster, events.DesiredSubject("*", "*"), 1, func(e bus.Entry) error {
			if d, err := events.Decode[events.Desired](e.Data); err == nil {
				found(d.Key, []string{d.Match.Username, d.Match.FederationID, d.Match.Email})
			}
			return nil
		})
	}
	if err != nil {
		return "", err
	}
	switch all := slices.Sorted(maps.Keys(keys)); {
	case len(all) == 0:
		return "", ErrNobody
	case len(all) == 1:
		return all[0], nil
	case len(all) > maxNamed:
		return "", fmt.Errorf("%w: %v and %d more", ErrSeveral, all[:maxNamed], len(all)-maxNamed)
	default:
		return "", fmt.Errorf("%w: %v", ErrSeveral, all)
	}
}

// namesOf are what people call somebody, as any source has it: what a source has
// removed is kept by none.
func namesOf(p *events.PersonState) []string {
	out := []string{p.CorrelationID}
	for _, s := range p.Sources {
		if s.Person == nil {
			continue
		}
		out = append(out, s.Person.UserName, s.Person.ExternalID)
		if s.Person.Enterprise != nil {
			out = append(out, s.Person.Enterprise.EmployeeNumber)
		}
		for _, e := range s.Person.Emails {
			out = append(out, e.Value)
		}
	}
	return out
}
