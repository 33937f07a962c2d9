package bulk

import (
	"net/http"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/call"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// API serves Bulk API 2.0.
type API struct {
	shelves map[*org.Org]*shelf // the state lock guards them
}

// New has no orgs.
func New() *API { return &API{shelves: map[*org.Org]*shelf{}} }

// Open makes room for the jobs of an org. The state lock is held.
func (a *API) Open(o *org.Org) { a.shelves[o] = newShelf(o.Pod) }

// Hold has ingest jobs that are closed from now on wait for their turn, or does
// the work of all that wait. The state lock is held.
func (a *API) Hold(o *org.Org, hold bool) {
	s := a.shelves[o]
	s.held = hold
	if hold {
		return
	}
	for _, id := range s.order {
		if j := s.jobs[store.ShortID(id)]; j != nil && j.queued != nil {
			j.queued()
			j.queued = nil
		}
	}
}

// jobs is a call about jobs.
type jobs struct {
	*call.Call
	api *API
}

// shelf has the jobs of the caller's org.
func (c jobs) shelf() *shelf { return c.api.shelves[c.Org] }

// ingest works on jobs that change rows.
type ingest struct{ jobs }

// exports works on jobs that query rows.
type exports struct{ jobs }

// Route serves /jobs/ingest and /jobs/query.
func (a *API) Route(c *call.Call, rest []string) call.Route {
	if len(rest) > 0 && rest[0] == "query" {
		return a.queryRoute(c, rest[1:])
	}
	if len(rest) == 0 || rest[0] != "ingest" {
		return call.NotFoundRoute()
	}
	data := func(op string, mutating bool, run func(ingest)) call.Route {
		return call.Route{Op: op, Data: true, Mutating: mutating, Run: func(c *call.Call) { run(ingest{jobs{c, a}}) }}
	}
	switch {
	case len(rest) == 1 && c.Method == http.MethodPost:
		return data("bulk.create", false, ingest.createJob)
	case len(rest) == 1 && c.Method == http.MethodGet:
		return data("bulk.list", false, ingest.listJobs)
	case len(rest) == 2 && c.Method == http.MethodPatch:
		return data("bulk.close", true, func(c ingest) { c.closeJob(rest[1]) })
	case len(rest) == 2 && c.Method == http.MethodDelete:
		return data("bulk.delete", false, func(c ingest) { c.deleteJob(rest[1]) })
	case len(rest) == 2 && c.Method == http.MethodGet:
		return data("bulk.get", false, func(c ingest) { c.readJob(rest[1]) })
	case len(rest) == 3 && rest[2] == "batches" && c.Method == http.MethodPut:
		return data("bulk.upload", false, func(c ingest) { c.uploadJob(rest[1]) })
	case len(rest) == 3 && c.Method == http.MethodGet:
		return data("bulk.results", false, func(c ingest) { c.jobResults(rest[1], rest[2]) })
	case len(rest) == 1:
		return call.MethodRoute("bulk.create", "GET", "HEAD", "POST")
	case len(rest) == 2:
		return call.MethodRoute("bulk.get", "DELETE", "GET", "HEAD", "PATCH")
	case len(rest) == 3:
		return call.MethodRoute("bulk.upload", "GET", "HEAD", "PUT")
	}
	return call.NotFoundRoute()
}

// queryRoute serves /jobs/query.
func (a *API) queryRoute(c *call.Call, rest []string) call.Route {
	data := func(op string, run func(exports)) call.Route {
		return call.Route{Op: op, Data: true, Run: func(c *call.Call) { run(exports{jobs{c, a}}) }}
	}
	switch {
	case len(rest) == 0 && c.Method == http.MethodPost:
		return data("bulk.query.create", exports.createQueryJob)
	case len(rest) == 0 && c.Method == http.MethodGet:
		return data("bulk.query.list", exports.listQueryJobs)
	case len(rest) == 0:
		return call.MethodRoute("bulk.query.create", "GET", "HEAD", "POST")
	case len(rest) == 1:
		return a.queryJobRoute(c, rest[0])
	case len(rest) == 2 && rest[1] == "results" && c.Method == http.MethodGet:
		return data("bulk.query.results", func(c exports) { c.queryResults(rest[0]) })
	}
	return call.NotFoundRoute()
}

func (a *API) queryJobRoute(c *call.Call, id string) call.Route {
	data := func(op string, run func(exports)) call.Route {
		return call.Route{Op: op, Data: true, Run: func(c *call.Call) { run(exports{jobs{c, a}}) }}
	}
	switch c.Method {
	case http.MethodGet:
		return data("bulk.query.get", func(c exports) { c.readQueryJob(id) })
	case http.MethodPatch:
		return data("bulk.query.abort", func(c exports) { c.abortQueryJob(id) })
	case http.MethodDelete:
		return data("bulk.query.delete", func(c exports) { c.deleteQueryJob(id) })
	}
	return call.MethodRoute("bulk.query.get", "DELETE", "GET", "HEAD", "PATCH")
}
