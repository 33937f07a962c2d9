package doctor

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/trust"
)

const (
	clockWarn, clockFail = 5 * time.Second, time.Minute
	// dateStep is the precision of the Date header.
	dateStep = time.Second
)

// errNoRenewal: only token-refresher asks for tokens.
var errNoRenewal = errors.New("the doctor asks for no new token")

// onlySession is the one session there is.
type onlySession struct{ session salesforce.Session }

func (o onlySession) Session(context.Context) (salesforce.Session, error) { return o.session, nil }

func (o onlySession) Renew(context.Context, salesforce.Session) (salesforce.Session, error) {
	return salesforce.Session{}, errNoRenewal
}

// dates remembers how far the clock of whoever answers is ahead of ours.
type dates struct {
	base http.RoundTripper
	now  func() time.Time

	mu    sync.Mutex
	known bool
	ahead time.Duration
	give  time.Duration
}

// RoundTrip implements [http.RoundTripper].
func (d *dates) RoundTrip(r *http.Request) (*http.Response, error) {
	before := d.now()
	resp, err := d.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	took := d.now().Sub(before)
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		if give := took/2 + dateStep; !d.known || give < d.give {
			d.known, d.ahead, d.give = true, date.Add(dateStep/2).Sub(before.Add(took/2)), give
		}
	}
	return resp, nil
}

func (d *dates) seen() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known
}

// asking is the first thing that Salesforce is asked.
const asking = "asking for a user"

// session makes the client and asks for a user, any.
func (x *examination) session(ctx context.Context) []verdict {
	transport, err := trust.Extend(x.Transport, x.connect.CAFile)
	if err != nil {
		return fail("Put the certificate authorities where the configuration says.", "%s", err)
	}
	x.dates = &dates{base: transport, now: x.Now}
	x.client, err = salesforce.NewClient(salesforce.Config{
		APIVersion: x.connect.APIVersion, OrgID: x.connect.OrgID, Transport: x.dates, CallTimeout: x.Timeout,
		Sessions: onlySession{salesforce.Session{AccessToken: x.token.AccessToken, InstanceURL: x.token.InstanceURL,
			OrgID: x.token.OrgID, Generation: x.rec.Generation}},
		AllowedHostSuffixes: x.connect.HostSuffixes, AllowLoopbackHTTP: x.connect.AllowLoopbackHTTP,
		OnUsage: func(u salesforce.Usage) { x.usage = u },
	})
	if err != nil {
		return fail("Correct the configuration.", "%s", err)
	}
	// What Rollcall does all day; userinfo would ask for no right to the API.
	if _, err := x.client.Query(ctx, "SELECT Id FROM User LIMIT 1"); err != nil && !unseen(err) || retired(err) {
		return refused(asking, err)
	}
	x.userID = x.token.UserID
	if x.userID == "" { // this needs the scope id
		info, err := x.client.UserInfo(ctx)
		if err != nil {
			return warn("Add the scope id to the app.", "Salesforce accepts the session, and does not say whose it is")
		}
		x.userID = info.UserID
	}
	return ok("Salesforce accepts the session, of user %s", x.userID)
}

// retired says whether the version of the API is not served.
func retired(err error) bool {
	var e *salesforce.Error
	return errors.As(err, &e) && (e.Status == http.StatusGone || e.Status == http.StatusNotFound)
}

// refused is a finding about something Salesforce refused, with its own words.
func refused(what string, err error) []verdict {
	var e *salesforce.Error
	if !errors.As(err, &e) {
		return fail("Run the doctor again.", "%s: %s", what, err)
	}
	words := strings.TrimSpace(e.Code + ": " + e.Message)
	if errors.Is(err, errNoRenewal) {
		e.Code, words = "INVALID_SESSION_ID", "INVALID_SESSION_ID: Session expired or invalid"
	}
	advice := salesforce.Advice(e.Code, e.Message)
	switch {
	case advice != "":
	case what == asking && retired(err):
		advice = "Set connect.apiVersion to one that the org serves: see org.api-version."
	case e.Class == salesforce.Throttled:
		advice = "Wait: the daily limit counts the last 24 hours. See in Setup, System Overview, who uses the calls."
	case e.Class == salesforce.Unavailable, e.Class == salesforce.Timeout:
		advice = "Look at status.salesforce.com for the instance, and at the way out of your own network."
	case e.Class == salesforce.Forbidden:
		advice = "Give the integration user the right it lacks: docs/credentials.md."
	default:
		advice = "Run the doctor again; if it lasts, look for the code in Salesforce's documentation."
	}
	return fail(advice, "%s: %s", what, words)
}

// unseen says whether Salesforce does not show something to this user, or in
// this edition.
func unseen(err error) bool {
	var e *salesforce.Error
	return errors.As(err, &e) && (e.Kind == salesforce.KindSchema || e.Class == salesforce.Forbidden || e.Class == salesforce.NotFound)
}

func (x *examination) clockSkew(context.Context) []verdict {
	if !x.dates.seen() {
		return skipped("no answer of Salesforce had a date")
	}
	x.dates.mu.Lock()
	defer x.dates.mu.Unlock()
	return skew("Salesforce", x.dates.ahead, x.dates.give, clockWarn, clockFail, "JWT assertions and token lifetimes go by the clock.")
}

// identity says which org it is, and whether it is the kind that the login host
// is for. A token for another org than connect.orgID is refused before.
func (x *examination) identity(ctx context.Context) []verdict {
	rows, err := x.client.Query(ctx, "SELECT Id, Name, IsSandbox FROM Organization")
	if err != nil || len(rows) == 0 {
		if err == nil || unseen(err) {
			return skipped("the integration user may not read the org's own record")
		}
		return refused("reading the org's own record", err)
	}
	name, sandbox := rows[0].String("Name"), rows[0].Bool("IsSandbox")
	host := strings.ToLower(x.connect.LoginURL)
	looks := strings.Contains(host, ".sandbox.") || strings.Contains(host, "//"+testHost)
	salesforces := strings.Contains(host, ".salesforce.com")
	switch {
	case sandbox && !looks && salesforces:
		return warn("See that connect.loginURL is the org you mean.", "%s (%s) is a sandbox, and connect.loginURL is not a sandbox's", name, rows[0].ID())
	case !sandbox && looks:
		return warn("See that connect.loginURL is the org you mean.", "%s (%s) is no sandbox, and connect.loginURL is a sandbox's", name, rows[0].ID())
	case sandbox:
		return ok("%s (%s), a sandbox", name, rows[0].ID())
	}
	return ok("%s (%s)", name, rows[0].ID())
}
