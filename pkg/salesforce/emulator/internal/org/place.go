package org

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// LeftAnswer is what a host says to data calls for an org that has moved away.
type LeftAnswer string

// What such a host says. All of it is an assumption; that instance_url may be
// another after an org migration is [R restforce].
const (
	LeftPage     LeftAnswer = "page"     // a page of HTML, 200 unless a Status is given
	LeftRedirect LeftAnswer = "redirect" // to the same path at the new address, 301 unless a Status is given
	LeftClosed   LeftAnswer = "closed"   // closes the connection
	LeftSilent   LeftAnswer = "silent"   // says nothing until the caller gives up
)

// Left is what an org leaves behind that moves.
type Left struct {
	Answer LeftAnswer `json:"answer"`
	Status int        `json:"status,omitempty"`
	// Addresses it had, lower case, without a scheme; empty stands for whatever
	// address is not the new one.
	Addresses []string `json:"addresses,omitempty"`
}

// check refuses what no host says.
func (l Left) check() error {
	switch l.Answer {
	case LeftPage, LeftRedirect:
	case LeftClosed, LeftSilent:
		if l.Status != 0 {
			return fmt.Errorf("emulator: move: %q has no status", l.Answer)
		}
	default:
		return fmt.Errorf("emulator: move: no answer %q", l.Answer)
	}
	if l.Status != 0 && (l.Status < 200 || l.Status > 599) {
		return fmt.Errorf("emulator: move: status %d", l.Status)
	}
	return nil
}

// Place is where an org is reached. It is read without the state lock.
type Place struct {
	URL  string // of the org; empty: the address a request came to
	Host string // of URL, lower case
	Left *Left  // nil: it has always been here
}

func placeAt(address string, left *Left) *Place {
	p := &Place{URL: strings.TrimSuffix(address, "/"), Left: left}
	if u, err := url.Parse(address); err == nil {
		p.Host = strings.ToLower(u.Host)
	}
	return p
}

// Place is where the org is reached now.
func (o *Org) Place() *Place { return o.place.Load() }

// bare is an address without its scheme: a proxy may have another.
func bare(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	return strings.ToLower(strings.TrimSuffix(rest, "/"))
}

// LeftBehind is what a call meets that came to an address the org has left, nil
// when it came to the right one; login says that the address only signs in.
func (p *Place) LeftBehind(address string, login bool) *Left {
	l, at := p.Left, bare(address)
	switch {
	case l == nil || at == bare(p.URL):
		return nil
	case slices.Contains(l.Addresses, at), len(l.Addresses) == 0 && !login:
		return l
	}
	return nil
}

// Owns says whether a whole host is the org's, or was: one that it shares with
// others, by path prefixes, is not.
func (p *Place) Owns(host string) bool {
	return bare(p.URL) == host || p.Left != nil && slices.Contains(p.Left.Addresses, host)
}

// Move has the org be reached at another address from now on; sessions end.
func (h Hand) Move(to string, left Left) error {
	u, err := url.Parse(to)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("emulator: move: %q is no address", to)
	}
	if err := left.check(); err != nil {
		return err
	}
	was := h.Place()
	if bare(was.URL) == bare(to) {
		return fmt.Errorf("emulator: move: the org is at %s already", to)
	}
	if was.Left != nil {
		left.Addresses = append(left.Addresses, was.Left.Addresses...)
	}
	everywhere := was.URL == "" || was.Left != nil && len(was.Left.Addresses) == 0
	if at := bare(was.URL); !everywhere && !slices.Contains(left.Addresses, at) {
		left.Addresses = append(left.Addresses, at)
	}
	now := placeAt(to, &left)
	h.place.Store(now)
	h.Config.InstanceURL = now.URL
	h.Auth.ExpireSessions()
	h.Tx.Places = append(h.Tx.Places, was.URL, now.URL)
	return nil
}
