package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// ErrNotOurs is returned for a sealed value that does not open: it belongs to
// another org, was sealed under another keyset, or was changed.
var ErrNotOurs = errors.New("sealed for another org, under another key file, or changed since")

// What a value is stands in the associated data beside the org, so that a
// refresh token cannot be passed off as an access token.
const (
	kindAccess  = "access"
	kindRefresh = "refresh"
	kindLogin   = "login"
	kindPass    = "pass"
)

// Sealer seals and opens. It is safe for concurrent use. A key file that
// changed is read again when a value does not open, and by Reload.
type Sealer struct {
	path    string
	markKey []byte

	mu      sync.RWMutex
	file    fs.FileInfo
	aead    tink.AEAD
	primary uint32
}

// load takes a keyset in.
func (s *Sealer) load(h *keyset.Handle, file fs.FileInfo) error {
	primitive, err := aead.New(h)
	if err != nil {
		return fmt.Errorf("use token keyset: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aead, s.file, s.primary = primitive, file, h.KeysetInfo().GetPrimaryKeyId()
	if s.markKey == nil {
		// The first key stays where it is when others are added, and so do marks.
		first := insecurecleartextkeyset.KeysetMaterial(h).GetKey()[0].GetKeyData().GetValue()
		sum := sha256.Sum256(append([]byte("rollcall/mark/"), first...))
		s.markKey = sum[:]
	}
	return nil
}

// Stale says whether a value was sealed under another key than the one that
// seals now.
func (s *Sealer) Stale(sealed []byte) bool {
	const prefix = 5 // a version byte and the key's id, as tink writes them
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(sealed) > prefix && binary.BigEndian.Uint32(sealed[1:prefix]) != s.primary
}

// Mark returns a short keyed hash by which it is seen that a secret changed. It
// is keyed so that whoever reads the marks cannot try guesses at the secret.
func (s *Sealer) Mark(parts ...string) string {
	mac := hmac.New(sha256.New, s.markKey)
	for _, p := range parts {
		fmt.Fprintf(mac, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// Seal seals an org's access token.
func (s *Sealer) Seal(org string, t events.Token) ([]byte, error) {
	plain, err := json.Marshal(t, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("seal token of %s: %w", org, err)
	}
	return s.seal(kindAccess, org, plain)
}

// Open opens an org's access token; [ErrNotOurs] says it is not this org's or
// not under this key.
func (s *Sealer) Open(org string, sealed []byte) (events.Token, error) {
	plain, err := s.open(kindAccess, org, sealed)
	if err != nil {
		return events.Token{}, err
	}
	var t events.Token
	if err := json.Unmarshal(plain, &t); err != nil {
		// The decoder's own error may quote the token.
		return events.Token{}, fmt.Errorf("open token of %s: what was sealed is not a token", org)
	}
	return t, nil
}

// SealRefresh seals an org's refresh token.
func (s *Sealer) SealRefresh(org, token string) ([]byte, error) {
	return s.seal(kindRefresh, org, []byte(token))
}

// OpenRefresh opens an org's refresh token.
func (s *Sealer) OpenRefresh(org string, sealed []byte) (string, error) {
	plain, err := s.open(kindRefresh, org, sealed)
	return string(plain), err
}

// SealLogin seals what is to be known of a login under way when the browser
// comes back.
func (s *Sealer) SealLogin(org string, plain []byte) ([]byte, error) {
	return s.seal(kindLogin, org, plain)
}

// OpenLogin opens what SealLogin sealed.
func (s *Sealer) OpenLogin(org string, sealed []byte) ([]byte, error) {
	return s.open(kindLogin, org, sealed)
}

// SealPass seals the leave to begin a login of an org.
func (s *Sealer) SealPass(org string, plain []byte) ([]byte, error) {
	return s.seal(kindPass, org, plain)
}

// OpenPass opens what SealPass sealed.
func (s *Sealer) OpenPass(org string, sealed []byte) ([]byte, error) {
	return s.open(kindPass, org, sealed)
}

func (s *Sealer) seal(kind, org string, plain []byte) ([]byte, error) {
	sealed, err := s.current().Encrypt(plain, associated(kind, org))
	if err != nil {
		return nil, fmt.Errorf("seal %s token of %s: %w", kind, org, err)
	}
	return sealed, nil
}

func (s *Sealer) open(kind, org string, sealed []byte) ([]byte, error) {
	plain, err := s.current().Decrypt(sealed, associated(kind, org))
	if changed, rerr := s.reloadAfter(err); rerr == nil && changed {
		plain, err = s.current().Decrypt(sealed, associated(kind, org))
	}
	if err != nil {
		return nil, fmt.Errorf("open %s token of %s: %w", kind, org, ErrNotOurs)
	}
	return plain, nil
}

func (s *Sealer) current() tink.AEAD {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.aead
}

// reloadAfter reads the key file again when a value did not open.
func (s *Sealer) reloadAfter(err error) (bool, error) {
	if err == nil {
		return false, nil
	}
	return s.Reload()
}

func associated(kind, org string) []byte { return []byte("rollcall/" + kind + "/" + org) }
