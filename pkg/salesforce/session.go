package salesforce

import (
	"context"
	"sync"
)

// Session is one access token and where it may be used.
type Session struct {
	AccessToken string
	// InstanceURL is the host of the data calls, as the token response named it.
	InstanceURL string
	// OrgID is the org the token belongs to, 15 or 18 characters.
	OrgID string
	// UserID is whom the org knows the caller as; empty where the token response did
	// not say.
	UserID string
	// Generation orders sessions of one org: a newer one has a higher number.
	Generation uint64
}

// String names the session without its token, should one end up in a log.
func (s Session) String() string { return "session of org " + s.OrgID }

// GoString does the same for %#v.
func (s Session) GoString() string { return s.String() }

// Sessions hands out sessions. It must be safe for concurrent use.
type Sessions interface {
	// Session returns the newest session.
	Session(ctx context.Context) (Session, error)
	// Renew is called at most once per API call, when Salesforce said
	// INVALID_SESSION_ID. It returns a session newer than refused, or an error.
	Renew(ctx context.Context, refused Session) (Session, error)
}

// SessionsFrom makes Sessions of a function that obtains a Grant, such as
// OAuth.ClientCredentials. One fetch runs at a time; callers that were refused
// the same session share its successor. There is no expiry to watch: Salesforce
// sends no expires_in in any flow, so a session ends with a 401. [C, R]
func SessionsFrom(fetch func(context.Context) (Grant, error)) Sessions {
	return &grantSessions{fetch: fetch, turn: make(chan struct{}, 1)}
}

type grantSessions struct {
	fetch func(context.Context) (Grant, error)
	turn  chan struct{} // held while fetching; a channel so that waiting obeys ctx

	mu      sync.Mutex
	current Session
}

// Session returns the session at hand, or fetches the first one.
func (g *grantSessions) Session(ctx context.Context) (Session, error) {
	if s := g.newest(); s.Generation > 0 {
		return s, nil
	}
	return g.after(ctx, 0)
}

// Renew returns the successor of refused.
func (g *grantSessions) Renew(ctx context.Context, refused Session) (Session, error) {
	return g.after(ctx, refused.Generation)
}

// after returns a session with a generation above the given one.
func (g *grantSessions) after(ctx context.Context, generation uint64) (Session, error) {
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return Session{}, ctx.Err()
	}
	if s := g.newest(); s.Generation > generation {
		return s, nil
	}
	grant, err := g.fetch(ctx)
	if err != nil {
		return Session{}, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.current = Session{
		AccessToken: grant.AccessToken, InstanceURL: grant.InstanceURL, OrgID: grant.OrgID,
		Generation: g.current.Generation + 1,
	}
	return g.current, nil
}

func (g *grantSessions) newest() Session {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.current
}

// sameID compares two ids of Salesforce, either of which may be in the short,
// case-sensitive form of 15 characters or in the long one of 18.
func sameID(a, b string) bool {
	return len(a) >= 15 && len(b) >= 15 && a[:15] == b[:15]
}
