package events

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
)

// Payload is any versioned payload of this package.
type Payload interface {
	PersonState | GroupState | Desired | Work | Link | Owner | Outcome | Discarded |
		Rejection | DeadLetter | Health | TokenRecord | OperatorRequest | OperatorResult
	version() int
}

// Encode writes a payload: deterministic, so that equal payloads are equal
// bytes, and somebody who lost a reply can tell his own write by reading back.
func Encode[P Payload](p P) ([]byte, error) {
	out, err := json.Marshal(p, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", p, err)
	}
	return out, nil
}

// Decode reads a payload and refuses a version it does not know. Unknown
// members are let pass: a newer writer of the same version may add some. Its
// errors quote no value: payloads hold personal data.
func Decode[P Payload](data []byte) (P, error) {
	var p P
	if err := json.Unmarshal(data, &p); err != nil {
		return p, fmt.Errorf("decode %T: %w", p, payloadError(err))
	}
	if v := p.version(); v != Version {
		return p, fmt.Errorf("decode %T: version %d, this program reads version %d", p, v, Version)
	}
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

// HashDesired returns the hash of what a Desired asks for: all but its lane,
// its origin and the hash itself, so that the same wish has the same hash
// whatever event repeated it.
func HashDesired(d Desired) (string, error) {
	d.Hash, d.Lane, d.Origin = "", "", Origin{}
	data, err := Encode(d)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16]), nil
}

func (p PersonState) version() int     { return p.V }
func (p GroupState) version() int      { return p.V }
func (p Desired) version() int         { return p.V }
func (p Work) version() int            { return p.V }
func (p Link) version() int            { return p.V }
func (p Owner) version() int           { return p.V }
func (p Outcome) version() int         { return p.V }
func (p Discarded) version() int       { return p.V }
func (p Rejection) version() int       { return p.V }
func (p DeadLetter) version() int      { return p.V }
func (p Health) version() int          { return p.V }
func (p TokenRecord) version() int     { return p.V }
func (p OperatorRequest) version() int { return p.V }
func (p OperatorResult) version() int  { return p.V }
