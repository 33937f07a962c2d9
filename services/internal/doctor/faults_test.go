package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
)

// planted is one thing that is wrong, and what the doctor says of it.
type planted struct {
	check           string
	level           Level
	message, advice string
	plant           func(*rig)
}

func installationFaults() map[string]planted {
	return map[string]planted{
		"a wrong key in the file": {configFile, Fail, "nats.repliccas", "docs/configuration.md", func(r *rig) {
			r.doctor.FileErr = errors.New("line 3: nats.repliccas: is not a key of this file")
		}},
		"an expression that does not compile": {configExpressions, Fail, "orgs.emea.assign.rules[0]", "assignment does not start", func(r *rig) {
			r.doctor.Expressions = func(config.File) error { return errors.New("orgs.emea.assign.rules[0].when: undeclared reference") }
		}},
		"several sources and no authority": {configExpressions, Warn, "precedence decides who is employed", "authority", func(r *rig) {
			r.doctor.File.Sources = map[string]config.Source{"hr": {}, "directory": {}}
		}},
		"a deployment key that is too short": {configKeys, Fail, "deployment.keyFile", "Restore", func(r *rig) { r.file("deployment.key", "short") }},
		"no tokens key here": {configKeys, Warn, "tokens.keyFile cannot be read here", "readable", func(r *rig) {
			r.doctor.File.Tokens.KeyFile = filepath.Join(r.dir, "none")
		}},
		"no tokens key configured": {configKeys, Warn, "tokens.keyFile is not set", "", func(r *rig) { r.doctor.File.Tokens.KeyFile = "" }},
		"NATS away": {natsReachable, Fail, "nobody answered", "nats-down.md", func(r *rig) {
			r.doctor.Connect = func(context.Context) (*bus.Bus, error) { return nil, errors.New("connect to NATS: nobody answered") }
		}},
		"consumers of an org missing": {natsStreams, Fail, "emea", "rollcall provision", func(r *rig) {
			r.nats = bustest.Start(r, bus.Topology{Orgs: []string{"another"}})
		}},
		"other replicas than configured": {natsStreams, Fail, "num_replicas is 1, must be 3", "rollcall provision", func(r *rig) {
			r.doctor.File.NATS.Replicas = 3
		}},
		"a setting by which something would be lost": {natsStreams, Fail, "max_age is 1h0m0s", "nats-down.md", func(r *rig) {
			r.nats.SetStream(r, events.StreamDead, func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour })
		}},
		"something paused":     {workPaused, Warn, "lane backfill of org emea is paused for 10m0s, by grete: release", "runbooks/paused.md", paused(10 * time.Minute)},
		"a pause nobody ended": {workPaused, Fail, "is paused for 5h0m0s", "rollcall resume", paused(5 * time.Hour)},
		"a duplicate window of an earlier version": {natsStreams, Warn, "duplicate_window of stream DIRECTORY is 2m0s", "rollcall provision", func(r *rig) {
			r.nats.SetStream(r, events.StreamDirectory, func(c *jetstream.StreamConfig) { c.Duplicates = 2 * time.Minute })
		}},
	}
}

// paused pauses a lane, so long ago.
func paused(ago time.Duration) func(*rig) {
	return func(r *rig) {
		now := time.Now()
		r.doctor.Now = func() time.Time { return now }
		table := events.Pauses{At: now, Paused: []events.Pause{{Scope: events.Scope{Org: emea, Lane: events.LaneBackfill}, By: "grete", Reason: "release", Since: now.Add(-ago)}}}
		data, err := events.Encode(table)
		if err != nil {
			r.Fatal(err)
		}
		if _, err := r.bus.Commit(r.Context(), events.StreamRoster, []bus.Group{{{Subject: events.PausesSubject(), Data: data}}}); err != nil {
			r.Fatal(err)
		}
	}
}

