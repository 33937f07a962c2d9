package config

import (
	"regexp"

	"github.com/rollcall-sync/rollcall/services/internal/secrets"
)

// ClientSecret is where the app's consumer secret is.
func (c *Connect) ClientSecret() secrets.Source {
	return secrets.Source{Name: "clientSecret", File: c.ClientSecretFile, Env: c.ClientSecretEnv}
}

// RefreshToken is where the first refresh token is.
func (c *Connect) RefreshToken() secrets.Source {
	return secrets.Source{Name: "refreshToken", File: c.RefreshTokenFile, Env: c.RefreshTokenEnv}
}

// PrivateKey is where the key of flow jwt_bearer is.
func (c *Connect) PrivateKey() secrets.Source {
	return secrets.Source{Name: "privateKey", File: c.PrivateKeyFile, Env: c.PrivateKeyEnv}
}

// Secrets are all that are configured.
func (c *Connect) Secrets() []secrets.Source {
	var out []secrets.Source
	for _, s := range []secrets.Source{c.ClientSecret(), c.RefreshToken(), c.PrivateKey()} {
		if s.Configured() {
			out = append(out, s)
		}
	}
	return out
}

// variableLike is what the name of a variable looks like. What does not may be
// a secret somebody put where its name belongs, so it is never quoted.
func variableLike() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`) }

// secret requires that a secret stands in one place.
func (f *faults) secret(path string, s secrets.Source, required bool) {
	switch {
	case s.File != "" && s.Env != "":
		f.add(path+"."+s.Name+"File", "and %sEnv are both set: one of them is used, so one of them must go", s.Name)
	case required && !s.Configured():
		f.add(path+"."+s.Name+"File", "is required, or %sEnv", s.Name)
	}
	if s.Env != "" && !variableLike().MatchString(s.Env) {
		f.add(path+"."+s.Name+"Env", "must be the name of a variable of the environment, not a value")
	}
}
