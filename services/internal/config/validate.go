package config

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// Flows of signing in to an org.
const (
	FlowClientCredentials = "client_credentials"
	FlowRefreshToken      = "refresh_token"
	FlowJWTBearer         = "jwt_bearer"
)

// faults gathers what is wrong, each with its key path.
type faults []error

func (f *faults) add(path, format string, args ...any) {
	*f = append(*f, fmt.Errorf("  %s: %s", path, fmt.Sprintf(format, args...)))
}

func (f *faults) require(path, value string) bool {
	if strings.TrimSpace(value) == "" {
		f.add(path, "is required")
		return false
	}
	return true
}

func (f *faults) oneOf(path, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		f.add(path, "must be one of %s, is %q", strings.Join(allowed, ", "), value)
	}
}

// Validate joins every fault of the file, each with its key path. What only one
// service can judge (a CEL expression, say) is judged where that service starts.
func (f *File) Validate() error {
	var bad faults
	f.NATS.validate(&bad)
	if f.Serve.Listen != "" {
		if _, _, err := net.SplitHostPort(f.Serve.Listen); err != nil {
			bad.add("serve.listen", "must be host:port, is %q", f.Serve.Listen)
		}
	}
	f.Log.validate(&bad)
	f.Callback.validate(&bad)
	f.validateSources(&bad)
	for _, name := range slices.Sorted(maps.Keys(f.Orgs)) {
		org := f.Orgs[name]
		org.validate(&bad, "orgs."+name, name)
	}
	return errors.Join(bad...)
}

func (n *NATS) validate(bad *faults) {
	if bad.require("nats.url", n.URL) {
		for _, one := range strings.Split(n.URL, ",") {
			u, err := url.Parse(strings.TrimSpace(one))
			if err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
				bad.add("nats.url", "must be nats://host:port or tls://host:port, several separated by commas")
			} else if u.User != nil {
				bad.add("nats.url", "must hold no user or password: use nats.nkeySeedFile")
			}
		}
	}
	if n.Replicas != 1 && n.Replicas != 3 && n.Replicas != 5 {
		bad.add("nats.replicas", "must be 1, 3 or 5, is %d", n.Replicas)
	}
	if n.ConnectTimeout <= 0 {
		bad.add("nats.connectTimeout", "must be longer than nothing")
	}
	if (n.CertFile == "") != (n.KeyFile == "") {
		bad.add("nats.certFile", "and nats.keyFile go together: one of them is missing")
	}
}

// CallbackPath is where Salesforce sends browsers back to.
const CallbackPath = "/oauth/callback"

func (c *Callback) validate(bad *faults) {
	if c.Listen != "" {
		if _, _, err := net.SplitHostPort(c.Listen); err != nil {
			bad.add("callback.listen", "must be host:port, is %q", c.Listen)
		}
		if bad.require("callback.url", c.URL) {
			c.validateURL(bad, "callback.url", c.URL, false)
		}
	}
	bad.oneOf("callback.access", c.Access, AccessLink, AccessOpen)
	if c.LoopbackURL != "" {
		c.validateURL(bad, "callback.loopbackURL", c.LoopbackURL, true)
	}
}

func (c *Callback) validateURL(bad *faults, path, text string, local bool) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != CallbackPath:
		bad.add(path, "must be like https://rollcall.example.com%s, is %q", CallbackPath, text)
	case local && (u.Scheme != "http" || !loopback(u.Hostname()) || u.Port() == ""):
		bad.add(path, "must be http on a loopback address with a port, is %q", text)
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		bad.add(path, "must begin with https://, or http:// on a loopback address")
	}
}

func (l *Log) validate(bad *faults) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		bad.add("log.level", "must be one of debug, info, warn, error, is %q", l.Level)
	}
	bad.oneOf("log.format", l.Format, "json", "text")
}

// correlatable are the attributes that may name a person across sources, but
// for custom ones.
func correlatable() []string {
	return []string{"enterprise.employeeNumber", "externalId", "userName", "emails.primary"}
}

func (f *File) validateSources(bad *faults) {
	for _, name := range slices.Sorted(maps.Keys(f.Sources)) {
		path := "sources." + name
		checkName(bad, path, name)
		if kind := f.Sources[name].VersionKind(); !slices.Contains(events.VersionKinds(), kind) {
			bad.add(path+".sourceVersion", "must be one of none, number, time, is %q", kind)
		}
		id := f.Sources[name].CorrelationID
		id.validate(bad, path+".correlationID")
		c := f.Sources[name].Correlate
		if !bad.require(path+".correlate", c) {
			continue
		}
		custom, isCustom := strings.CutPrefix(c, "custom.")
		if !slices.Contains(correlatable(), c) && (!isCustom || custom == "") {
			bad.add(path+".correlate", "must be one of %s or custom.<name>, is %q", strings.Join(correlatable(), ", "), c)
		}
	}
	f.validateAuthority(bad)
	for _, attribute := range slices.Sorted(maps.Keys(f.Precedence)) {
		for _, source := range f.Precedence[attribute] {
			if _, ok := f.Sources[source]; !ok {
				bad.add("precedence."+attribute, "names source %q, which is not under sources", source)
			}
		}
	}
}