func credentialFaults() map[string]planted {
	held := func(code, message, advice string) func(*rig) {
		return func(r *rig) {
			r.record(func(rec *events.TokenRecord) {
				rec.State, rec.Advice, rec.Sealed = events.TokenHeld, advice, nil
				rec.Failure = &events.Failure{Cause: events.CauseCredentials, Code: code, Message: message}
			})
		}
	}
	refreshing := func(r *rig) {
		r.file("refresh", refreshToken)
		r.connect(func(c *config.Connect) {
			c.Flow, c.RefreshTokenFile = config.FlowRefreshToken, filepath.Join(r.dir, "refresh")
		})
	}
	return map[string]planted{
		"client credentials on the login host": {orgLogin, Fail, "refused at login.salesforce.com", "My Domain", func(r *rig) {
			r.connect(func(c *config.Connect) { c.LoginURL = "https://login.salesforce.com" })
		}},
		"a page of the user interface": {orgLogin, Fail, "user interface", "My Domain", func(r *rig) {
			r.connect(func(c *config.Connect) { c.LoginURL = "https://example.lightning.force.com" })
		}},
		"a sandbox's JWT for production": {orgLogin, Fail, "audience is invalid", "https://test.salesforce.com", func(r *rig) {
			r.connect(func(c *config.Connect) {
				c.LoginURL, c.Flow, c.Audience = "https://example--dev.sandbox.my.salesforce.com", config.FlowJWTBearer, "https://login.salesforce.com"
			})
		}},
		"a production JWT for sandboxes": {orgLogin, Fail, "audience is invalid", "https://login.salesforce.com", func(r *rig) {
			r.connect(func(c *config.Connect) {
				c.LoginURL, c.Flow, c.Audience = "https://example.my.salesforce.com", config.FlowJWTBearer, "https://test.salesforce.com"
			})
		}},
		"refreshing on the login host": {orgLogin, Warn, "test.salesforce.com works", "My Domain", func(r *rig) {
			refreshing(r)
			r.connect(func(c *config.Connect) { c.LoginURL = "https://test.salesforce.com" })
		}},
		"no secret here": {orgSecrets, Warn, "clientSecretFile", "readable", func(r *rig) {
			r.connect(func(c *config.Connect) { c.ClientSecretFile = filepath.Join(r.dir, "none") })
		}},
		"no variable here": {orgSecrets, Warn, "ROLLCALL_TEST_NOWHERE", "restart", func(r *rig) {
			r.connect(func(c *config.Connect) { c.ClientSecretFile, c.ClientSecretEnv = "", "ROLLCALL_TEST_NOWHERE" })
		}},
		"a certificate for a private key": {orgSecrets, Fail, "privateKeyFile holds is not a private key", "PEM", func(r *rig) {
			r.connect(func(c *config.Connect) { c.PrivateKeyFile = filepath.Join(r.dir, "secret") })
		}},
		"nobody signed in": {orgToken, Fail, "has not looked", "Start token-refresher", func(r *rig) { r.nats = bustest.Start(r, bus.Topology{Orgs: []string{emea}}) }},
		"a token being asked for": {orgToken, Warn, "is being asked for", "Wait", func(r *rig) {
			r.record(func(rec *events.TokenRecord) { rec.State = events.TokenRefreshing })
		}},
		"a secret that was rotated": {orgToken, Fail, "invalid_client: invalid client credentials", "take the app's current secret",
			held("invalid_client", "invalid client credentials", "take the app's current secret into the configuration")},
		"another key": {orgToken, Fail, "sealed for another org, under another key", "tokens.keyFile", func(r *rig) {
			path := filepath.Join(r.dir, "other.json")
			_, err := seal.Create(path)
			r.must(err)
			r.doctor.File.Tokens.KeyFile = path
		}},
		"held, looked at without the key": {orgToken, Fail, "invalid_client: invalid client credentials", "take the app's current secret", func(r *rig) {
			r.record(func(rec *events.TokenRecord) { // the last token is kept, sealed
				rec.State, rec.Advice = events.TokenHeld, "take the app's current secret into the configuration"
				rec.Failure = &events.Failure{Cause: events.CauseCredentials, Code: "invalid_client", Message: "invalid client credentials"}
			})
			r.doctor.File.Tokens.KeyFile = filepath.Join(r.dir, "none")
		}},
		"held by the pusher": {orgHealth, Fail, "INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "Password Never Expires", func(r *rig) {
			r.health(events.Health{State: events.HealthHeld, Since: time.Now(), Failure: &events.Failure{
				Cause: events.CauseCredentials, Code: "INVALID_OPERATION_WITH_EXPIRED_PASSWORD", Message: "The users password has expired"}})
		}},
		"scope api missing": {orgScopes, Fail, "missing: api", "app's scopes", func(r *rig) { r.scope("openid id") }},
		"scope refresh_token missing": {orgScopes, Fail, "missing: refresh_token", "app's scopes", func(r *rig) {
			refreshing(r)
			r.scope("api")
		}},
		"no refresh token kept": {orgRefreshToken, Fail, "no refresh token is kept", "rollcall connect emea", refreshing},
		"a refresh token long unused": {orgRefreshToken, Warn, "last used", "token-refresher runs", func(r *rig) {
			refreshing(r)
			r.connect(func(c *config.Connect) { c.RefreshIdleLimit = 30 * 24 * time.Hour })
			r.record(func(rec *events.TokenRecord) {
				rec.SealedRefresh, rec.At = []byte(refreshToken), time.Now().Add(-29*24*time.Hour)
			})
		}},
	}
}

