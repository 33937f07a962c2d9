package config

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// File is the whole configuration file.
type File struct {
	// Deployment holds what all services of one installation share.
	Deployment Deployment `koanf:"deployment"`
	// Revision is any text. A configuration that was in force before, and comes
	// back, waits until the one that replaced it has been silent for 30 s; with
	// another revision it is a new one, and is in force at once.
	Revision string `koanf:"revision"`
	// NATS says where the streams are.
	NATS NATS `koanf:"nats"`
	// Serve says where metrics, health and readiness are served.
	Serve Serve `koanf:"serve"`
	// Log says what is logged.
	Log Log `koanf:"log"`
	// Sources are the systems that publish events, by the name in their subject.
	Sources map[string]Source `koanf:"sources"`
	// Authority lists the sources that decide who is employed, first first: the
	// first that has a person decides whether they are active, whatever others say,
	// and whoever all have removed that ever had them is gone. A source that is not
	// in the list adds attributes and groups, and creates and keeps nobody. One
	// single source is the authority; several without one, and without a precedence
	// for all attributes, do not start.
	Authority []string `koanf:"authority"`
	// Precedence says, for attributes that several sources speak of, which
	// source wins: attribute path ("title", "enterprise.department", "*" for
	// all others) to source names, first first.
	Precedence map[string][]string `koanf:"precedence"`
	// Orgs are the Salesforce orgs, by name (1-32 of a-z, 0-9, '-').
	Orgs map[string]Org `koanf:"orgs"`
	// Tokens says how tokens are sealed.
	Tokens Tokens `koanf:"tokens"`
	// Callback says where admins authenticate orgs of flow refresh_token.
	Callback Callback `koanf:"callback"`
}

// Deployment holds what all services of one installation share.
type Deployment struct {
	// KeyFile holds the deployment key, at least 32 random bytes: people are
	// named in subjects by an HMAC under it. `rollcall up` makes one if missing.
	KeyFile string `koanf:"keyFile"`
}

// NATS says where the streams are and who we are there.
type NATS struct {
	// URL of the server or servers, comma-separated. Default nats://127.0.0.1:4222.
	URL string `koanf:"url"`
	// NkeySeedFile holds the service's nkey seed, each service its own; empty for
	// no authentication.
	NkeySeedFile string `koanf:"nkeySeedFile"`
	// CAFile, CertFile and KeyFile are for TLS.
	CAFile   string `koanf:"caFile"`
	CertFile string `koanf:"certFile"`
	KeyFile  string `koanf:"keyFile"`
	// InboxPrefix keeps one service's replies from the others. Default
	// _INBOX_<service>, which is what the service's permissions name.
	InboxPrefix string `koanf:"inboxPrefix"`
	// Replicas of every stream: 1 on a single node, 3 in a cluster. Default 1.
	Replicas int `koanf:"replicas"`
	// Provision creates missing streams at the start, and changes settings of
	// those that are there where nothing is lost by it; where false, `rollcall
	// provision` does, and services may not. Default true.
	Provision bool `koanf:"provision"`
	// ConnectTimeout is how long the start waits for NATS. Default 10s.
	ConnectTimeout time.Duration `koanf:"connectTimeout"`
}

// Serve says where metrics, health and readiness are served.
type Serve struct {
	// Listen is host:port of /metrics, /healthz and /readyz; empty for none.
	// Default 127.0.0.1:9464.
	Listen string `koanf:"listen"`
}

// Log says what is logged.
type Log struct {
	// Level is debug, info, warn or error. Default info.
	Level string `koanf:"level"`
	// Format is text or json. Default json.
	Format string `koanf:"format"`
}

// Source is one upstream system.
type Source struct {
	// Correlate is the attribute whose value names the person across sources:
	// "enterprise.employeeNumber", "externalId", "userName", "custom.<name>",
	// "emails.primary". Required.
	Correlate string `koanf:"correlate"`
	// CorrelationID says in which ways the source writes one id, and what an id
	// looks like. People are kept, and expressions see correlation_id, in one
	// form, so every source of the same ids declares the same. Where nothing is
	// declared an id counts as it is written, and one in scientific notation
	// (4.56E+11) is rejected.
	CorrelationID CorrelationID `koanf:"correlationID"`
	// SourceVersion is the kind of sourceversion that every event of the source
	// carries: "none", "number" (a whole number) or "time" (RFC 3339). An event
	// of another kind, or without, is rejected. Default none.
	SourceVersion string `koanf:"sourceVersion"`
}

