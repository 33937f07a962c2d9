package check

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// errEnough ends a scan once a page is full.
var errEnough = errors.New("enough")

// againMax bounds the users that are read again because somebody worked on them.
const againMax = 200

// overdueAfter is how long after their time somebody is taken for forgotten.
const overdueAfter = 30 * time.Second

// page is whom a reading compares: users by id, and whose they are.
type page struct {
	keys map[string]events.Key
	// overdue are those whom nothing brings back.
	overdue []events.Key
	// cursor is the last link looked at; whole says that the round ends with this page.
	cursor uint64
	whole  bool
}

// ids are all users to ask for.
func (p page) ids(again []string) []string {
	ids := slices.Concat(slices.Collect(maps.Keys(p.keys)), again)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// begin starts a round where none is under way: it compares every link that there
// is by now, which a sequence of ROSTER says.
func begin(reg *events.Check, upTo uint64, now time.Time) {
	if reg.RoundTo == 0 {
		reg.RoundTo, reg.Cursor, reg.RoundBegan, reg.Counting = upTo, 0, now.UTC(), nil
	}
}

// next reads the next page of links.
func (c *Checker) next(ctx context.Context, reg events.Check, now time.Time) (page, error) {
	p := page{keys: map[string]events.Key{}, cursor: reg.Cursor}
	err := c.roster.Scan(ctx, events.StreamRoster, events.LinkSubject(c.cfg.Org, "*"), reg.Cursor+1, func(e bus.Entry) error {
		if e.Seq > reg.RoundTo {
			return nil
		}
		if len(p.keys) >= c.cfg.Page {
			return errEnough
		}
		p.cursor = e.Seq
		l, err := events.Decode[events.Link](e.Data)
		if err == nil && l.UserID != "" {
			p.keys[l.UserID] = l.Key
		}
		if err == nil && overdue(l, now) {
			p.overdue = append(p.overdue, l.Key)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return p, fmt.Errorf("read the links to compare: %w", err)
	}
	p.whole = err == nil
	return p, nil
}

// overdue says whether somebody should have been looked at by now. A message that
// is delivered twice is acked by the worker who was done, while the other one, who
// read the person anew, dies with a claim; and a schedule may not have fired. Whoever
// failed is tried again, or parked, by retry-scheduler.
func overdue(l events.Link, now time.Time) bool {
	due := l.UnsureUntil
	if l.Claim != nil {
		due = l.Claim.Until
	}
	return l.Attempts == 0 && !due.IsZero() && now.Sub(due) > overdueAfter
}

// advance notes that a page was compared.
func advance(reg *events.Check, p page, now time.Time) {
	reg.Cursor = p.cursor
	if p.whole {
		reg.SeenSince, reg.RoundEnded = reg.RoundBegan, now.UTC()
		reg.Reported, reg.Counting = reg.Counting, nil
		reg.Cursor, reg.RoundTo, reg.RoundBegan = 0, 0, time.Time{}
	}
}