func (f *File) validateAuthority(bad *faults) {
	for i, source := range f.Authority {
		if _, ok := f.Sources[source]; !ok {
			bad.add("authority", "names source %q, which is not under sources", source)
		}
		if slices.Contains(f.Authority[:i], source) {
			bad.add("authority", "names source %q twice", source)
		}
	}
	if _, ok := f.Precedence["active"]; ok && len(f.Authority) > 0 {
		bad.add("precedence.active", "says nothing where authority is set: that decides who is active, take this out")
	}
}

// maxPadZeros is more digits than any number of an employee has.
const maxPadZeros = 64

func (c *CorrelationID) validate(bad *faults, path string) {
	if c.Case != "" {
		bad.oneOf(path+".case", c.Case, CaseUpper, CaseLower)
	}
	if c.PadZeros < 0 || c.PadZeros > maxPadZeros {
		bad.add(path+".padZeros", "must be 0 to %d, is %d", maxPadZeros, c.PadZeros)
	}
	if _, err := c.Regexp(); err != nil {
		bad.add(path+".pattern", "%s", err)
	}
}

func checkName(bad *faults, path, name string) {
	if events.CheckName(name) != nil {
		bad.add(path, "the name must be 1-32 of a-z, 0-9 and '-', starting with a letter")
	}
}

func (o *Org) validate(bad *faults, path, name string) {
	checkName(bad, path, name)
	o.Connect.validate(bad, path+".connect")
	o.Assign.validate(bad, path+".assign")
	o.Gate.validate(bad, path+".gate")
	o.Push.validate(bad, path+".push")
}

// Bounds of the gate: a register keeps a count for each part of its windows.
const (
	maxGateLimit  = 1_000_000
	minGateWindow = time.Minute
	maxGateWindow = 31 * 24 * time.Hour
	maxGateSettle = 10 * time.Minute
)

func (g *Gate) validate(bad *faults, path string) {
	if g.Limit < 0 || g.Limit > maxGateLimit {
		bad.add(path+".limit", "must be 0 to %d, is %d", maxGateLimit, g.Limit)
	}
	if g.Percent < 0 || g.Percent > 100 {
		bad.add(path+".percent", "must be 0 to 100, is %g", g.Percent)
	}
	if g.Window < minGateWindow || g.Window > maxGateWindow {
		bad.add(path+".window", "must be %s to %s, is %s", minGateWindow, maxGateWindow, g.Window)
	}
	if g.LongWindow < g.Window || g.LongWindow > maxGateWindow {
		bad.add(path+".longWindow", "must be window or longer, to %s, is %s", maxGateWindow, g.LongWindow)
	}
	if g.Settle < 0 || g.Settle > maxGateSettle {
		bad.add(path+".settle", "must be 0s to %s, is %s", maxGateSettle, g.Settle)
	}
	if g.Urgent < 0 || g.Urgent > maxGateLimit {
		bad.add(path+".urgent", "must be 0 to %d, is %d", maxGateLimit, g.Urgent)
	}
}

// isAPIVersion says whether v is like 63.0; Salesforce has whole versions only.
func isAPIVersion(v string) bool {
	n, err := strconv.Atoi(strings.TrimSuffix(v, ".0"))
	return err == nil && strings.HasSuffix(v, ".0") && n >= 20 && n < 1000
}

func (c *Connect) validate(bad *faults, path string) {
	if bad.require(path+".loginURL", c.LoginURL) {
		c.validateURL(bad, path+".loginURL")
	}
	bad.require(path+".clientID", c.ClientID)
	c.validateFlow(bad, path)
	if c.SessionLifetime != 0 && c.SessionLifetime < 15*time.Minute {
		bad.add(path+".sessionLifetime", "must be 0 or at least 15m, the shortest Salesforce has, is %s", c.SessionLifetime)
	}
	if c.RefreshIdleLimit != 0 && c.RefreshIdleLimit < time.Hour {
		bad.add(path+".refreshIdleLimit", "must be 0 or at least 1h, is %s", c.RefreshIdleLimit)
	}
	if !isAPIVersion(c.APIVersion) {
		bad.add(path+".apiVersion", "must be like 63.0 (in quotes), is %q", c.APIVersion)
	}
	for i, suffix := range c.HostSuffixes {
		login, err := url.Parse(c.LoginURL)
		if err == nil && suffix != "" && suffix == login.Hostname() {
			continue
		}
		if !strings.HasPrefix(suffix, ".") || len(suffix) < 3 {
			bad.add(fmt.Sprintf("%s.hostSuffixes[%d]", path, i), "must begin with a dot or be the host of loginURL, is %q", suffix)
		}
	}
}

