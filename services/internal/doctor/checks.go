package doctor

// Check is one thing that is looked at.
type Check struct {
	// Name as findings have it. Those that begin with "org." are done per org.
	Name string
	// Looks says at what it looks and what is well.
	Looks string
	// Warns and Fails say when it does.
	Warns, Fails string
}

// Names of the checks.
const (
	natsReachable = "nats.reachable"
	natsStreams   = "nats.streams"
	natsSync      = "nats.sync"
	natsDisk      = "nats.disk"
	natsClock     = "nats.clock"

	workPaused = "work.paused"

	configFile        = "config.file"
	configExpressions = "config.expressions"
	configKeys        = "config.keys"
	configInForce     = "config.in-force"

	orgLogin        = "org.login"
	orgSecrets      = "org.secrets"
	orgToken        = "org.token"
	orgHealth       = "org.health"
	orgHolds        = "org.holds"
	orgScopes       = "org.scopes"
	orgRefreshToken = "org.refresh-token" //nolint:gosec // the name of a check
	orgSession      = "org.session"
	orgIdentity     = "org.identity"
	orgClock        = "org.clock"
	orgAPIVersion   = "org.api-version"
	orgAPIUse       = "org.api-use"
	orgUser         = "org.user"
	orgPassword     = "org.password"
	orgPermissions  = "org.permissions"
	orgProtected    = "org.protected"
	orgPrivileged   = "org.privileged"
	orgNames        = "org.names"
	orgSeats        = "org.seats"
	orgFields       = "org.fields"
	orgExternalID   = "org.external-id"
)

// Checks are all checks, in the order of a report.
func Checks() []Check {
	return append(installationChecks(), append(credentialChecks(), contentChecks()...)...)
}

func installationChecks() []Check {
	return []Check{
		{configFile, "the configuration file is read, and its keys and values are known and allowed", "", "a key or value is wrong; each is named"},
		{configExpressions, "every expression of rules, grants and fields compiles, and sources, authority and precedence fit",
			"there are several sources and no `authority`: precedence stands for it", "one does not; its place is named"},
		{configKeys, "`deployment.keyFile` and `tokens.keyFile` can be read here and hold what they should; skipped where one is not set and the configuration names no org, as an operator's",
			"one cannot be read here, which is as it should be on a machine that runs no service", "one holds something else"},
		{natsReachable, "NATS answers", "its certificate ends within 30 days", "nobody answers, or the login is refused; the checks that need it are skipped"},
		{natsStreams, "streams and consumers are there, with the settings on which Rollcall's promises rest", "a setting is another one than this version makes, and no promise rests on it", "one is missing or has another setting"},
		{natsSync, "every write is on the disk before it is acknowledged (`sync_interval: always`); skipped where the account may not ask the server", "",
			"writes are synced at intervals only: a power failure loses acknowledged changes"},
		{natsDisk, "how much of the disk that NATS may use is used; skipped where the account may not ask", "80 % are used", "95 % are used"},
		{natsClock, "this machine's clock and the server's agree", "they differ by more than 2 s", "they differ by more than 30 s"},
		{configInForce, "the configuration here is the one that assignment works with, and all its replicas have it; skipped where assignment has never run, or the configuration names no org",
			"it is another one, a replica has another one and stands by, a replica refused a changed file, or no replica was heard of for 30 s", ""},
		{workPaused, "no org, lane or source is paused; skipped where the account may not read it", "one is; who paused it, when and why", "one is for longer than four hours"},
	}
}

func credentialChecks() []Check {
	return []Check{
		{orgLogin, "`connect.loginURL`, the flow and the JWT's audience fit together", "a login host where My Domain is better",
			"they cannot work together: client credentials on a login or test host, say"},
		{orgSecrets, "the client secret, refresh token or private key can be read here", "one cannot be read here", "a private key is not one"},
		{orgToken, "token-refresher has a token for the org, and it can be opened", "a new one is being asked for", "the org is held, or nobody has signed in yet; Salesforce's words and what to do"},
		{orgHealth, "salesforce-pusher works on the org", "", "the org is held, why, and what to do"},
		{orgHolds, "nothing is held until an operator decides, and too much would be", "changes wait for an operator, or `gate.off` is set", "the counter of what is taken away cannot be read: whatever takes something waits"},
		{orgScopes, "the scopes granted allow the API and, for flow refresh_token, refreshing; skipped where Salesforce did not name them", "", "one is missing"},
		{orgRefreshToken, "a refresh token is kept and used in time, as far as can be seen: its policy stands in Setup only",
			"it was not used for nearly as long as `connect.refreshIdleLimit`", "none is kept: the org is disconnected when the session ends"},
		{orgSession, "Salesforce accepts the session, and it is for the org in `connect.orgID`", "it does not say whose the session is", "it does not, and why: expired password, API disabled, session refused, another org"},
		{orgIdentity, "which org it is, and that it is a sandbox only where loginURL says so", "loginURL and the org disagree about being a sandbox", ""},
		{orgClock, "this machine's clock and Salesforce's agree", "they differ by more than 5 s", "they differ by more than 60 s: a JWT may be refused"},
	}
}

func contentChecks() []Check {
	return []Check{
		{orgAPIVersion, "the org serves `connect.apiVersion`", "it is more than four years behind the newest: Salesforce retires such versions", "it is not served"},
		{orgAPIUse, "how much of the daily API calls is used, by everybody", "80 % are used", "95 % are used"},
		{orgUser, "the integration user is active and not frozen", "", "it is not"},
		{orgPassword, "its password is not locked and does not expire, as far as can be seen", "it expires within two weeks", "it is expired or locked"},
		{orgPermissions, "it has API Enabled, Manage Users and Assign Permission Sets", "View Setup is missing: limits cannot be read", "one is missing"},
		{orgProtected, "`push.protect` names others than the integration user, whom Rollcall never touches", "it names nobody else", ""},
		{orgPrivileged, "what rules and grants give has no administrative permissions, or `push.privileged` names it", "something has and is not named, or cannot be read: whoever should get it is parked", ""},
		{orgNames, "everything that the configuration names is there, once: profiles, roles, and each kind of assignment", "",
			"one is missing, or there are two; names like it are shown"},
		{orgSeats, "seats of the licences that the named profiles and permission sets need", "fewer than 5 % or 5 seats are left, or none", ""},
		{orgFields, "the User fields that the configuration writes are there and writable for the integration user", "", "one is missing, hidden or read-only"},
		{orgExternalID, "`assign.externalIDField` is there, unique, and an external id; skipped where people are not matched by it", "it is not unique", "it is missing or no external id"},
	}
}
