package rest

import (
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/call"
)

// API serves everything below /services/data.
type API struct {
	cursors *cursorStore
	// jobs routes what is below jobs, which is served elsewhere.
	jobs func(c *call.Call, rest []string) call.Route
}

// New leaves what is below jobs to another.
func New(jobs func(c *call.Call, rest []string) call.Route) *API {
	return &API{cursors: newCursorStore(), jobs: jobs}
}

// Route finds the work for a data call, or for a part of one.
func (a *API) Route(c *call.Call) call.Route { return router{c, a}.data() }

// router finds the work for a path and method.
type router struct {
	*call.Call
	api *API
}

// addressed is a call to what its path names.
type addressed struct{ *call.Call }

// records works on one record, or on the changes of one type.
type records struct{ addressed }

// describes says what there is and what the caller may do with it.
type describes struct{ addressed }

// collections works on up to 200 records at once.
type collections struct{ addressed }

// queries answers SOQL.
type queries struct {
	*call.Call
	cursors *cursorStore
}

// composites has other calls as its parts.
type composites struct {
	*call.Call
	api *API
}
