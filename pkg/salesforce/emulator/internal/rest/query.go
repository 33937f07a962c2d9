package rest

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/soql"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

const (
	pageSize    = 2000 // [D]
	minPageSize = 200  // [D]
	maxCursors  = 10   // open per user [R]
)

// cursor is the rest of a query result that did not fit one page. Rows are
// rendered when their page is asked for.
type cursor struct {
	id      string
	user    string
	session string
	shape   *soql.Shape
	rows    []*store.Record
	size    int
}

// cursorStore keeps each user's ten newest cursors.
type cursorStore struct {
	mu     sync.Mutex        // queries run under the state's read lock
	next   map[string]uint64 // by the pod of the org
	byID   map[string]*cursor
	byUser map[string][]*cursor
}

func newCursorStore() *cursorStore {
	return &cursorStore{next: map[string]uint64{}, byID: map[string]*cursor{}, byUser: map[string][]*cursor{}}
}

func (s *cursorStore) open(pod string, c *cursor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next[pod]++
	c.id = store.NewID("01g", pod, s.next[pod])
	s.byID[c.id] = c
	list := append(s.byUser[c.user], c)
	for len(list) > maxCursors {
		delete(s.byID, list[0].id)
		list = list[1:]
	}
	s.byUser[c.user] = list
}

// find gives the cursor if this session opened it. [R]
func (s *cursorStore) find(id, session string) *cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.byID[id]
	if c == nil || c.session != session {
		return nil
	}
	return c
}

// query answers GET /query?q=.
func (c queries) query() {
	text := c.Request.URL.Query().Get("q")
	if strings.TrimSpace(text) == "" { // [U] text
		c.Fail(wire.PlatformError(400, "MALFORMED_QUERY", "SOQL statement cannot be empty or null"))
		return
	}
	q, err := soql.Parse(text)
	if err != nil {
		c.Fail(wire.PlatformError(400, "MALFORMED_QUERY", err.Error()))
		return
	}
	defer c.RLock()()
	plan, failure := soql.Compile(c.Org.Data, q, false)
	if failure != nil {
		c.Fail(failure)
		return
	}
	c.Entry.Object = plan.Object().Name
	rows := c.rows(plan)
	c.Entry.Records = len(rows)
	if body, sum := plan.Summary(rows); sum {
		c.Bytes(200, body)
		return
	}
	c.firstPage(plan, rows)
}

func (c queries) firstPage(plan *soql.Plan, rows []*store.Record) {
	cur := &cursor{user: c.Session.UserID, session: c.Session.Token, shape: plan.Shape(), rows: rows, size: c.pageSize()}
	if len(rows) > cur.size {
		c.cursors.open(c.Org.Pod, cur)
	}
	c.Bytes(200, c.page(cur, 0))
}

// pageSize reads Sforce-Query-Options: batchSize=200..2000. [D]
func (c queries) pageSize() int {
	for option := range strings.SplitSeq(c.Request.Header.Get("Sforce-Query-Options"), ",") {
		name, value, _ := strings.Cut(option, "=")
		if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && strings.EqualFold(strings.TrimSpace(name), "batchSize") {
			return min(max(n, minPageSize), pageSize)
		}
	}
	return pageSize
}

// page writes the rows from one offset on. [R]
func (c queries) page(cur *cursor, from int) []byte {
	to := min(from+cur.size, len(cur.rows))
	b := make([]byte, 0, 64+(to-from)*256)
	b = fmt.Appendf(b, `{"totalSize":%d,"done":%t`, len(cur.rows), to == len(cur.rows))
	if to < len(cur.rows) {
		b = fmt.Appendf(b, `,"nextRecordsUrl":"/services/data/v%s/query/%s-%d"`, c.Version, cur.id, to)
	}
	b = append(b, `,"records":[`...)
	for i, r := range cur.rows[from:to] {
		if i > 0 {
			b = append(b, ',')
		}
		b = cur.shape.Append(b, c.Org.Data, r, c.Version)
	}
	return append(b, `]}`...)
}

// queryMore answers a locator; it belongs to the session that opened it. [R]
func (c queries) queryMore(locator string) {
	id, offset, _ := strings.Cut(locator, "-")
	from, err := strconv.Atoi(offset)
	defer c.RLock()()
	cur := c.cursors.find(id, c.Session.Token)
	if cur == nil || err != nil || from < 0 || from > len(cur.rows) {
		c.Fail(wire.PlatformError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")) // [R]
		return
	}
	c.Entry.Object, c.Entry.Records = cur.shape.Object.Name, min(cur.size, len(cur.rows)-from)
	c.Bytes(200, c.page(cur, from))
}

// rows are a query's, for who asks.
func (c queries) rows(plan *soql.Plan) []*store.Record {
	if plan.Object().Name == org.PermissionAccess {
		return []*store.Record{{ID: c.Actor.ID}}
	}
	return plan.Run()
}
