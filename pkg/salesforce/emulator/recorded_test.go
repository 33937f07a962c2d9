package emulator_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/shapetest"
)

// fact is one recorded answer: the section of the facts it stands in, where it
// was recorded, how to provoke it, and what comes back.
type fact struct {
	section string
	source  string
	ask     func(r *rig) answer
	status  int
	want    string // a pattern of shapetest.Like; empty: an empty body
}

// name is how testdata/recorded.txt calls the fact.
func (f fact) name() string { return f.section + ": " + f.source }

func facts() []fact {
	return slices.Concat(oauthFacts(), restFacts(), compositeFacts(), userFacts(), sessionFacts(), recordFacts())
}

// TestRecorded holds the emulator to every recorded answer, one by one. Those
// that take more than one question are beside it: TestRecorded... in
// golden_test.go and composite_test.go, and the job in bulk_test.go.
func TestRecorded(t *testing.T) {
	t.Parallel()
	for _, f := range facts() {
		t.Run(f.name(), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(cfg *emulator.OrgConfig) {
				cfg.Clients[0].Scopes = append(cfg.Clients[0].Scopes, "sfap_api")
				cfg.CustomFields = append(cfg.CustomFields, emulator.CustomField{Name: "Desk__c", ExternalID: true})
			})
			got := f.ask(r)
			got.is(t, f.status)
			if f.want == "" {
				if got.body != "" {
					t.Fatalf("body %q, want none", got.body)
				}
				return
			}
			if err := shapetest.Like(got.body, f.want); err != nil {
				t.Fatalf("%v\nbody %s", err, got.body)
			}
		})
	}
}

// call asks once.
func call(method, path, body string) func(*rig) answer {
	return func(r *rig) answer { return r.do(method, version+path, body) }
}

func soql(q string) func(*rig) answer {
	return func(r *rig) answer { return r.query(q) }
}

// plans makes the effect strike the creation of a user.
func plans(effect emulator.Effect) func(*rig) answer {
	return func(r *rig) answer {
		r.plan(emulator.Fault{Effect: effect, Times: 1})
		return r.do("POST", version+"/sobjects/User", r.person("ada"))
	}
}

// refusesToken makes the effect strike the token endpoint.
func refusesToken(effect emulator.Effect) func(*rig) answer {
	return func(r *rig) answer {
		r.plan(emulator.Fault{Effect: effect, Operation: "token", Times: 1})
		return r.signIn()
	}
}

func (r *rig) signIn() answer {
	r.t.Helper()
	return r.form(tokenPath, "grant_type", "client_credentials", "client_id", clientID, "client_secret", clientSecret)
}

// made asks for a new user with other values.
func made(pairs ...string) func(*rig) answer {
	return func(r *rig) answer { return r.do("POST", version+"/sobjects/User", r.person("ada", pairs...)) }
}

// platform is the pattern of an error without a list of fields.
func platform(code, message string) string {
	return `[{"message":` + quoted(message) + `,"errorCode":"` + code + `"}]`
}

