package events

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
)

// Key names a person or group in subjects. It is opaque, so that no personal
// data stands in a subject: lower-case base32 of the first 20 bytes of
// HMAC-SHA256(deployment key, kind | correlation id).
type Key string

// MinDeploymentKeyBytes is the shortest deployment key accepted: with a
// guessable key, employee numbers could be recovered from subjects.
const MinDeploymentKeyBytes = 32

// Keyer derives keys. Everything that derives one in a deployment must hold
// the same deployment key; changing it makes everybody a stranger.
type Keyer struct{ secret []byte }

// NewKeyer returns a Keyer for a deployment key of at least
// [MinDeploymentKeyBytes] bytes.
func NewKeyer(secret []byte) (*Keyer, error) {
	if len(secret) < MinDeploymentKeyBytes {
		return nil, fmt.Errorf("deployment key has %d bytes, needs at least %d", len(secret), MinDeploymentKeyBytes)
	}
	return &Keyer{secret: bytes.Clone(secret)}, nil
}

// Person returns the key of the person with this correlation id.
func (k *Keyer) Person(correlationID string) Key { return k.derive("person", correlationID) }

// Group returns the key of a group of one source.
func (k *Keyer) Group(source, id string) Key { return k.derive("group", source+"\x00"+id) }

func (k *Keyer) derive(kind, id string) Key {
	mac := hmac.New(sha256.New, k.secret)
	mac.Write([]byte(kind))
	mac.Write([]byte{0})
	mac.Write([]byte(id))
	sum := mac.Sum(nil)[:20]
	return Key(strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum)))
}

// EventKey is the key of the dead letter of a DIRECTORY event that could not
// be understood: "e" and its sequence.
func EventKey(seq uint64) Key { return Key(fmt.Sprintf("e%d", seq)) }

// errName is what CheckName answers; it is wrapped with the name.
var errName = errors.New("must be 1-32 of a-z, 0-9 and '-', starting with a letter")

// CheckName says whether a configured name (org, source) can stand in a subject.
func CheckName(name string) error {
	ok := len(name) >= 1 && len(name) <= 32 && name[0] >= 'a' && name[0] <= 'z'
	for _, r := range name {
		ok = ok && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-')
	}
	if !ok {
		return fmt.Errorf("name %q: %w", name, errName)
	}
	return nil
}
