package push

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/check"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/health"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

const (
	changeLinger = time.Millisecond
	// lateFor: Salesforce ends a transaction after ten minutes.
	lateFor = 10 * time.Minute
	// claimMost is longer than any claim; one that says it lasts longer was written by a
	// clock that is wrong.
	claimMost = time.Hour
	// batchMax is the most records one collection call takes.
	batchMax = 200
)

// Config is what the pusher needs to know.
type Config struct {
	Orgs []OrgConfig
	// TokensKeyFile holds the keyset under which tokens are sealed.
	TokensKeyFile string
}

// OrgConfig is one org.
type OrgConfig struct {
	Name string
	// APIVersion, HostSuffixes, CAFile and AllowLoopbackHTTP are for the client.
	APIVersion        string
	HostSuffixes      []string
	CAFile            string
	AllowLoopbackHTTP bool
	// Match says in which order an existing user is recognised.
	Match           []string
	ExternalIDField string
	// Create, Update and Deactivate may each be switched off.
	Create, Update, Deactivate bool
	FreezeFirst, AdoptByEmail  bool
	// Protected are usernames (lower case) and user ids that are never touched.
	Protected map[string]bool
	// CallTimeout bounds one API call, ClaimTTL a worker's hold on a person.
	CallTimeout, ClaimTTL time.Duration
	// LateFor is how long after the end of a claim Salesforce may still apply a call
	// that got no answer: ten minutes, after which it ends a transaction.
	LateFor time.Duration
	// Linger is how long backfill work is gathered into one batch.
	Linger time.Duration
	// BulkAbove is the backlog of the backfill lane above which new users are
	// made by the Bulk API; 0 for never.
	BulkAbove int
	// Names are all names that config knows, asked for in one call.
	Names plan.Names
	// Holds are the only names that may be given to anybody.
	Holds plan.Names
	// Privileged is what may make an administrator of somebody.
	Privileged plan.Privileged
	// Probe says how a held org is tried again.
	Probe health.Probe
	// Check says how what Salesforce has is read, and what is done about it.
	Check check.Config
}

// ConfigFrom takes the pusher's part out of the configuration file; the error
// names all faults.
func ConfigFrom(f config.File) (Config, error) {
	c := Config{TokensKeyFile: f.Tokens.KeyFile}
	var faults []error
	if f.Tokens.KeyFile == "" {
		faults = append(faults, errors.New("tokens.keyFile is missing"))
	}
	if len(f.Orgs) == 0 {
		faults = append(faults, errors.New("orgs: at least one is needed"))
	}
	for _, name := range slices.Sorted(maps.Keys(f.Orgs)) {
		o := orgFrom(name, f.Orgs[name])
		faults = append(faults, o.check()...)
		c.Orgs = append(c.Orgs, o)
	}
	return c, errors.Join(faults...)
}

func orgFrom(name string, o config.Org) OrgConfig {
	c := OrgConfig{
		Name: name, APIVersion: o.Connect.APIVersion, HostSuffixes: o.Connect.HostSuffixes,
		AllowLoopbackHTTP: o.Connect.AllowLoopbackHTTP,
		CAFile:            o.Connect.CAFile,
		Match:             o.Assign.Match, ExternalIDField: o.Assign.ExternalIDField,
		Create: o.Push.Create, Update: o.Push.Update, Deactivate: o.Push.Deactivate,
		FreezeFirst: o.Push.FreezeFirst, AdoptByEmail: o.Push.AdoptByEmail,
		Protected:   map[string]bool{},
		CallTimeout: o.Push.CallTimeout, ClaimTTL: o.Push.ClaimTTL, Linger: o.Push.Linger, BulkAbove: o.Push.BulkAbove,
		LateFor: lateFor, Names: namesIn(o.Assign), Holds: namesIn(o.Assign), Probe: health.DefaultProbe(),
		Privileged: privileged(o.Push.Privileged),
	}
	c.Check = check.ConfigFrom(name, o, c.Names)
	for _, p := range o.Push.Protect {
		c.Protected[strings.ToLower(p)] = true
	}
	return c
}

func (c OrgConfig) check() []error {
	at := "orgs." + c.Name
	var faults []error
	if err := events.CheckName(c.Name); err != nil {
		faults = append(faults, fmt.Errorf("%s: %w", at, err))
	}
	for _, m := range c.Match {
		if !slices.Contains([]string{plan.MatchFederationID, plan.MatchUsername, plan.MatchEmail, plan.MatchExternalID}, m) {
			faults = append(faults, fmt.Errorf("%s.assign.match: %q is not one of federation_id, username, email, external_id", at, m))
		}
	}
	if slices.Contains(c.Match, plan.MatchExternalID) && c.ExternalIDField == "" {
		faults = append(faults, fmt.Errorf("%s.assign.externalIDField is missing, but assign.match names external_id", at))
	}
	if c.CallTimeout < 0 || c.Linger < 0 {
		faults = append(faults, fmt.Errorf("%s.push: callTimeout and linger cannot be negative", at))
	}
	if c.ClaimTTL <= c.CallTimeout {
		faults = append(faults, fmt.Errorf("%s.push.claimTTL is %s, must be longer than callTimeout, %s", at, c.ClaimTTL, c.CallTimeout))
	}
	return faults
}

// margin is what a claim leaves unused at its end: for a request still on its
// way, and for clocks that differ.
func (c OrgConfig) margin() time.Duration { return min(c.ClaimTTL/10, 2*time.Second) }

// policy is what decisions are made by.
func (c OrgConfig) policy() plan.Policy {
	return plan.Policy{
		Match:  plan.Matcher{Order: c.Match, ExternalField: c.ExternalIDField, ByEmail: c.AdoptByEmail},
		Create: c.Create, Update: c.Update, Deactivate: c.Deactivate, FreezeFirst: c.FreezeFirst, LateFor: c.LateFor, ClaimTTL: c.ClaimTTL, ClaimMost: max(claimMost, bulkClaims*c.ClaimTTL), Protected: c.Protected,
		Leave: c.Check.Leave(), Holds: c.Holds, Privileged: c.Privileged,
	}
}

func (c OrgConfig) linger(l events.Lane) time.Duration {
	switch l {
	case events.LaneLeaver:
		return 0
	case events.LaneChange:
		return min(changeLinger, c.Linger)
	}
	return c.Linger
}

func namesIn(a config.Assign) plan.Names {
	n := plan.Names{}
	add := func(given config.Assignments) {
		for _, k := range events.AssignmentKinds() {
			n.Add(k.ID, given[k.Key]...)
		}
	}
	for _, r := range a.Rules {
		n.Add(plan.KindProfile, r.Profile)
		n.Add(plan.KindRole, r.Role)
		add(r.Assignments)
	}
	for _, g := range a.Grants {
		add(g.Assignments)
	}
	return n
}

func privileged(c config.Privileged) plan.Privileged {
	n := plan.Names{}
	n.Add(plan.KindProfile, c.Profiles...)
	n.Add(plan.KindPermissionSet, c.PermissionSets...)
	return plan.Privileged{Names: n, Ask: c.Ask}
}
