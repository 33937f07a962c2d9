package salesforce_test

import (
	"errors"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

type meaning struct {
	class salesforce.Class
	kind  salesforce.Kind
}

// meanings says what the client makes of every refusal that the emulator can
// be told to give. One that is missing fails the test.
func meanings() map[emulator.Effect]meaning {
	return map[emulator.Effect]meaning{
		"session_not_for_rest":           {salesforce.Misconfigured, salesforce.KindAPIAccess},
		"app_not_attached_to_agent":      {salesforce.Misconfigured, salesforce.KindAPIAccess},
		"invalid_auth_header":            {salesforce.Programming, salesforce.KindNone},
		"api_disabled_for_org":           {salesforce.Misconfigured, salesforce.KindAPIAccess},
		"restapinotenabled":              {salesforce.Misconfigured, salesforce.KindAPIAccess},
		"api_currently_disabled":         {salesforce.Misconfigured, salesforce.KindAPIAccess},
		"functionality_not_enabled":      {salesforce.Misconfigured, salesforce.KindAPIAccess},
		"expired_password":               {salesforce.Credentials, salesforce.KindNone},
		"url_not_reset":                  {salesforce.Misconfigured, salesforce.KindAPIAccess},
		"long_transaction_limit":         {salesforce.Throttled, salesforce.KindConcurrentLimit},
		"long_transaction_limit_unknown": {salesforce.Throttled, salesforce.KindConcurrentLimit},
		"gack_negative":                  {salesforce.Unknown, salesforce.KindNone},
		"internal_error":                 {salesforce.Unknown, salesforce.KindNone},
		"server_unavailable":             {salesforce.Unavailable, salesforce.KindNone},
		"txn_security_metering_error":    {salesforce.Timeout, salesforce.KindNone},
		"query_timeout":                  {salesforce.Timeout, salesforce.KindNone},
		"invalid_query_locator":          {salesforce.Timeout, salesforce.KindCursor},
		"unrecognized_field":             {salesforce.Programming, salesforce.KindNone},

		"insufficient_access":                           {salesforce.Forbidden, salesforce.KindNone},
		"insufficient_access_or_readonly":               {salesforce.Forbidden, salesforce.KindNone},
		"insufficient_access_on_cross_reference_entity": {salesforce.Forbidden, salesforce.KindNone},
		"invalid_field":                                 {salesforce.Misconfigured, salesforce.KindSchema},
		"invalid_field_for_insert_update":               {salesforce.Forbidden, salesforce.KindNone},
		"duplicates_detected":                           {salesforce.Duplicate, salesforce.KindOther},
		"license_limit_exceeded":                        {salesforce.Licence, salesforce.KindNone},
		"license_limit_exceeded_named":                  {salesforce.Licence, salesforce.KindNone},
		"license_without_permission":                    {salesforce.Misconfigured, salesforce.KindLicenceMismatch},
		"profile_of_another_license":                    {salesforce.Misconfigured, salesforce.KindLicenceMismatch},
		"inactive_owner_or_user":                        {salesforce.Invalid, salesforce.KindNone},
		"portal_owner_without_role":                     {salesforce.Misconfigured, salesforce.KindOrgRule},
		"portal_user_already_exists_for_contact":        {salesforce.Duplicate, salesforce.KindOther},
		"portal_profile_setting":                        {salesforce.Misconfigured, salesforce.KindOrgRule},
		"hierarchy_field":                               {salesforce.Invalid, salesforce.KindNone},
		"cannot_disable_last_admin":                     {salesforce.Forbidden, salesforce.KindNone},
		"validation_rule":                               {salesforce.Misconfigured, salesforce.KindOrgRule},
		"flow_failed":                                   {salesforce.Misconfigured, salesforce.KindOrgRule},
		"trigger_failed":                                {salesforce.Misconfigured, salesforce.KindOrgRule},
		"txn_security_no_access":                        {salesforce.Forbidden, salesforce.KindNone},
		"txn_security_two_fa_required":                  {salesforce.Forbidden, salesforce.KindNone},
		"txn_security_end_a_session":                    {salesforce.Forbidden, salesforce.KindNone},
		"read_only_mode":                                {salesforce.Unavailable, salesforce.KindNone},
		"entity_is_locked":                              {salesforce.Misconfigured, salesforce.KindOrgRule},
	}
}

// Every refusal of the emulator, through the client, over HTTP: alone and in a
// collection, where one bad record leaves the others alone.
func TestEveryRefusalHasAMeaning(t *testing.T) {
	t.Parallel()
	for _, p := range emulator.Presets() {
		if p.Scope == emulator.ScopeToken {
			continue
		}
		t.Run(string(p.Name), func(t *testing.T) {
			t.Parallel()
			want, known := meanings()[p.Name]
			if !known {
				t.Fatalf("what does the client make of %s?", p.Name)
			}
			r := newOrgRig(t)
			ada, grace := r.person(t, "ada"), r.person(t, "grace")
			if _, err := r.server.Plan(emulator.Fault{Effect: p.Name, Field: "Username", Value: "ada@people.example"}); err != nil {
				t.Fatal(err)
			}
			_, single := r.client.Create(t.Context(), "User", ada)
			wantMeaning(t, single, want)
			results, err := r.client.CreateRecords(t.Context(), "User", []salesforce.Record{ada, grace})
			if p.Scope == emulator.ScopeCall {
				wantMeaning(t, err, want)
				return
			}
			if err != nil || len(results) != 2 || results[1].Err() != nil {
				t.Fatal(results, err)
			}
			wantMeaning(t, results[0].Err(), want)
		})
	}
}

func wantMeaning(t *testing.T, err error, want meaning) {
	t.Helper()
	var e *salesforce.Error
	if !errors.As(err, &e) || e.Class != want.class || e.Kind != want.kind {
		t.Errorf("%v, want %v/%v", err, want.class, want.kind)
	}
}

// Every refusal of the token endpoint says who can mend it, and how.
func TestEveryTokenRefusalHasAMeaning(t *testing.T) {
	t.Parallel()
	want := map[emulator.Effect]salesforce.TokenClass{
		"token_expired": salesforce.TokenCredential, "token_code_expired": salesforce.TokenConfiguration,
		"token_authentication_failure": salesforce.TokenCredential, "token_invalid_password": salesforce.TokenCredential,
		"token_inactive_user": salesforce.TokenCredential, "token_not_approved": salesforce.TokenConfiguration,
		"token_not_admin_approved": salesforce.TokenConfiguration, "token_no_run_as_user": salesforce.TokenConfiguration,
		"token_wrong_domain": salesforce.TokenConfiguration, "token_flow_not_enabled": salesforce.TokenConfiguration,
		"token_no_scopes": salesforce.TokenConfiguration, "token_invalid_assertion": salesforce.TokenCredential,
		"token_invalid_audience": salesforce.TokenConfiguration, "token_ip_restricted": salesforce.TokenConfiguration,
		"token_activation_secret": salesforce.TokenConfiguration, "token_unknown_client": salesforce.TokenConfiguration,
		"token_wrong_secret": salesforce.TokenCredential, "token_redirect_uri_mismatch": salesforce.TokenConfiguration,
		"token_unsupported_grant_type": salesforce.TokenClientBug, "token_invalid_scope": salesforce.TokenConfiguration,
		"token_inactive_org": salesforce.TokenCredential, "token_rate_limit_exceeded": salesforce.TokenTransient,
		"token_unknown_error": salesforce.TokenTransient,
	}
	for _, p := range emulator.Presets() {
		if p.Scope != emulator.ScopeToken {
			continue
		}
		t.Run(string(p.Name), func(t *testing.T) {
			t.Parallel()
			class, known := want[p.Name]
			if !known {
				t.Fatalf("what does the client make of %s?", p.Name)
			}
			r := newOrgRig(t)
			if _, err := r.server.Plan(emulator.Fault{Effect: p.Name}); err != nil {
				t.Fatal(err)
			}
			oauth, err := salesforce.NewOAuth(salesforce.OAuthConfig{
				LoginURL: r.web.URL, ClientID: "consumer", ClientSecret: func() (string, error) { return "secret", nil }, AllowLoopbackHTTP: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = oauth.ClientCredentials(t.Context())
			var e *salesforce.TokenError
			if !errors.As(err, &e) || e.Class != class || e.Code != p.Code || e.Description != p.Message || e.Advice() == "" {
				t.Errorf("%v, want %v", err, class)
			}
		})
	}
}

// A 201 whose body says failure is a failure; a page in place of JSON is a
// session that is gone.
func TestAnswersThatLookLikeOthers(t *testing.T) {
	t.Parallel()
	r := newOrgRig(t)
	ada := r.person(t, "ada")
	plan := func(effect emulator.Effect) {
		if _, err := r.server.Plan(emulator.Fault{Effect: effect, Operation: "sobject.create", Times: 1}); err != nil {
			t.Fatal(err)
		}
	}
	plan(emulator.EffectFalseSuccess)
	result, err := r.client.Create(t.Context(), "User", ada)
	if err == nil {
		err = result.Err()
	}
	wantMeaning(t, err, meaning{salesforce.Reference, salesforce.KindNone})
	plan(emulator.EffectOAuthHTML)
	if _, err := r.client.Create(t.Context(), "User", ada); err != nil {
		t.Errorf("the session was not renewed: %v", err)
	}
}
