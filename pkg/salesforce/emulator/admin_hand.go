package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// adminAccess: POST an Access gives it to a user, DELETE takes it away.
func (c admin) adminAccess(o *Org, username string) error {
	var what Access
	if !c.decodeBody(&what) {
		return nil
	}
	switch c.Method {
	case http.MethodPost:
		return o.Give(username, what)
	case http.MethodDelete:
		return o.Take(username, what)
	}
	return fmt.Errorf("method %s", c.Method)
}

// adminFlow: POST plants a Flow, DELETE ends it.
func (c admin) adminFlow(o *Org, _ string) error {
	var flow Flow
	if c.Method != http.MethodDelete && !c.decodeBody(&flow) {
		return nil
	}
	return o.PlantFlow(flow)
}

// adminRefresh puts another org into an org's place and answers with it.
func (c admin) adminRefresh(o *Org, _ string) error {
	var body struct {
		Keep      []string `json:"keep"` // usernames
		Drop      []string `json:"drop"` // everybody is kept but these
		KeepIDs   bool     `json:"keepIds"`
		KeepOrgID bool     `json:"keepOrgId"`
	}
	if c.Method != http.MethodPost {
		return fmt.Errorf("method %s", c.Method)
	}
	if !c.decodeBody(&body) {
		return nil
	}
	if body.Keep != nil && body.Drop != nil {
		return errors.New("refresh: keep or drop, not both")
	}
	for _, name := range slices.Concat(body.Keep, body.Drop) {
		if _, there := o.UserByUsername(name); !there {
			return fmt.Errorf("refresh: no user %q", name)
		}
	}
	another, err := o.Refresh(Refresh{KeepIDs: body.KeepIDs, KeepOrgID: body.KeepOrgID, Keep: func(u User) bool {
		named := func(name string) bool { return strings.EqualFold(name, u.Username) }
		return slices.ContainsFunc(body.Keep, named) || body.Drop != nil && !slices.ContainsFunc(body.Drop, named)
	}})
	if err != nil {
		return err
	}
	c.JSON(http.StatusCreated, describe(another))
	return nil
}

// adminMove: a Move; without "to" it goes to a path prefix of the address the
// request came to.
func (c admin) adminMove(o *Org, _ string) error {
	var m Move
	if c.Method != http.MethodPost {
		return fmt.Errorf("method %s", c.Method)
	}
	if !c.decodeBody(&m) {
		return nil
	}
	if m.To == "" {
		m.To = c.Base + "/orgs/" + o.ID()
	}
	if err := o.Move(m); err != nil {
		return err
	}
	c.JSON(http.StatusOK, describe(o))
	return nil
}
