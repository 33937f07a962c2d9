package events

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"

	"github.com/go-json-experiment/json"
)

// Payload is any versioned payload of this package.
type Payload interface {
	PersonState | GroupState | Desired | Work | Link | Owner | Outcome | Discarded |
		Rejection | DeadLetter | Health | Check | TokenRecord | OperatorRequest | OperatorResult |
		Configuration | Beat | Sweep | Pauses | Aside | Held | Guard | Release
}

// Encode writes a payload in the version that this program writes, whatever its
// V says: deterministic, so that equal payloads are equal bytes, and somebody
// who lost a reply can tell his own write by reading back.
func Encode[P Payload](p P) ([]byte, error) {
	at, written := versionOf(&p)
	*at = written
	return marshal(&p)
}

func marshal[P Payload](p *P) ([]byte, error) {
	out, err := json.Marshal(p, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", *p, err)
	}
	return out, nil
}

// Decode reads a payload: an older version as what it means in the one written
// today, so that V is always that one. It refuses a version it does not know,
// a newer one with [ErrNewer]. Unknown members are let pass: a newer writer of
// the same version may add some, where it does no harm that this program loses
// them when it writes the payload again. Its errors quote no value: payloads
// hold personal data.
func Decode[P Payload](data []byte) (P, error) {
	var p P
	if err := json.Unmarshal(data, &p); err != nil {
		return p, fmt.Errorf("decode %T: %w", p, payloadError(err))
	}
	at, written := versionOf(&p)
	if err := checkVersion(*at, written); err != nil {
		return p, fmt.Errorf("decode %T: %w", p, err)
	}
	upgrade(&p)
	*at = written
	return p, nil
}

// payloadError says where and what, without the value the decoder would quote.
func payloadError(err error) error {
	fault := explain(err)
	if fault.Where == "" {
		return errors.New(fault.Reason)
	}
	return errors.New("at " + fault.Where + ": " + fault.Reason)
}

// hashedVersion is the version in the bytes that are hashed. It stays what it
// was when the first links were written: with every new version of Desired
// everybody's hash would be another, and everybody would be pushed once more.
const hashedVersion = 1

// HashDesired returns the hash of what a Desired asks for: all but its version,
// its lane, its origin, whether they are only sought, what was before, and the hash itself, so that the same wish has the same
// hash whatever event repeated it, and whatever version holds it.
func HashDesired(d Desired) (string, error) {
	d.V, d.Hash, d.Lane, d.Sought, d.Was, d.Origin = hashedVersion, "", "", false, nil, Origin{}
	d.PermissionSets, d.Groups = d.Assignments[KeyPermissionSets], d.Assignments[KeyGroups]
	d.Assignments = maps.Clone(d.Assignments)
	delete(d.Assignments, KeyPermissionSets)
	delete(d.Assignments, KeyGroups)
	data, err := marshal(&d)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16]), nil
}