// CorrelationID says what the ids of a source look like. A change gives another
// key to everybody whose id is then kept in another form: see docs/events.md.
type CorrelationID struct {
	// Trim takes blanks off both ends. Default false.
	Trim bool `koanf:"trim"`
	// Case makes all letters "upper" or "lower", so that E100 and e100 are one.
	// Where nothing is said they count as they are written.
	Case string `koanf:"case"`
	// PadZeros is the width to which an id of digits only is filled up with zeros
	// from the left: with 5, 123 is 00123. 0 for not at all. Default 0.
	PadZeros int `koanf:"padZeros"`
	// Pattern is a regular expression (RE2) for the whole id, after all of the
	// above: "[0-9]{12}". An id that does not fit is rejected. Where it is set,
	// it alone decides, about scientific notation too.
	Pattern string `koanf:"pattern"`
}

// Regexp is the pattern compiled, for the whole of an id; nil where there is none.
func (c CorrelationID) Regexp() (*regexp.Regexp, error) {
	if c.Pattern == "" {
		return nil, nil //nolint:nilnil // no pattern is a way of working
	}
	// By itself first: a fault is to quote what was written, and no bracket of it
	// may close ours.
	if _, err := regexp.Compile(c.Pattern); err != nil {
		return nil, fmt.Errorf("is not a regular expression: %w", err)
	}
	return regexp.Compile(`\A(?:` + c.Pattern + `)\z`)
}

// Cases of letters.
const (
	CaseUpper = "upper"
	CaseLower = "lower"
)

// VersionKind is SourceVersion, or its default.
func (s Source) VersionKind() events.VersionKind {
	return events.VersionKind(cmp.Or(s.SourceVersion, string(events.VersionNone)))
}

// Org is one Salesforce org.
type Org struct {
	// Connect is read by token-refresher and salesforce-pusher.
	Connect Connect `koanf:"connect"`
	// Assign is read by assignment.
	Assign Assign `koanf:"assign"`
	// Gate is read by assignment.
	Gate Gate `koanf:"gate"`
	// Push is read by salesforce-pusher.
	Push Push `koanf:"push"`
}

// Gate says how much may be taken away in an org at once. What is more is held
// until an operator decides: see `rollcall hold`.
type Gate struct {
	// Limit is from how many people one cause (the configuration, a source, a
	// group) may take something within Window: whether they have a user; profile,
	// permission sets and groups; username and e-mail address; each counted apart.
	// Within LongWindow it is twice as many, and for all causes together twice that
	// of one. 0 holds whatever is taken, where Percent is 0 too. Default 10.
	Limit int `koanf:"limit"`
	// Percent is the same limit in per cent of those who were active in the org at
	// the window's start: the higher of the two counts. Default 5.
	Percent float64 `koanf:"percent"`
	// Window is over what time Limit and Percent are. Default 1h.
	Window time.Duration `koanf:"window"`
	// LongWindow is over what time a trickle is seen. Default 24h.
	LongWindow time.Duration `koanf:"longWindow"`
	// Urgent is how many people who are held an operator may let through one by one
	// within Window (`rollcall hold release --person`), without judging the hold.
	// Default 5.
	Urgent int `koanf:"urgent"`
	// Settle is how long something that a source published as one of many (with a
	// batch id and size, as `rollcall publish` does) may wait for the rest, so that
	// a burst that takes too much is held from the first person on. What comes alone
	// never waits. Default 10s.
	Settle time.Duration `koanf:"settle"`
	// Off lets everything through: an export that says everybody left is believed.
	// Default false.
	Off bool `koanf:"off"`
}