// validateFlow requires what a flow needs, and refuses what another one needs:
// a key that is not read would be taken for one that is.
func (c *Connect) validateFlow(bad *faults, path string) {
	bad.oneOf(path+".flow", c.Flow, FlowClientCredentials, FlowJWTBearer, FlowRefreshToken)
	bad.secret(path, c.ClientSecret(), c.Flow == FlowClientCredentials)
	bad.secret(path, c.RefreshToken(), false)
	bad.secret(path, c.PrivateKey(), c.Flow == FlowJWTBearer)
	if c.Flow == FlowJWTBearer {
		bad.require(path+".username", c.Username)
		c.validateAudience(bad, path+".audience")
	}
	for _, only := range []struct{ flow, key, value string }{
		{FlowRefreshToken, "refreshTokenFile", c.RefreshTokenFile},
		{FlowRefreshToken, "refreshTokenEnv", c.RefreshTokenEnv},
		{FlowJWTBearer, "privateKeyFile", c.PrivateKeyFile},
		{FlowJWTBearer, "privateKeyEnv", c.PrivateKeyEnv},
		{FlowJWTBearer, "username", c.Username},
		{FlowJWTBearer, "audience", c.Audience},
	} {
		if only.value != "" && c.Flow != only.flow {
			bad.add(path+"."+only.key, "is for flow %s, and flow is %s", only.flow, c.Flow)
		}
	}
}

func (c *Connect) validateAudience(bad *faults, path string) {
	if c.Audience == "" {
		return
	}
	u, err := url.Parse(c.Audience)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		bad.add(path, "must be like https://login.salesforce.com, is %q", c.Audience)
	}
}

// JWTAudience is whom the assertion of flow jwt_bearer is for.
func (c *Connect) JWTAudience() string {
	if c.Audience != "" {
		return c.Audience
	}
	u, err := url.Parse(c.LoginURL)
	if err == nil && (u.Hostname() == "test.salesforce.com" || strings.HasSuffix(u.Hostname(), ".sandbox.my.salesforce.com")) {
		return "https://test.salesforce.com"
	}
	return "https://login.salesforce.com"
}

func (c *Connect) validateURL(bad *faults, path string) {
	u, err := url.Parse(c.LoginURL)
	if err != nil || u.Host == "" {
		bad.add(path, "must be like https://example.my.salesforce.com")
		return
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		bad.add(path, "must be scheme and host only")
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && c.AllowLoopbackHTTP && loopback(u.Hostname()):
	case u.Scheme == "http" && c.AllowLoopbackHTTP:
		bad.add(path, "may be http only on a loopback address")
	default:
		bad.add(path, "must begin with https:// (for an emulator on loopback, set allowLoopbackHTTP)")
	}
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func (a *Assign) validate(bad *faults, path string) {
	names := map[string]bool{}
	for i, rule := range a.Rules {
		at := fmt.Sprintf("%s.rules[%d]", path, i)
		if bad.require(at+".name", rule.Name) && names[rule.Name] {
			bad.add(at+".name", "%q stands twice in this org", rule.Name)
		}
		names[rule.Name] = true
		bad.require(at+".when", rule.When)
		bad.require(at+".profile", rule.Profile)
	}
	for i, grant := range a.Grants {
		at := fmt.Sprintf("%s.grants[%d]", path, i)
		bad.require(at+".when", grant.When)
		if grant.Assignments.empty() {
			bad.add(at, "grants nothing: one of %s is required", strings.Join(events.AssignmentKeys(), ", "))
		}
	}
	for i, m := range a.Match {
		bad.oneOf(fmt.Sprintf("%s.match[%d]", path, i), m, "federation_id", "username", "email", "external_id")
	}
	if slices.Contains(a.Match, "external_id") {
		bad.require(path+".externalIDField", a.ExternalIDField)
	}
}

func (p *Push) validate(bad *faults, path string) {
	if p.CallTimeout <= 0 {
		bad.add(path+".callTimeout", "must be longer than nothing")
	}
	if p.ClaimTTL <= p.CallTimeout {
		bad.add(path+".claimTTL", "must be longer than callTimeout (%s), is %s: a claim must outlive the call made under it", p.CallTimeout, p.ClaimTTL)
	}
	if p.Linger < 0 {
		bad.add(path+".linger", "must not be negative")
	}
	if p.BulkAbove < 0 {
		bad.add(path+".bulkAbove", "must not be negative; 0 is for never")
	}
	if slices.Contains(p.Privileged.Profiles, "") || slices.Contains(p.Privileged.PermissionSets, "") {
		bad.add(path+".privileged", "has an empty name")
	}
	p.Check.validate(bad, path+".check")
}

func (c *Check) validate(bad *faults, path string) {
	if c.Interval < 0 || c.Interval > 0 && c.Interval < time.Second {
		bad.add(path+".interval", "must be 0 (never) or at least 1s, is %s", c.Interval)
	}
	if c.Page < 1 || c.Page > 500 {
		bad.add(path+".page", "must be 1 to 500, what one query can ask for, is %d", c.Page)
	}
	for _, mode := range []struct{ key, value string }{
		{"deactivated", c.Deactivated}, {"fields", c.Fields}, {"taken", c.Taken}, {"given", c.Given},
	} {
		bad.oneOf(path+"."+mode.key, mode.value, DriftModes()...)
	}
}
