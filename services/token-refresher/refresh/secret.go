package refresh

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
)

// maxSecretBytes bounds a secret file: more is a wrong file.
const maxSecretBytes = 64 << 10

// errSecretFile marks a secret file that cannot be used.
var errSecretFile = errors.New("secret file")

// readSecret reads a secret file; it is read again at every use, so that the
// secret can be rotated without a restart.
func readSecret(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errSecretFile, err)
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, maxSecretBytes+1))
	if err != nil {
		return "", fmt.Errorf("%w: %w", errSecretFile, err)
	}
	if len(data) > maxSecretBytes {
		return "", fmt.Errorf("%w %s is larger than %d bytes", errSecretFile, path, maxSecretBytes)
	}
	secret := strings.TrimSpace(string(data))
	if secret == "" {
		return "", fmt.Errorf("%w %s is empty", errSecretFile, path)
	}
	return secret, nil
}

// mark says by which credentials an org signs in, without saying what they are.
type mark struct {
	identity, secret, refresh string
}

// markOf reads the credentials as configured now.
func markOf(s *seal.Sealer, c config.Connect) mark {
	part := func(path string) string {
		secret, err := readSecret(path)
		if err != nil {
			return "none"
		}
		return s.Mark(secret)
	}
	return mark{
		identity: s.Mark(c.LoginURL, c.ClientID, c.OrgID, c.Flow, c.Username, c.Audience),
		secret:   s.Mark(part(c.ClientSecretFile), part(c.PrivateKeyFile)),
		refresh:  part(c.RefreshTokenFile),
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