// Connect says how to sign in to an org.
type Connect struct {
	// LoginURL is the org's My Domain: https://example.my.salesforce.com. Required.
	LoginURL string `koanf:"loginURL"`
	// Flow is client_credentials or jwt_bearer (recommended), or refresh_token. Default client_credentials.
	Flow string `koanf:"flow"`
	// ClientID is the consumer key. Required.
	ClientID string `koanf:"clientID"`
	// ClientSecretFile holds the consumer secret. It is read again at every
	// use, so that it can be rotated without a restart.
	ClientSecretFile string `koanf:"clientSecretFile"`
	// ClientSecretEnv names a variable of the environment that holds the consumer
	// secret, instead of ClientSecretFile. A new value needs a restart.
	ClientSecretEnv string `koanf:"clientSecretEnv"`
	// RefreshTokenFile holds the first refresh token of flow refresh_token; empty
	// where an admin authenticates with `rollcall connect` or over HTTP.
	RefreshTokenFile string `koanf:"refreshTokenFile"`
	// RefreshTokenEnv names a variable that holds it, instead of RefreshTokenFile.
	RefreshTokenEnv string `koanf:"refreshTokenEnv"`
	// PrivateKeyFile holds the RSA key (PEM) whose certificate the app has, for
	// flow jwt_bearer. It is read again at every use.
	PrivateKeyFile string `koanf:"privateKeyFile"`
	// PrivateKeyEnv names a variable that holds it, instead of PrivateKeyFile. A
	// new value needs a restart.
	PrivateKeyEnv string `koanf:"privateKeyEnv"`
	// Username of the integration user, for flow jwt_bearer.
	Username string `koanf:"username"`
	// Audience of the assertion of flow jwt_bearer. Default https://login.salesforce.com,
	// and https://test.salesforce.com where loginURL is a sandbox's.
	Audience string `koanf:"audience"`
	// OrgID pins the org: a token for another one is refused. Optional.
	OrgID string `koanf:"orgID"`
	// SessionLifetime is the app's session timeout: a token is renewed when 80 to
	// 90 % of it have passed, before anybody finds it expired. 0 for never. Default 2h.
	SessionLifetime time.Duration `koanf:"sessionLifetime"`
	// RefreshIdleLimit is the app's "expire refresh token if not used for", for
	// flow refresh_token: the token is used before. 0 for no limit. Default 0.
	RefreshIdleLimit time.Duration `koanf:"refreshIdleLimit"`
	// APIVersion of the REST API. Default 63.0.
	APIVersion string `koanf:"apiVersion"`
	// HostSuffixes the login host and the instance may have, each with a leading
	// dot, or the host of loginURL itself. Default Salesforce's own.
	HostSuffixes []string `koanf:"hostSuffixes"`
	// CAFile holds certificate authorities (PEM) that the org's hosts may show
	// beside the public ones: a proxy's that inspects TLS, or an emulator's.
	CAFile string `koanf:"caFile"`
	// AllowLoopbackHTTP lets an emulator on loopback be used without TLS.
	AllowLoopbackHTTP bool `koanf:"allowLoopbackHTTP"`
}

// Assign says who gets a user in an org, and what that user is.
type Assign struct {
	// Rules are tried in order; the first whose When is true decides. Nobody
	// matching means: no user, and one that Rollcall manages is deactivated.
	Rules []Rule `koanf:"rules"`
	// Fields are Salesforce User fields, each a CEL expression over person,
	// groups and rule. A null result clears the field.
	Fields map[string]string `koanf:"fields"`
	// Grants add assignments for everybody whose When is true.
	Grants []Grant `koanf:"grants"`
	// Match says in which order an existing user is recognised: federation_id,
	// username, email, external_id. Default federation_id, username.
	Match []string `koanf:"match"`
	// ExternalIDField is the custom field matched by external_id.
	ExternalIDField string `koanf:"externalIDField"`
}

