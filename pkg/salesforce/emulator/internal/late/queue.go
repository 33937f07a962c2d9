package late

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// Call is a call that got no answer and is not applied yet.
type Call struct {
	ID        string `json:"id"`
	Org       string `json:"org"`
	Operation string `json:"operation"`
	Method    string `json:"method"`
	Path      string `json:"path"`
	// Seq is the journal entry of the call.
	Seq int64 `json:"seq"`
	// Fault is the id of the fault that made it late.
	Fault    string    `json:"fault"`
	Received time.Time `json:"received"`
	// Due is when it is applied by itself; zero: only when somebody says so.
	Due time.Time `json:"due,omitzero"`
}

// waiting is a call with the work that it still has to do.
type waiting struct {
	Call
	apply func()
	timer *time.Timer // nil where a clock is turned by hand
}

// Queue holds the late calls of a server. Their work is done without its lock.
type Queue struct {
	now    func() time.Time
	timers bool

	mu    sync.Mutex
	made  int
	calls []*waiting
}

// New is empty. Without timers, what is due waits for ApplyDue.
func New(now func() time.Time, timers bool) *Queue { return &Queue{now: now, timers: timers} }

// Put takes a call in and gives it an id; it is due after so long, or never by
// itself when that is 0.
func (q *Queue) Put(c Call, after time.Duration, apply func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.made++
	c.ID = "late-" + strconv.Itoa(q.made)
	w := &waiting{Call: c, apply: apply}
	q.calls = append(q.calls, w)
	if after > 0 {
		q.due(w, after)
	}
}

// due says when a call is applied. The lock is held.
func (q *Queue) due(w *waiting, after time.Duration) {
	w.stop()
	w.Due = q.now().Add(after)
	if q.timers {
		w.timer = time.AfterFunc(after, func() { _ = q.Apply(w.Org, w.ID) }) // gone: somebody was faster
	}
}

func (w *waiting) stop() {
	if w.timer != nil {
		w.timer.Stop()
	}
}

// List gives what waits in an org, or in all, in the order in which it is due;
// what is not due by itself comes last.
func (q *Queue) List(org string) []Call {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := []Call{}
	for _, w := range q.inOrder(org) {
		out = append(out, w.Call)
	}
	return out
}

// inOrder sorts by due, then by arrival. The lock is held.
func (q *Queue) inOrder(org string) []*waiting {
	list := slices.DeleteFunc(slices.Clone(q.calls), func(w *waiting) bool { return !w.of(org) })
	slices.SortStableFunc(list, func(a, b *waiting) int {
		if a.Due.IsZero() != b.Due.IsZero() {
			return cmp.Compare(b.Due.Unix(), a.Due.Unix()) // a zero time lies before all others
		}
		return a.Due.Compare(b.Due)
	})
	return list
}

func (w *waiting) of(org string) bool {
	return org == "" || store.ShortID(org) == store.ShortID(w.Org)
}

// Apply does the work of these calls, in this order, or of all in the order of
// List; an id that does not wait is an error, and nothing is applied then.
func (q *Queue) Apply(org string, ids ...string) error {
	calls, err := q.take(org, ids)
	run(calls)
	return err
}

// ApplyShuffled does the work of all, in an order that the seed decides.
func (q *Queue) ApplyShuffled(org string, seed uint64) {
	calls, _ := q.take(org, nil) // nobody is named who might not be there
	slices.SortFunc(calls, func(a, b *waiting) int { return cmp.Compare(a.Seq, b.Seq) })
	rand.New(rand.NewPCG(seed, 0x6c617465)).Shuffle(len(calls), func(i, j int) { calls[i], calls[j] = calls[j], calls[i] })
	run(calls)
}

// ApplyDue does the work of what is due by now.
func (q *Queue) ApplyDue(org string) {
	q.mu.Lock()
	if len(q.calls) == 0 {
		q.mu.Unlock()
		return
	}
	now := q.now()
	calls := slices.DeleteFunc(q.inOrder(org), func(w *waiting) bool { return w.Due.IsZero() || w.Due.After(now) })
	q.leave(calls)
	q.mu.Unlock()
	run(calls)
}

func run(calls []*waiting) {
	for _, w := range calls {
		w.apply()
	}
}

// Forget takes calls away that are never applied, all when none is named.
func (q *Queue) Forget(org string, ids ...string) error {
	_, err := q.take(org, ids)
	return err
}

// take removes calls, so that nobody else applies them.
func (q *Queue) take(org string, ids []string) ([]*waiting, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(ids) == 0 {
		all := q.inOrder(org)
		q.leave(all)
		return all, nil
	}
	var calls []*waiting
	var errs []error
	for _, id := range ids {
		w := q.find(org, id)
		if w == nil || slices.Contains(calls, w) {
			errs = append(errs, fmt.Errorf("emulator: late: no call %q waits", id))
			continue
		}
		calls = append(calls, w)
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	q.leave(calls)
	return calls, nil
}

// leave forgets calls. The lock is held.
func (q *Queue) leave(calls []*waiting) {
	for _, w := range calls {
		w.stop()
	}
	q.calls = slices.DeleteFunc(q.calls, func(w *waiting) bool { return slices.Contains(calls, w) })
}

func (q *Queue) find(org, id string) *waiting {
	for _, w := range q.calls {
		if w.ID == id && w.of(org) {
			return w
		}
	}
	return nil
}

// Postpone has a call be due so long from now.
func (q *Queue) Postpone(org, id string, after time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := q.find(org, id)
	if w == nil {
		return fmt.Errorf("emulator: late: no call %q waits", id)
	}
	q.due(w, max(after, 0))
	return nil
}
