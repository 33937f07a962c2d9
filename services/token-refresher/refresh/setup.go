package refresh

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/doctor"
)

const (
	// setupTimeout is how long an admin's browser waits for what is looked at
	// after a login, and setupCheck bounds one thing.
	setupTimeout, setupCheck = 20 * time.Second, 5 * time.Second
)

// setup looks at the org with the session that a login has just been given, as
// `rollcall doctor` does, and returns what is still wrong.
func (o *loginOrg) setup(ctx context.Context, transport http.RoundTripper, g salesforce.Grant) []string {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	file := config.File{Orgs: map[string]config.Org{o.name: {Connect: o.connect, Assign: o.assign, Push: o.push}}}
	var out []string
	for _, f := range (doctor.Doctor{File: file, Transport: transport, Timeout: setupCheck}).Session(ctx, o.name, tokenOf(g)) {
		if f.Level == doctor.Warn || f.Level == doctor.Fail {
			out = append(out, strings.TrimSpace(f.Message+". "+f.Advice))
		}
	}
	return out
}

// missing says what the granted scopes do not allow.
func missing(scopes []string) []string {
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(s string) bool { return slices.Contains(scopes, s) })
	}
	var out []string
	if !has("api", "full") {
		out = append(out, "The scope api is missing: without it no user can be read or changed")
	}
	if !has("refresh_token", "offline_access", "full") {
		out = append(out, "The scope refresh_token is missing: without it the org is disconnected when the session ends")
	}
	return out
}
