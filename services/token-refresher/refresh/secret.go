package refresh

import (
	"strings"

	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
	"github.com/rollcall-sync/rollcall/services/internal/secrets"
)

// mark says by which credentials an org signs in, without saying what they are.
type mark struct {
	identity, secret, refresh string
}

// markOf reads the credentials as configured now.
func markOf(s *seal.Sealer, c config.Connect) mark {
	part := func(source secrets.Source) string {
		text, err := source.Read()
		if err != nil {
			return "none"
		}
		return s.Mark(text)
	}
	return mark{
		identity: s.Mark(c.LoginURL, c.ClientID, c.OrgID, c.Flow, c.Username, c.Audience),
		secret:   s.Mark(part(c.ClientSecret()), part(c.PrivateKey())),
		refresh:  part(c.RefreshToken()),
	}
}

func (m mark) String() string { return m.identity + "-" + m.secret + "-" + m.refresh }

// parseMark reads what String wrote; anything else is a mark like no other.
func parseMark(text string) mark {
	p := strings.Split(text, "-")
	if len(p) != 3 {
		return mark{}
	}
	return mark{identity: p[0], secret: p[1], refresh: p[2]}
}

// sameGrant says whether a stored refresh token still belongs to what is
// configured: a new client secret does not matter, a new refresh token does.
func (m mark) sameGrant(other mark) bool {
	return m.identity == other.identity && m.refresh == other.refresh
}

// keysOf names the keys of the configuration that say where the secrets are.
func keysOf(c config.Connect) string {
	var keys []string
	for _, s := range c.Secrets() {
		keys = append(keys, s.String())
	}
	return strings.Join(keys, ", ")
}
