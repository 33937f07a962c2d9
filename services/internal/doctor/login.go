package doctor

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"strings"

	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// Hosts of Salesforce where users of all orgs log in.
const (
	loginHost = "login.salesforce.com"
	testHost  = "test.salesforce.com"
)

const useMyDomain = "Set connect.loginURL to the org's My Domain, https://<your domain>.my.salesforce.com (Setup, My Domain)."

// login says whether host, flow and audience can work together, without asking
// anybody.
func (x *examination) login(context.Context) []verdict {
	u, err := url.Parse(x.connect.LoginURL)
	if err != nil || u.Hostname() == "" {
		return fail(useMyDomain, "connect.loginURL is not a URL")
	}
	host := strings.ToLower(u.Hostname())
	shared := host == loginHost || host == testHost
	switch {
	case strings.HasSuffix(host, ".lightning.force.com"), strings.HasSuffix(host, ".salesforce-setup.com"):
		return fail(useMyDomain, "%s is a page of the user interface: nothing can sign in there", host)
	case shared && x.connect.Flow == config.FlowClientCredentials:
		return fail(useMyDomain, "client credentials are refused at %s (request not supported on this domain)", host)
	case x.connect.Flow == config.FlowJWTBearer:
		if v := audience(host, x.connect.JWTAudience()); v != nil {
			return v
		}
	}
	if shared {
		return warn(useMyDomain, "%s works for flow %s, but My Domain does not depend on a host that others share", host, x.connect.Flow)
	}
	return ok("%s and flow %s fit together", host, x.connect.Flow)
}

// audience says whether a JWT for this audience can be meant for this host;
// nil where it can.
func audience(host, audience string) []verdict {
	test := host == testHost || strings.HasSuffix(host, ".sandbox.my.salesforce.com")
	u, err := url.Parse(audience)
	if err != nil {
		return nil // the configuration's own check says so
	}
	forHost := strings.ToLower(u.Hostname())
	switch {
	case test && forHost == loginHost:
		return fail("Remove connect.audience, or set it to https://"+testHost+".", "%s is a sandbox's, and the JWT is for %s: audience is invalid", host, forHost)
	case !test && forHost == testHost:
		return fail("Remove connect.audience, or set it to https://"+loginHost+".", "%s is no sandbox's, and the JWT is for %s: audience is invalid", host, forHost)
	}
	return nil
}

// credentials reads what the org signs in with, as token-refresher does.
func (x *examination) credentials(context.Context) []verdict {
	var out []verdict
	read := 0
	for _, s := range x.connect.Secrets() {
		text, err := s.Read()
		if err != nil {
			todo := "If token-refresher runs here, put it where the configuration says, readable for it."
			if s.Env != "" {
				todo = "Only token-refresher's own environment counts: see that it has the variable, and restart it if it was set later."
			}
			out = append(out, warn(todo, "%s", err)...)
			continue
		}
		x.secrets = append(x.secrets, text)
		read++
		if s == x.connect.PrivateKey() && !isPrivateKey(text) {
			out = append(out, fail("Put the app's RSA private key there, in PEM (-----BEGIN PRIVATE KEY-----).", "what %s holds is not a private key", s.Key())...)
		}
	}
	if len(out) == 0 && read == 0 {
		return ok("the flow needs none, until somebody authenticates")
	}
	if len(out) == 0 {
		return ok("what the org signs in with can be read")
	}
	return out
}

func isPrivateKey(text string) bool {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return false
	}
	if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		return true
	}
	_, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	return err == nil
}
