package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// lateOrder is the body of POST /_emulator/late: which calls to apply, in which
// order. Empty: all, in the order in which they are due.
type lateOrder struct {
	IDs  []string `json:"ids"`
	Seed *uint64  `json:"seed"` // all, in an order that it decides
	Due  bool     `json:"due"`  // what is due by now
}

// adminLate: GET lists late calls, POST applies them, DELETE forgets them; PATCH
// of one says when it is due.
func (c admin) adminLate(rest []string) {
	calls := c.s.Late()
	if id := c.Request.URL.Query().Get("org"); id != "" {
		o := c.adminOrg(id)
		if o == nil {
			return
		}
		calls = o.Late()
	}
	var ids []string
	if len(rest) > 0 && rest[0] != "" {
		ids = rest[:1]
	}
	var err error
	switch {
	case c.Method == http.MethodGet && ids == nil:
		c.JSON(200, calls.Calls())
		return
	case c.Method == http.MethodPost:
		err = c.applyLate(calls, ids)
	case c.Method == http.MethodPatch && ids != nil:
		err = c.postponeLate(calls, ids[0])
	case c.Method == http.MethodDelete:
		err = calls.Forget(ids...)
	default:
		c.refuse(http.StatusMethodNotAllowed, fmt.Errorf("method %s", c.Method))
		return
	}
	switch {
	case errors.Is(err, errBody): // it was answered
	case err != nil:
		c.refuse(http.StatusNotFound, err)
	default:
		c.None(http.StatusNoContent)
	}
}

var errBody = errors.New("emulator: a body that cannot be read")

func (c admin) applyLate(calls Late, ids []string) error {
	order := lateOrder{IDs: ids}
	if len(c.Payload) > 0 && !c.decodeBody(&order) {
		return errBody
	}
	switch {
	case order.Due:
		calls.ApplyDue()
	case order.Seed != nil:
		calls.ApplyShuffled(*order.Seed)
	default:
		return calls.Apply(order.IDs...)
	}
	return nil
}

func (c admin) postponeLate(calls Late, id string) error {
	var body struct {
		InMillis int `json:"inMillis"`
	}
	if !c.decodeBody(&body) {
		return errBody
	}
	return calls.Postpone(id, time.Duration(body.InMillis)*time.Millisecond)
}
