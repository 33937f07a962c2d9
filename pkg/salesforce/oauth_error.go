package salesforce

import (
	"fmt"
	"strings"
)

// TokenClass says who can mend a refused token request. The list is closed.
type TokenClass uint8

// The token classes. The zero value is Transient: network and outage.
const (
	// TokenTransient: try again later, with growing delays.
	TokenTransient TokenClass = iota
	// TokenCredential: the credential is dead; an admin must authenticate again.
	// Repeating the request does harm (rotation, lock-out) and never helps.
	TokenCredential
	// TokenConfiguration: an admin must change the app, the org or this config.
	TokenConfiguration
	// TokenClientBug: the request was wrong.
	TokenClientBug
)

// String names the class in lower case.
func (c TokenClass) String() string {
	switch c {
	case TokenTransient:
		return "transient"
	case TokenCredential:
		return "credential"
	case TokenConfiguration:
		return "configuration"
	case TokenClientBug:
		return "client_bug"
	}
	return fmt.Sprintf("tokenclass(%d)", uint8(c))
}

// CodeNoSecret is the code of a client secret that cannot be read.
const CodeNoSecret = "NO_SECRET"

// TokenError is a refused or failed token request, classified.
type TokenError struct {
	// Code is the OAuth error ("invalid_grant"), or one of this package's.
	Code string
	// Description is Salesforce's text, word for word.
	Description string
	Status      int
	Class       TokenClass
	// Outcome: MaybeApplied means that a refresh token may be spent.
	Outcome Outcome

	advice string
	cause  error
}

// Error says what happened, without tokens or personal data.
func (e *TokenError) Error() string {
	text := fmt.Sprintf("salesforce oauth: %s (%s", redactCode(e.Code), e.Class)
	if e.Status != 0 {
		text += fmt.Sprintf(", HTTP %d", e.Status)
	}
	text += ")"
	if e.Description == "" {
		return text
	}
	switch {
	case e.Code == CodeOrgRefused: // names two orgs: no secret, and what the admin needs
		return text + ": " + e.Description
	case e.advice != "" || wordingKnown(e.Code) || e.Code == CodeNoSecret:
		return text + ": " + scrub(e.Description)
	}
	return text + ": " + withheld
}

// Unwrap returns the network, context or secret error beneath, if any.
func (e *TokenError) Unwrap() error { return e.cause }

// Advice says in an admin's words what to do about it.
func (e *TokenError) Advice() string {
	if e.advice != "" {
		return e.advice
	}
	switch e.Class {
	case TokenCredential:
		return "Authenticate with Salesforce again."
	case TokenConfiguration:
		return e.configurationAdvice()
	case TokenClientBug:
		return "This is a bug of the client: report it with the code and the description."
	case TokenTransient:
	}
	return "Nothing to do: the request is repeated by itself. If it lasts, look at status.salesforce.com and at the network."
}

func (e *TokenError) configurationAdvice() string {
	switch e.Code {
	case CodeOrgRefused:
		return "The login belongs to another org than the configured one: sign in to the right org, or correct the org id in the configuration."
	case CodeHostRefused:
		return "Salesforce named a host that is not on the list of allowed hosts: if it is yours, add its suffix to the configuration."
	case CodeRedirect:
		return "The login URL redirects elsewhere: set it to the org's My Domain URL."
	case CodeNoSecret:
		return "Put the client secret where the configuration says, readable for the service."
	}
	return "Check the connected app (or external client app) and its policies in Setup, and the client configuration."
}

// tokenRefusal is an answer of the token endpoint.
type tokenRefusal struct {
	status      int
	code        string
	description string
}

// classifyToken gives a refusal of the token endpoint its meaning. HTTP 400
// with an OAuth error is permanent until somebody acts, with two exceptions;
// 5xx, anything else than JSON, and the network are transient.
func classifyToken(r tokenRefusal) *TokenError {
	e := &TokenError{Code: r.code, Description: r.description, Status: r.status, Outcome: NotApplied}
	switch {
	case r.status >= 500:
		e.Class, e.Outcome = TokenTransient, MaybeApplied
	case r.code == "" && (r.status == 200 || r.status == 408 || r.status == 420):
		e.Class, e.Outcome = TokenTransient, MaybeApplied
	case r.code == "":
		e.Class = TokenTransient
	case r.code == "invalid_grant":
		e.Class, e.advice = classifyGrant(r.description)
	default:
		e.Class, e.advice = classifyTokenCode(r)
	}
	if r.code == "unknown_error" { // Salesforce's own trouble: a rotated token may be spent
		e.Outcome = MaybeApplied
	}
	if e.Code == "" {
		e.Code = CodeNotSalesforce
		e.Description = "the token endpoint did not answer with an OAuth error"
	}
	return e
}