// FieldNames are all User fields that are set for anybody, sorted.
func (a Assign) FieldNames() []string {
	names := map[string]bool{}
	for name := range a.Fields {
		names[name] = true
	}
	for _, r := range a.Rules {
		for name := range r.Fields {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// Rule gives a person a user in the org.
type Rule struct {
	// Name is shown to operators. Required, unique within the org.
	Name string `koanf:"name"`
	// When is a CEL expression that yields a bool; the groups it sees are named
	// source/name: "directory/Leads" in groups. Required.
	When string `koanf:"when"`
	// Profile and Role are names in the org. Profile is required.
	Profile string `koanf:"profile"`
	Role    string `koanf:"role"`
	// Assignments are what is given, a key for each kind.
	Assignments Assignments `koanf:",remain"`
	// Fields override the org's fields for people of this rule.
	Fields map[string]string `koanf:"fields"`
}

// Grant gives more on top of the rule.
type Grant struct {
	// When is a CEL expression that yields a bool. Required.
	When string `koanf:"when"`
	// Assignments are what is given, a key for each kind. At least one is required.
	Assignments Assignments `koanf:",remain"`
}

// Assignments are names by the key of their kind; see [events.AssignmentKinds].
type Assignments map[string][]string

func (a Assignments) empty() bool {
	for _, names := range a {
		if len(names) > 0 {
			return false
		}
	}
	return true
}

// Push says what the pusher may do in an org, and how fast.
type Push struct {
	// Create, Update and Deactivate may each be switched off; people are then
	// parked under the cause that says so. Default true.
	Create     bool `koanf:"create"`
	Update     bool `koanf:"update"`
	Deactivate bool `koanf:"deactivate"`
	// FreezeFirst freezes a leaver before deactivating. Default false.
	FreezeFirst bool `koanf:"freezeFirst"`
	// AdoptByEmail lets an existing user be recognised by e-mail alone. Default false.
	AdoptByEmail bool `koanf:"adoptByEmail"`
	// Protect are usernames that are never touched. The integration user, as whom
	// Rollcall signs in, is never touched either; name your administrators here.
	Protect []string `koanf:"protect"`
	// Privileged is what may make an administrator of somebody.
	Privileged Privileged `koanf:"privileged"`
	// CallTimeout bounds one API call. Default 20s.
	CallTimeout time.Duration `koanf:"callTimeout"`
	// ClaimTTL is how long a worker may hold a person; a dead worker's people
	// wait that long. It must be longer than CallTimeout. Default 30s.
	ClaimTTL time.Duration `koanf:"claimTTL"`
	// Linger is how long backfill work is gathered into one batch. Default 50ms.
	Linger time.Duration `koanf:"linger"`
	// BulkAbove is how much has to wait in the backfill lane for new users to be
	// made by the Bulk API 2.0, thousands in a handful of calls, and not in
	// batches of 200. 0 for never. Default 5000.
	BulkAbove int `koanf:"bulkAbove"`
	// Check says how what Salesforce has is read.
	Check Check `koanf:"check"`
}

// What is done about what somebody changed in Salesforce by hand.
const (
	DriftRepair = "repair"
	DriftReport = "report"
	DriftAccept = "accept"
)

// DriftModes are all there are.
func DriftModes() []string { return []string{DriftRepair, DriftReport, DriftAccept} }

// Check says how it is found out what was changed in Salesforce without Rollcall,
// and what is done about it. A leaver whose user is active is always put right, and
// a user whom somebody froze is always reported and never let in.
type Check struct {
	// Interval is from one reading of the org to the next: one API call each, whatever
	// was changed. 0 for never: then nobody notices. Default 5m.
	Interval time.Duration `koanf:"interval"`
	// Page is how many people each reading compares whole, in turn. What was taken
	// away by hand leaves no trace in Salesforce and is found only so: within people /
	// page × interval, 8 hours for 20,000 people. Default 200.
	Page int `koanf:"page"`
	// Deactivated says what to do about somebody whose user was deactivated by hand:
	// repair, report or accept. Default repair.
	Deactivated string `koanf:"deactivated"`
	// Fields says it of fields that were given other values. Default repair.
	Fields string `koanf:"fields"`
	// Taken says it of permission sets and the like that were taken away. Default repair.
	Taken string `koanf:"taken"`
	// Given says it of those that were given and that rules do not give: repair takes
	// them away, of whomever Rollcall manages. Default report.
	Given string `koanf:"given"`
}

// Privileged names profiles and permission sets with administrative permissions. Rollcall
// reads from Salesforce what each permits: Modify All Data, Manage Users, Manage Internal
// Users, Assign Permission Sets, Manage Profiles and Permission Sets, Customize
// Application, Author Apex, Modify Metadata and Reset User Passwords are administrative,
// and so is whatever cannot be read. What has one of them and is not named here is given to
// nobody; whoever should get it is parked (cause privileged).
type Privileged struct {
	// Profiles are names of profiles.
	Profiles []string `koanf:"profiles"`
	// PermissionSets are API names of permission sets and of permission set groups.
	PermissionSets []string `koanf:"permissionSets"`
	// Ask parks everybody who is to get one of them (cause approval) until an admin says
	// yes (`rollcall person allow`). False lets rules and events make administrators of as
	// many people as they name. Default true.
	Ask bool `koanf:"ask"`
}

// Who may begin a login over HTTP.
const (
	AccessLink = "link"
	AccessOpen = "open"
)

// Callback says where admins authenticate orgs of flow refresh_token: in their
// browser at /connect/{org} of token-refresher, or with `rollcall connect`.
type Callback struct {
	// Listen is host:port where token-refresher serves /connect/{org}; empty for
	// not at all.
	Listen string `koanf:"listen"`
	// Access says who may begin a login there: link, who has a link that
	// `rollcall connect ORG --link` made and that works once, or open, whoever
	// reaches it, where something in front lets only admins in. Default link.
	Access string `koanf:"access"`
	// URL is the app's callback URL, as browsers reach token-refresher:
	// https://rollcall.example.com/oauth/callback. Required with Listen.
	URL string `koanf:"url"`
	// LoopbackURL is the app's callback URL for `rollcall connect`, which listens
	// on its port. Default http://localhost:8080/oauth/callback.
	LoopbackURL string `koanf:"loopbackURL"`
}

// Tokens says how tokens are sealed.
type Tokens struct {
	// KeyFile holds the tink keyset (AES-256-GCM). `rollcall up` makes one if missing.
	KeyFile string `koanf:"keyFile"`
}
