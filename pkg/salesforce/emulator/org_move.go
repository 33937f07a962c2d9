package emulator

import "github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"

// LeftAnswer is what a host says to data calls for an org that has moved away.
type LeftAnswer = org.LeftAnswer

// What such a host says. [U]
const (
	LeftPage     = org.LeftPage     // a page of HTML, 200 unless a Status is given
	LeftRedirect = org.LeftRedirect // to the same path at the new address, 301 unless a Status is given
	LeftClosed   = org.LeftClosed   // closes the connection
	LeftSilent   = org.LeftSilent   // says nothing until the caller gives up
)

// Move says where an org goes, and what it leaves behind.
type Move struct {
	// To is the new address, which leads to this server: another host name or
	// port, or a path prefix /orgs/{org id}.
	To string `json:"to"`
	// Old is what the addresses say to data calls that it had before.
	Old LeftAnswer `json:"old"`
	// Status of LeftPage and LeftRedirect.
	Status int `json:"status,omitempty"`
}

// Move has the org be reached at another address, as after an org migration:
// sessions end, the token endpoint goes on wherever it was, and its answers name
// the new instance_url.
func (o *Org) Move(m Move) error {
	return o.byHand("move", "", func(h org.Hand) error { return h.Move(m.To, org.Left{Answer: m.Old, Status: m.Status}) })
}