// scope lets another scope have been granted.
func (r *rig) scope(scope string) {
	r.Helper()
	r.record(func(rec *events.TokenRecord) {
		t, err := r.sealer.Open(emea, rec.Sealed)
		r.must(err)
		t.Scope = scope
		rec.Sealed, err = r.sealer.Seal(emea, t)
		r.must(err)
	})
}

func sessionFaults() map[string]planted {
	denied := func(what emulator.Denial) func(*rig) { return func(r *rig) { r.deny(what) } }
	return map[string]planted{
		"an expired password":       {orgSession, Fail, "INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "Password Never Expires", denied(emulator.DenyPassword)},
		"API Enabled taken":         {orgSession, Fail, "FUNCTIONALITY_NOT_ENABLED", "API Enabled", denied(emulator.DenyAPIEnabled)},
		"the API off for the user":  {orgSession, Fail, "API_CURRENTLY_DISABLED", "API Enabled", denied(emulator.DenyAPIAccess)},
		"an edition without API":    {orgSession, Fail, "API_DISABLED_FOR_ORG", "edition", denied(emulator.DenyOrgAPI)},
		"a session not for the API": {orgSession, Fail, "not valid for use with the REST API", "scope", denied(emulator.DenyRESTSession)},
		"an expired session":        {orgSession, Fail, "Session expired or invalid", "by itself", func(r *rig) { r.org.ExpireSessions() }},
		"nobody knows whose session it is": {orgSession, Warn, "does not say whose", "scope id", func(r *rig) {
			r.record(func(rec *events.TokenRecord) {
				t, err := r.sealer.Open(emea, rec.Sealed)
				r.must(err)
				t.UserID = ""
				rec.Sealed, err = r.sealer.Seal(emea, t)
				r.must(err)
			})
			r.canned["/userinfo"] = `[{"message":"Missing_OAuth_Token","errorCode":"FORBIDDEN"}]`
		}},
		"another org": {orgSession, Fail, "ORG_REFUSED", "connect.orgID", func(r *rig) {
			r.connect(func(c *config.Connect) { c.OrgID = "00D000000000009" })
		}},
		"a host that is not allowed": {orgSession, Fail, "HOST_REFUSED", "hostSuffixes", func(r *rig) {
			r.connect(func(c *config.Connect) { c.AllowLoopbackHTTP = false })
		}},
		"authorities that are not there": {orgSession, Fail, "caFile", "certificate authorities", func(r *rig) {
			r.connect(func(c *config.Connect) { c.CAFile = filepath.Join(r.dir, "none") })
		}},
		"the calls of the day used up": {orgSession, Fail, "TotalRequests Limit exceeded", "24 hours", func(r *rig) { r.org.SetDailyLimit(0) }},
		"a production org behind a sandbox's host": {orgIdentity, Warn, "is no sandbox", "connect.loginURL", func(r *rig) {
			r.connect(func(c *config.Connect) { c.LoginURL = "https://example--dev.sandbox.my.salesforce.com" })
		}},
		"a sandbox behind a production host": {orgIdentity, Warn, "is a sandbox", "connect.loginURL", func(r *rig) {
			r.connect(func(c *config.Connect) { c.LoginURL = "https://example.my.salesforce.com" })
			r.canned["IsSandbox FROM Organization"] = rows(`{"Id":"00D000000000009AAA","Name":"Dev","IsSandbox":true}`)
		}},
		"a clock that is a little off": {orgClock, Warn, "ahead of this machine's", "NTP", func(r *rig) {
			r.doctor.Now = func() time.Time { return time.Now().Add(-20 * time.Second) }
		}},
		"a clock that is far off": {orgClock, Fail, "behind this machine's", "NTP", func(r *rig) {
			r.doctor.Now = func() time.Time { return time.Now().Add(3 * time.Minute) }
		}},
		"a retired version": {orgAPIVersion, Fail, "30.0 of the API is retired", "connect.apiVersion", func(r *rig) {
			r.connect(func(c *config.Connect) { c.APIVersion = "30.0" })
		}},
		"a version nobody has": {orgAPIVersion, Fail, "does not serve version 99.0", "connect.apiVersion", func(r *rig) {
			r.connect(func(c *config.Connect) { c.APIVersion = "99.0" })
		}},
		"an old version": {orgAPIVersion, Warn, "may be retired soon", "sandbox", func(r *rig) {
			r.connect(func(c *config.Connect) { c.APIVersion = "45.0" })
		}},
		"most calls of the day used": {orgAPIUse, Warn, "85 of 100", "System Overview", func(r *rig) {
			r.canned["/limits"] = `{"DailyApiRequests":{"Max":100,"Remaining":15}}`
		}},
		"nearly all calls of the day used": {orgAPIUse, Fail, "97 of 100", "System Overview", func(r *rig) {
			r.canned["/limits"] = `{"DailyApiRequests":{"Max":100,"Remaining":3}}`
		}},
	}
}

func contentFaults() map[string]planted {
	return map[string]planted{
		"an inactive user": {orgUser, Fail, "is not active", "Activate", func(r *rig) {
			r.canned["Profile.Name FROM User"] = rows(`{"Id":"005000000000001AAA","Username":"integration@rollcall.example","IsActive":false}`)
		}},
		"a frozen user": {orgUser, Fail, "is frozen", "Unfreeze", func(r *rig) { r.must(r.org.FreezeUser(emulator.IntegrationUsername, true)) }},
		"a locked user": {orgPassword, Fail, "locked out", "Unlock", func(r *rig) {
			r.canned["FROM UserLogin"] = rows(`{"Id":"0Yw000000000001AAA","IsFrozen":false,"IsPasswordLocked":true}`)
		}},
		"a password that expires soon": {orgPassword, Warn, "expires on", "Password Never Expires", func(r *rig) {
			r.canned["PasswordExpirationDate"] = rows(`{"PasswordExpirationDate":"` + time.Now().Add(48*time.Hour).Format(salesforceTime) + `"}`)
		}},
		"a password that is expired": {orgPassword, Fail, "expired on", "Password Never Expires", func(r *rig) {
			r.canned["PasswordExpirationDate"] = rows(`{"PasswordExpirationDate":"2020-01-02T03:04:05.000+0000"}`)
		}},
		"Manage Users taken":           {orgPermissions, Fail, "lacks Manage Users", "permission set", func(r *rig) { r.deny(emulator.DenyManageUsers) }},
		"Assign Permission Sets taken": {orgPermissions, Fail, "lacks Assign Permission Sets", "permission set", func(r *rig) { r.deny(emulator.DenyAssignPermissionSets) }},
		"View Setup taken": {orgPermissions, Warn, "lacks View Setup", "permission set", func(r *rig) {
			r.canned["PermissionsViewSetup"] = rows(`{"PermissionsViewSetup":false}`)
		}},
		"rights that are not shown": {orgPermissions, Skipped, "does not show", "", func(r *rig) {
			r.canned["FROM UserPermissionAccess"] = `[{"message":"sObject type 'UserPermissionAccess' is not supported.","errorCode":"INVALID_TYPE"}]`
		}},
		"nobody protected": {orgProtected, Warn, "names nobody but", "push.protect", func(r *rig) { r.push(func(p *config.Push) { p.Protect = nil }) }},
		"only oneself protected": {orgProtected, Warn, "names nobody but", "push.protect", func(r *rig) {
			r.push(func(p *config.Push) { p.Protect = []string{strings.ToUpper(emulator.IntegrationUsername)} })
		}},
		"an administrative profile that is not named": {orgPrivileged, Warn, `profile "System Administrator" has administrative permissions`, "push.privileged.profiles", func(r *rig) {
			r.assign(func(a *config.Assign) { a.Rules[0].Profile = emulator.AdminProfile })
		}},
		"an administrative permission set that is not named": {orgPrivileged, Warn, `permission set "Sales_Base" has administrative permissions`, "push.privileged.permissionSets", func(r *rig) {
			r.canned["FROM PermissionSet WHERE PermissionsModifyAllData = true"] = rows(`{"Name":"Sales_Base"}`)
		}},
		"permissions that are not shown": {orgPrivileged, Warn, "does not show what a profile permits", "View Setup", func(r *rig) {
			r.canned["FROM Profile WHERE PermissionsModifyAllData = true"] = `[{"message":"No such column 'PermissionsModifyAllData' on entity 'Profile'.","errorCode":"INVALID_FIELD"}]`
		}},
		"a profile that is written wrong": {orgNames, Fail, `no profile named "Standard Usr"`, `Did you mean "Standard User"`, func(r *rig) {
			r.assign(func(a *config.Assign) { a.Rules[0].Profile = "Standard Usr" })
		}},
		"a role that is not there": {orgNames, Fail, `no role named "Astronaut"`, "Make it in Salesforce", func(r *rig) {
			r.assign(func(a *config.Assign) { a.Rules[0].Role = "Astronaut" })
		}},
		"a permission set by its label": {orgNames, Fail, `named "Sales Base"`, `Did you mean "Sales_Base"`, func(r *rig) {
			r.assign(func(a *config.Assign) { a.Rules[0].Assignments["permissionSets"] = []string{"Sales Base"} })
		}},
		"a grant's group that is not there": {orgNames, Fail, `no public group or queue named "Sales_Tea"`, `Did you mean "Sales_Team"`, func(r *rig) {
			r.assign(func(a *config.Assign) {
				a.Grants = []config.Grant{{When: "true", Assignments: config.Assignments{"groups": {"Sales_Tea"}}}}
			})
		}},
		"a queue by its label": {orgNames, Fail, `no public group or queue named "Support Queue"`, `Did you mean "Support_Queue"`, func(r *rig) {
			r.assign(func(a *config.Assign) { a.Rules[0].Assignments["groups"] = []string{"Support Queue"} })
		}},
		"two roles of one name": {orgNames, Fail, `2 things are a role named "Sales Rep"`, "Rename", func(r *rig) {
			_, err := r.org.Create("UserRole", map[string]any{"Name": "Sales Rep"})
			r.must(err)
		}},
		"no seats left": {orgSeats, Warn, "all 1 seats are used", "tasks retry --cause licence", func(r *rig) {
			r.must(r.org.SetSeats(emulator.SalesforceLicense, 1))
		}},
		"few seats left": {orgSeats, Warn, "1 of 4 seats used, 3 left", "Buy seats", func(r *rig) {
			r.must(r.org.SetSeats(emulator.SalesforceLicense, 4))
		}},
		"few seats of a permission set licence": {orgSeats, Warn, "licence Sales User: 24 of 25 seats used, 1 left", "Buy seats", func(r *rig) {
			r.canned["SELECT LicenseId FROM PermissionSet"] = rows(`{"LicenseId":"0PL000000000001AAA"}`, `{"LicenseId":null}`)
			r.canned["FROM PermissionSetLicense"] = rows(`{"MasterLabel":"Sales User","TotalLicenses":25,"UsedLicenses":24}`)
		}},
		"a field that is written wrong": {orgFields, Fail, "no field Departmnt", `Did you mean "Department"`, func(r *rig) {
			r.assign(func(a *config.Assign) { a.Fields["Departmnt"] = "''" })
		}},
		"a field that is read-only": {orgFields, Fail, "Department is read-only", "field-level security", func(r *rig) {
			r.must(r.org.SetFieldAccess("User.Department", emulator.FieldReadOnly))
		}},
		"a field that is hidden": {orgFields, Fail, "no field Department", "field-level security", func(r *rig) {
			r.must(r.org.SetFieldAccess("User.Department", emulator.FieldHidden))
		}},
		"no external id field": {orgExternalID, Fail, "no field Rollcal_Key__c", `"Rollcall_Key__c"`, func(r *rig) {
			r.assign(func(a *config.Assign) { a.ExternalIDField = "Rollcal_Key__c" })
		}},
		"a field that is no external id": {orgExternalID, Fail, "is no external id", "External ID", func(r *rig) {
			r.anotherOrg(func(c *emulator.OrgConfig) { c.CustomFields[0].ExternalID = false })
		}},
		"an external id that is not unique": {orgExternalID, Warn, "is not unique", "ambiguous", func(r *rig) {
			r.anotherOrg(func(c *emulator.OrgConfig) { c.CustomFields[0].Unique = false })
		}},
	}
}

func TestEachFaultIsFoundByItsCheck(t *testing.T) {
	t.Parallel()
	tested := map[string]bool{}
	for _, table := range []map[string]planted{installationFaults(), inForceFaults(), holdFaults(), credentialFaults(), sessionFaults(), contentFaults()} {
		for name, c := range table {
			tested[c.check] = true
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				c.plant(r)
				rep := r.examine()
				r.found(rep, c)
				r.tight(rep)
				if n := r.sf.Counters().TokenRequests; n != 0 {
					t.Errorf("the token endpoint was asked %d times", n)
				}
			})
		}
	}
	for _, c := range Checks() {
		if !tested[c.Name] && !strings.HasPrefix(c.Name, "nats.") {
			t.Errorf("no fault is planted for %s", c.Name)
		}
	}
}

func (r *rig) found(rep Report, c planted) {
	r.Helper()
	for _, f := range rep.of(c.check) {
		if f.Level == c.level && strings.Contains(f.Message, c.message) && strings.Contains(f.Advice, c.advice) {
			if c.level.weight() > rep.Worst.weight() {
				r.Errorf("the worst is %s", rep.Worst)
			}
			return
		}
	}
	r.Errorf("not found; %s said:\n%+v", c.check, rep.of(c.check))
}

// tight fails if a finding holds a secret.
func (r *rig) tight(rep Report) {
	r.Helper()
	text, err := json.Marshal(rep)
	r.must(err)
	for _, canary := range []string{clientSecret, refreshToken, r.token} {
		if strings.Contains(string(text), canary) {
			r.Errorf("the report holds %s:\n%s", canary, text)
		}
	}
}