// onRecord is the pattern of an error with a list of fields.
func onRecord(code, message string, fields ...string) string {
	list := ""
	if len(fields) > 0 {
		list = `"` + strings.Join(fields, `","`) + `"`
	}
	return `[{"message":` + quoted(message) + `,"errorCode":"` + code + `","fields":[` + list + `]}]`
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

func refused(code, description string) string {
	return `{"error":"` + code + `","error_description":` + quoted(description) + `}`
}

// exchanged walks the web server flow and gives the token answer.
func exchanged(r *rig) answer { return r.exchange(r.code("allow").Get("code")) }

// onLoginHost makes the org answer as login.salesforce.com.
func onLoginHost(ask func(r *rig) answer) func(*rig) answer {
	return func(r *rig) answer {
		other := newRig(r.t, func(cfg *emulator.OrgConfig) {
			cfg.Kind, cfg.InstanceURL = emulator.LoginHost, "http://acme.my.salesforce.test"
		})
		return ask(other)
	}
}

// introspected asks about the token itself.
func introspected(r *rig) answer {
	token := r.signIn().object(r.t)["access_token"].(string)
	return r.form("/services/oauth2/introspect", "token", token, "client_id", clientID, "client_secret", clientSecret)
}

func identity(r *rig) answer {
	tokens := r.signIn().object(r.t)
	r.token = tokens["access_token"].(string)
	return r.do("GET", strings.TrimPrefix(tokens["id"].(string), r.web.URL), "")
}

func deadIdentity(r *rig) answer {
	tokens := r.signIn().object(r.t)
	r.token = "dead"
	a := r.do("GET", strings.TrimPrefix(tokens["id"].(string), r.web.URL), "")
	a.body = quoted(a.body) // a bare word, no JSON
	return a
}

func reused(r *rig) answer {
	code := r.code("allow").Get("code")
	r.exchange(code)
	return r.exchange(code)
}

func mismatched(r *rig) answer {
	return r.exchange(r.code("allow").Get("code"), "redirect_uri", callback+"/")
}

// withApp asks for a token of an app that was changed.
func withApp(change func(app *emulator.ConnectedApp)) func(*rig) answer {
	return func(r *rig) answer {
		if err := r.org.UpdateApp(clientID, change); err != nil {
			r.t.Fatal(err)
		}
		return r.signIn()
	}
}

func oauthFacts() []fact {
	token := func(pairs ...string) func(*rig) answer {
		return func(r *rig) answer {
			return r.form(tokenPath, append([]string{"client_id", clientID, "client_secret", clientSecret}, pairs...)...)
		}
	}
	return []fact{
		{"1.1 discovery", "official Postman", func(r *rig) answer { return r.do("GET", "/.well-known/openid-configuration", "") }, 200,
			`{"response_types_supported":["code","token","token id_token"],"token_endpoint_auth_methods_supported":["client_secret_post","client_secret_basic","private_key_jwt"],
			"id_token_signing_alg_values_supported":["RS256"],"token_endpoint":"<text>/services/oauth2/token","jwks_uri":"<text>/id/keys","...":null}`},
		{"1.1 login host", "several issues", onLoginHost((*rig).signIn), 400, refused("invalid_grant", "request not supported on this domain")},
		{"1.2 code", "apache-oltu demo #11", exchanged, 200, `{"access_token":"<text>!AQ<text>","refresh_token":"5Aep861<text>","signature":"<text>=","scope":"<text>","id_token":"<text>.<text>.<text>",
			"instance_url":"http<text>","id":"<text>/id/<id>/<id>","token_type":"Bearer","issued_at":"<text>","api_instance_url":"https://api.salesforce.com"}`},
		{"1.2 refresh", "restforce refresh_success_response.json", func(r *rig) answer { return r.refresh(exchanged(r).object(r.t)["refresh_token"].(string)) }, 200,
			`{"id":"<text>/id/<id>/<id>","issued_at":"<text>","instance_url":"http<text>","signature":"<text>=","access_token":"<text>!<text>","scope":"<text>","token_type":"Bearer","?api_instance_url":"<text>"}`},
		{"1.2 client credentials", "recorded", (*rig).signIn, 200, `{"access_token":"<text>!<text>","scope":"<text>","instance_url":"http<text>","api_instance_url":"https://api.salesforce.com","token_type":"Bearer",
			"?signature":"<text>","?id":"<text>","?issued_at":"<text>"}`},
		{"1.4", "restforce refresh_error_response.json", token("grant_type", "refresh_token", "refresh_token", "5Aep861no"), 400, refused("invalid_grant", "expired access/refresh token")},
		{"1.4", "forrest #169", reused, 400, refused("invalid_grant", "expired authorization code")},
		{"1.4", "forrest #146", token("grant_type", "password"), 400, refused("invalid_grant", "authentication failure")},
		{"1.4", "restforce auth_error_response.json", refusesToken("token_invalid_password"), 400, refused("invalid_grant", "authentication failure - Invalid Password")},
		{"1.4", "restforce #303", func(r *rig) answer {
			if err := r.org.DisableUser(emulator.IntegrationUsername); err != nil {
				r.t.Fatal(err)
			}
			return r.signIn()
		}, 400, refused("invalid_grant", "inactive user")},
		{"1.4", "restforce #278", refusesToken("token_not_approved"), 400, refused("invalid_grant", "user hasn't approved this consumer")},
		{"1.4", "invalid_app_access", withApp(func(app *emulator.ConnectedApp) { app.PreAuthorized = []string{} }), 400, refused("invalid_app_access", "user is not admin approved to access this app")},
		{"1.4", "Sumo Logic docs", withApp(func(app *emulator.ConnectedApp) { app.RunAsUsername = "" }), 400, refused("invalid_grant", "no client credentials user enabled")},
		{"1.4", "frankkessler #68", token("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion", "x"), 400, refused("invalid_grant", "invalid assertion")},
		{"1.4", "forcedotcom cli #1640", refusesToken("token_invalid_audience"), 400, refused("invalid_grant", "audience is invalid")},
		{"1.4", "restforce #826", refusesToken("token_activation_secret"), 400, refused("invalid_grant", "activation secret invalid")},
		{"1.4", "forrest #184", withApp(func(app *emulator.ConnectedApp) { app.Disabled = true }), 400, refused("invalid_client_id", "client identifier invalid")},
		{"1.4", "restforce #338", token("grant_type", "refresh_token", "client_secret", "y"), 400, refused("invalid_client", "invalid client credentials")},
		{"1.4", "restphp_example #1", mismatched, 400, refused("redirect_uri_mismatch", "redirect_uri must match configuration")},
		{"1.4", "sf-jwt-token #1", token("grant_type", "x"), 400, refused("unsupported_grant_type", "grant type not supported")},
		{"1.4 maintenance", "restforcephp #22", func(r *rig) answer {
			a := refusesToken(emulator.EffectUnavailable)(r)
			if kind := a.header.Get("Content-Type"); !strings.HasPrefix(kind, "text/html") {
				r.t.Errorf("content type %q", kind)
			}
			a.body = quoted(a.body) // a page, no JSON
			return a
		}, 503, `"<!DOCTYPE html><text>"`},
		{"1.6 introspect", "official Postman", introspected, 200, `{"active":true,"scope":"<text>","client_id":"` + clientID + `","username":"<text>","sub":"<text>/id/<id>/<id>","token_type":"access_token","exp":1772359200,"iat":1772352000,"nbf":1772352000}`},
		{"1.6 identity", "official Postman", identity, 200, `{"id":"<text>/id/<id>/<id>","asserted_user":true,"user_id":"<id>","organization_id":"<id>","username":"<text>","nick_name":"<text>","display_name":"<text>","email":"<text>","email_verified":true,
			"first_name":"<text>","last_name":"<text>","timezone":"<text>","photos":{"picture":"<text>","thumbnail":"<text>"},"addr_street":null,"addr_city":null,"addr_state":null,"addr_country":"<any>","addr_zip":null,"mobile_phone":null,"mobile_phone_verified":false,
			"is_lightning_login_user":false,"status":{"created_date":null,"body":null},"urls":{"enterprise":"<text>","metadata":"<text>","partner":"<text>","rest":"<text>/services/data/v{version}/","sobjects":"<text>","search":"<text>","query":"<text>","recent":"<text>",
			"tooling_soap":"<text>","tooling_rest":"<text>","profile":"<text>","feeds":"<text>","groups":"<text>","users":"<text>","feed_items":"<text>","feed_elements":"<text>","custom_domain":"<text>"},
			"active":true,"user_type":"STANDARD","language":"en_US","locale":"<text>","utcOffset":3600000,"last_modified_date":"<text>","is_app_installed":true}`},
		{"1.6 dead identity", "jsforce PR #736", deadIdentity, 403, `"Bad_OAuth_Token"`},
		{"1.6 userinfo", "amp-labs user-info.json", func(r *rig) answer { return r.do("GET", "/services/oauth2/userinfo", "") }, 200, `{"user_id":"<id>","email_verified":true,"zoneinfo":"<text>","address":{"?country":"<text>"},
			"is_salesforce_integration_user":false,"urls":{"...":null},"active":true,"user_type":"STANDARD","language":"en_US","locale":"<text>","utcOffset":3600000,"updated_at":"<text>Z","...":null}`},
	}
}
