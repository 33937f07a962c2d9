// Package journal keeps every request as the emulator saw it, as long as there is
// room, and counts them for good.
package journal

import (
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

const (
	// maxTouched bounds the ids and usernames kept per journal entry.
	maxTouched = 400
	// touchedBudget bounds them over all entries; the oldest lose theirs first.
	touchedBudget = 500_000
)

// Entry is one request as the emulator saw it.
type Entry struct {
	Seq       int64     `json:"seq"`
	Time      time.Time `json:"time"`
	Org       string    `json:"org,omitempty"`
	Method    string    `json:"method"`
	Path      string    `json:"path"`
	Operation string    `json:"operation"`
	Object    string    `json:"object,omitempty"`
	Records   int       `json:"records"`
	Touched   []string  `json:"touched,omitempty"`
	Status    int       `json:"status"`
	Mutating  bool      `json:"mutating"`
	FaultID   string    `json:"fault,omitempty"`
	Dropped   bool      `json:"dropped,omitempty"`
	// Failed counts the records that were refused.
	Failed int `json:"failed,omitempty"`
	// Late says what the entry is of a call that is applied late: Waiting, which
	// got no answer and has Status 0, or Applied, with what it would have been
	// answered and what it touched; the latter is Of the entry with that Seq.
	Late string `json:"late,omitempty"`
	Of   int64  `json:"of,omitempty"`
	// Stripped are the users from whom the org's own flow took something.
	Stripped []string `json:"stripped,omitempty"`
	// Micros is how long the emulator worked, in microseconds.
	Micros int64 `json:"micros"`
}

// What an entry is of a call that is applied late.
const (
	Waiting = "waiting"
	Applied = "applied"
)

// Counters are never lost, however short the journal is.
type Counters struct {
	// APICalls leaves out sign-in and the list of versions.
	APICalls      int64            `json:"apiCalls"`
	MutatingCalls int64            `json:"mutatingCalls"`
	TokenRequests int64            `json:"tokenRequests"`
	ByOperation   map[string]int64 `json:"byOperation"`
	// LateCalls got no answer to be applied later, LateApplied of them are. They
	// are API calls and mutating calls once, when they came.
	LateCalls   int64 `json:"lateCalls"`
	LateApplied int64 `json:"lateApplied"`
}

func (n *Counters) add(e *Entry, data bool) {
	if n.ByOperation == nil {
		n.ByOperation = map[string]int64{}
	}
	switch e.Late {
	case Applied: // it was counted when it came
		n.LateApplied++
		return
	case Waiting:
		n.LateCalls++
	}
	n.ByOperation[e.Operation]++
	if data {
		n.APICalls++
	}
	if e.Mutating {
		n.MutatingCalls++
	}
	if e.Operation == "token" {
		n.TokenRequests++
	}
}

// Journal is a bounded list of entries, the oldest overwritten first.
type Journal struct {
	mu      sync.Mutex
	size    int
	entries []Entry
	start   int
	seq     int64
	touched int   // names kept over all entries
	trimmed int64 // entries up to this seq have lost theirs
	total   Counters
	byOrg   map[string]*Counters
}

// New keeps so many entries.
func New(size int) *Journal {
	return &Journal{size: max(1, size), byOrg: map[string]*Counters{}}
}

// Add writes an entry and gives its Seq; data says whether it counts as an API
// call.
func (j *Journal) Add(e Entry, data bool) int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.total.add(&e, data)
	if j.byOrg[e.Org] == nil {
		j.byOrg[e.Org] = &Counters{}
	}
	j.byOrg[e.Org].add(&e, data)
	return j.write(e)
}

// Note writes an entry about what was no request, and counts nothing.
func (j *Journal) Note(e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.write(e)
}

// write keeps an entry as long as there is room. The lock is held.
func (j *Journal) write(e Entry) int64 {
	e.Touched = slices.Clone(e.Touched[:min(len(e.Touched), maxTouched)])
	j.seq++
	e.Seq = j.seq
	j.touched += len(e.Touched)
	if len(j.entries) < j.size {
		j.entries = append(j.entries, e)
	} else {
		j.touched -= len(j.entries[j.start].Touched)
		j.entries[j.start] = e
		j.start = (j.start + 1) % j.size
	}
	j.trim()
	return e.Seq
}

// trim takes the names from the oldest entries until the budget holds.
func (j *Journal) trim() {
	first := sort.Search(len(j.entries), func(i int) bool {
		return j.entries[(j.start+i)%len(j.entries)].Seq > j.trimmed
	})
	for i := first; j.touched > touchedBudget && i < len(j.entries); i++ {
		e := &j.entries[(j.start+i)%len(j.entries)]
		j.touched -= len(e.Touched)
		e.Touched, j.trimmed = nil, e.Seq
	}
}

// Filter picks journal entries; zero fields pick everything.
type Filter struct {
	Operation    string
	MutatingOnly bool
	Since        int64 // entries with a greater Seq
	Org          string
	// Late picks entries of late calls: LateWaiting or LateApplied.
	Late string
}

func (f Filter) picks(e *Entry) bool {
	return e.Seq > f.Since && (!f.MutatingOnly || e.Mutating) &&
		(f.Operation == "" || strings.EqualFold(f.Operation, e.Operation)) &&
		(f.Late == "" || f.Late == e.Late) &&
		(f.Org == "" || store.ShortID(f.Org) == store.ShortID(e.Org))
}

// List gives the entries that a filter picks, the oldest first.
func (j *Journal) List(f Filter) []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := []Entry{}
	for i := range j.entries {
		e := &j.entries[(j.start+i)%len(j.entries)]
		if f.picks(e) {
			out = append(out, *e)
		}
	}
	return out
}

// Reset empties journal and counters, of one org or of all.
func (j *Journal) Reset(org string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if org == "" {
		j.entries, j.start, j.touched, j.total, j.byOrg = nil, 0, 0, Counters{}, map[string]*Counters{}
		return
	}
	kept := make([]Entry, 0, len(j.entries))
	for i := range j.entries {
		if e := j.entries[(j.start+i)%len(j.entries)]; e.Org != org {
			kept = append(kept, e)
		}
	}
	j.entries, j.start, j.touched = kept, 0, 0
	for i := range kept {
		j.touched += len(kept[i].Touched)
	}
	delete(j.byOrg, org)
}

// Counters of one org, or of all.
func (j *Journal) Counters(org string) Counters {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := &j.total
	if org != "" {
		if n = j.byOrg[org]; n == nil {
			n = &Counters{}
		}
	}
	out := *n
	out.ByOperation = map[string]int64{}
	for op, count := range n.ByOperation {
		out.ByOperation[op] = count
	}
	return out
}
