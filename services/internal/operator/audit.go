package operator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// AuditEntry is one line of the audit log: a request, or what came of one.
type AuditEntry struct {
	Seq     uint64      `json:"seq"`
	At      time.Time   `json:"at"`
	Verb    events.Verb `json:"verb"`
	By      string      `json:"by,omitempty"`
	Request string      `json:"request,omitempty"`
	// Note is the admin's reason, or why something was refused or closed.
	Note    string          `json:"note,omitempty"`
	Targets []events.Target `json:"targets,omitempty"`
	// Scope is what was paused or resumed.
	Scope *events.Scope `json:"scope,omitempty"`
	// Snapshot is the export that was published as the whole of its source.
	Snapshot *events.Snapshot `json:"snapshot,omitempty"`
	// Revision is the one that was retried, discarded or succeeded.
	Revision uint64 `json:"revision,omitempty"`
	TraceID  string `json:"traceId,omitempty"`
	// Select and Count are of a resync: who was selected, and how many they were.
	Select *events.Selection `json:"select,omitempty"`
	Count  int               `json:"count,omitempty"`
}

// AuditFilter picks entries; a zero field picks all.
type AuditFilter struct {
	Org     string
	Key     events.Key
	Verb    events.Verb
	By      string
	Request string
	Since   time.Time
	// Limit keeps the newest entries only.
	Limit int
}

// Audit returns entries of the audit log, oldest first.
func (o *Operator) Audit(ctx context.Context, f AuditFilter) ([]AuditEntry, error) {
	filter := events.OperatorAll
	if f.Verb != "" {
		filter = events.OperatorSubject(f.Verb)
	}
	var out []AuditEntry
	err := o.bus.Scan(ctx, events.StreamOperator, filter, 1, func(e bus.Entry) error {
		if entry := readAudit(e); f.picks(entry) {
			out = append(out, entry)
		}
		if f.Limit > 0 && len(out) >= 2*f.Limit {
			out = slices.Delete(out, 0, len(out)-f.Limit)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	if f.Limit > 0 && len(out) > f.Limit {
		out = out[len(out)-f.Limit:]
	}
	return out, nil
}

func verbOf(subject string) events.Verb {
	return events.Verb(subject[strings.LastIndexByte(subject, '.')+1:])
}

// readAudit reads an entry. One that cannot be read is still shown, because
// nothing in an audit log goes unseen.
func readAudit(e bus.Entry) AuditEntry {
	out := AuditEntry{Seq: e.Seq, At: e.Time, Verb: verbOf(e.Subject), TraceID: traceID(headerOf(e, events.HeaderTraceparent))}
	if out.Verb.Asked() {
		r, err := events.Decode[events.OperatorRequest](e.Data)
		if err != nil {
			out.Note = "this entry cannot be read"
			return out
		}
		out.By, out.Request, out.Note, out.Targets, out.Snapshot, out.Scope, out.Select = r.By, r.ID, r.Reason, r.Targets, r.Snapshot, r.Scope, r.Select
		return out
	}
	r, err := events.Decode[events.OperatorResult](e.Data)
	if err != nil {
		out.Note = "this entry cannot be read"
		return out
	}
	out.By, out.Request, out.Note, out.Revision, out.Scope = r.By, r.Request, r.Note, r.Revision, r.Scope
	out.Select, out.Count = r.Select, r.Count
	if r.Target != (events.Target{}) {
		out.Targets = []events.Target{r.Target}
	}
	return out
}

func (f AuditFilter) picks(e AuditEntry) bool {
	switch {
	case f.By != "" && e.By != f.By, f.Request != "" && e.Request != f.Request:
		return false
	case !f.Since.IsZero() && e.At.Before(f.Since):
		return false
	case f.Key == "" && f.Org == "":
		return true
	}
	if e.Scope != nil && f.Key == "" {
		return e.Scope.Org == f.Org
	}
	if s := e.Select; s != nil {
		return (f.Org == "" || s.Org == f.Org) && (f.Key == "" || slices.Contains(s.Keys, f.Key))
	}
	return slices.ContainsFunc(e.Targets, func(t events.Target) bool {
		return (f.Key == "" || t.Key == f.Key) && (f.Org == "" || t.Org == f.Org)
	})
}

func headerOf(e bus.Entry, name string) string {
	if v := e.Header[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// traceID takes the trace id out of a W3C traceparent.
func traceID(traceparent string) string {
	p := strings.Split(traceparent, "-")
	if len(p) != 4 {
		return ""
	}
	return p[1]
}