// classifyGrant reads the description of invalid_grant, which is where the
// meaning is.
func classifyGrant(description string) (TokenClass, string) {
	text := strings.ToLower(description)
	has := func(s string) bool { return strings.Contains(text, s) }
	switch {
	case has("expired access/refresh token"): // [R restforce refresh_error_response.json; airbyte #80783]
		return TokenCredential, "The refresh token was revoked, expired, rotated out, or pushed out by a sixth login of the same user: authenticate with Salesforce again."
	case has("inactive user"): // [R restforce #303]
		return TokenCredential, "The integration user is deactivated: activate it in Setup, then authenticate again."
	case has("invalid assertion"): // [R frankkessler #68]
		return TokenCredential, "The JWT's signature does not fit: upload the certificate of the private key in use to the app."
	case has("authentication failure"): // [R forrest #146, jsforce #482]
		return TokenCredential, "Salesforce refused the login: check user, password and security token, that the flow is allowed, login hours and IP ranges; Login History in Setup names the reason."
	case has("expired authorization code"): // [R forrest #169; simple-salesforce #491]
		return TokenConfiguration, "The code was used or is too old: start the login again. With JWT: correct this machine's clock, and pre-authorise the user for the app."
	case has("user hasn't approved this consumer"): // [R forrest #278]
		return TokenConfiguration, "Pre-authorise the integration user: in the app's policies choose 'Admin approved users are pre-authorized' and assign the user's profile or permission set. If its username was changed, correct connect.username."
	case has("no client credentials user enabled"): // [R Sumo Logic docs]
		return TokenConfiguration, "Set a Run-As user in the app's client credentials policy."
	case has("request not supported on this domain"): // [R]
		return TokenConfiguration, "Client credentials work on the org's My Domain only: set the login URL to https://<your domain>.my.salesforce.com."
	case has("client credentials flow not enabled"): // [S]
		return TokenConfiguration, "Tick 'Enable Client Credentials Flow' in the app's settings."
	case has("no valid scopes"): // [S sf-skills]
		return TokenConfiguration, "Give the app the scope 'Manage user data via APIs (api)'."
	case has("audience is invalid"), has("audience validation failed"): // [R forcedotcom/cli #1640; D]
		return TokenConfiguration, "The JWT's audience must be https://login.salesforce.com, or https://test.salesforce.com for a sandbox."
	case has("ip restricted"): // [S]
		return TokenConfiguration, "Allow this service's IP address in the app's policy or the profile's login ranges."
	case has("activation secret invalid"): // [R restforce #826]
		return TokenConfiguration, "The org's activation of the app is broken: remove the app's activation in Setup and authenticate again."
	case has("code verifier"), has("code_verifier"), has("pkce"), has("code challenge"): // [D] a challenge was sent, no verifier came
		return TokenClientBug, "This is a bug of the client: the code verifier of the login was not sent."
	}
	// A description nobody knows: the safe reading stops, it does not loop.
	return TokenCredential, ""
}

// classifyTokenCode holds the other codes.
func classifyTokenCode(r tokenRefusal) (TokenClass, string) {
	switch r.code {
	case "invalid_client_id": // [R forrest #184; pozil #15]
		return TokenConfiguration, "Salesforce does not know the consumer key: check it; the app may be deleted, blocked or not installed (uninstalled connected apps are blocked), or was created less than ten minutes ago."
	case "invalid_client": // [R restforce #338]
		return TokenCredential, "The client secret is wrong or missing: take the app's current secret into the configuration."
	case "invalid_client_credentials": // [D iOS SDK, not witnessed]
		return TokenCredential, "Consumer key or secret are wrong: take the app's current ones into the configuration."
	case "redirect_uri_mismatch": // [R restphp_example #1]
		return TokenConfiguration, "Enter the callback URL in the app exactly as configured here; a new app needs about ten minutes."
	case "invalid_app_access", "OAUTH_APP_ACCESS_DENIED": // [R]; [S] on the authorize redirect
		return TokenConfiguration, "Assign the user's profile or permission set to the app: only admin approved users may use it."
	case "invalid_scope": // [S]
		return TokenConfiguration, "The app does not allow a scope that is asked for: add it to the app, or drop it here."
	case "access_denied": // [D/S]
		return TokenConfiguration, "The login was denied in the browser: start it again and press Allow."
	case "inactive_user": // [D iOS SDK constants]
		return TokenCredential, "The integration user is deactivated: activate it in Setup, then authenticate again."
	case "inactive_org": // [D iOS SDK constants]
		return TokenCredential, "The org is locked or closed: ask Salesforce."
	case "rate_limit_exceeded": // [D iOS SDK constants; R restforce #412]
		return TokenTransient, "Too many logins of this user (3,600 an hour): wait some minutes, and look for what else signs in as it."
	case "unknown_error": // [U] "retry your request"
		return TokenTransient, "Salesforce had a problem of its own; the request is repeated."
	case "unsupported_grant_type", "unsupported_response_type", "invalid_request": // [R sf-jwt-token #1]; [S]; [D]
		return TokenClientBug, "This is a bug of the client: report it with the code and the description."
	}
	if r.status == 429 || r.status == 420 {
		return TokenTransient, ""
	}
	return TokenConfiguration, ""
}
