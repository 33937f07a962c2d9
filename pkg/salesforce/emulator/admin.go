package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/call"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/faults"
)

// admin is a call under /_emulator/.
type admin struct {
	*call.Call
	s *Server
}

// serve answers the resources under /_emulator/.
func (c admin) serve() {
	parts := strings.Split(strings.Trim(strings.TrimPrefix(c.Path, "/_emulator"), "/"), "/")
	switch parts[0] {
	case "":
		c.JSON(200, map[string]any{"resources": []string{"faults", "journal", "state", "summary", "orgs", "usernames", "hostility", "late"}})
	case "faults":
		c.adminFaults(parts[1:])
	case "journal":
		c.adminJournal()
	case "state":
		c.adminState()
	case "summary":
		c.adminSummary()
	case "orgs":
		c.adminOrgs(parts[1:])
	case "usernames":
		c.adminUsernames()
	case "hostility":
		c.adminHostility()
	case "late":
		c.adminLate(parts[1:])
	default:
		c.refuse(http.StatusNotFound, fmt.Errorf("no resource %q", parts[0]))
	}
}

func (c admin) refuse(status int, err error) {
	c.JSON(status, map[string]string{"error": err.Error()})
}

// decodeBody reads an admin body strictly: a misspelt key would plan a fault that
// never strikes.
func (c admin) decodeBody(into any) bool {
	dec := json.NewDecoder(strings.NewReader(string(c.Payload)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		c.refuse(http.StatusBadRequest, fmt.Errorf("body: %w", err))
		return false
	}
	return true
}

func (c admin) adminFaults(rest []string) {
	id := ""
	if len(rest) > 0 {
		id = rest[0]
	}
	switch c.Method {
	case http.MethodGet:
		c.showFaults(id)
	case http.MethodPost:
		var f faults.Fault
		if !c.decodeBody(&f) {
			return
		}
		planned, err := c.s.Plan(f)
		if err != nil {
			c.refuse(http.StatusBadRequest, err)
			return
		}
		c.JSON(http.StatusCreated, planned)
	case http.MethodDelete:
		if n := c.s.faults.Remove(id); n == 0 && id != "" {
			c.refuse(http.StatusNotFound, fmt.Errorf("no fault %q", id))
			return
		}
		c.None(http.StatusNoContent)
	default:
		c.refuse(http.StatusMethodNotAllowed, fmt.Errorf("method %s", c.Method))
	}
}

func (c admin) showFaults(id string) {
	if id == "" {
		c.JSON(200, c.s.Faults())
		return
	}
	f, ok := c.s.Fault(id)
	if !ok {
		c.refuse(http.StatusNotFound, fmt.Errorf("no fault %q", id))
		return
	}
	c.JSON(200, f)
}

func (c admin) adminJournal() {
	query := c.Request.URL.Query()
	if c.Method == http.MethodDelete {
		org := query.Get("org")
		if o := c.s.Org(org); o != nil {
			org = o.org.ID
		}
		c.s.journal.Reset(org)
		c.None(http.StatusNoContent)
		return
	}
	since, _ := strconv.ParseInt(query.Get("since"), 10, 64) // absent means 0
	c.JSON(200, c.s.Journal(JournalFilter{Operation: query.Get("operation"), MutatingOnly: query.Get("mutating") == "true",
		Since: since, Org: query.Get("org"), Late: query.Get("late")}))
}

func (c admin) adminState() {
	query := c.Request.URL.Query()
	stable := query.Get("stable") == "true"
	if query.Get("org") != "" {
		if o := c.adminOrg(query.Get("org")); o != nil {
			c.JSON(200, o.State(stable))
		}
		return
	}
	states := []State{}
	for _, o := range c.s.Orgs() {
		states = append(states, o.State(stable))
	}
	c.JSON(200, states)
}

func (c admin) adminSummary() {
	org := c.Request.URL.Query().Get("org")
	if org == "" {
		c.JSON(200, c.s.Summary())
		return
	}
	if o := c.adminOrg(org); o != nil {
		c.JSON(200, o.Summary())
	}
}

// adminOrg finds an org by id, or the only one there is by "-".
func (c admin) adminOrg(id string) *Org {
	if orgs := c.s.Orgs(); id == "-" && len(orgs) == 1 {
		return orgs[0]
	}
	if o := c.s.Org(id); o != nil {
		return o
	}
	c.refuse(http.StatusNotFound, fmt.Errorf("no org %q", id))
	return nil
}

func (c admin) adminUsernames() {
	var names []string
	if !c.decodeBody(&names) {
		return
	}
	if c.Method == http.MethodDelete {
		c.s.ReleaseUsernames(names...)
	} else {
		c.s.TakeUsernames(names...)
	}
	c.None(http.StatusNoContent)
}

// adminHostility: a Hostility begins; DELETE ends it.
func (c admin) adminHostility() {
	var body Hostility
	switch c.Method {
	case http.MethodDelete:
	case http.MethodPost:
		if !c.decodeBody(&body) {
			return
		}
	default:
		c.refuse(http.StatusMethodNotAllowed, fmt.Errorf("method %s", c.Method))
		return
	}
	if err := c.s.Misbehave(body); err != nil {
		c.refuse(http.StatusBadRequest, err)
		return
	}
	c.None(http.StatusNoContent)
}
