package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
)

// Hash is the same for two configurations under which everybody gets the same:
// it is of sources, precedence, revision and each org's assign and gate, and of whatever
// is added to the file later unless it is left out here. Where NATS is, where
// files are, how to sign in and how the pusher works is not in it.
func (f File) Hash() string {
	f.Deployment, f.NATS, f.Serve, f.Log, f.Tokens, f.Callback = Deployment{}, NATS{}, Serve{}, Log{}, Tokens{}, Callback{}
	f.Orgs = maps.Clone(f.Orgs)
	for name, org := range f.Orgs {
		f.Orgs[name] = Org{Assign: org.Assign, Gate: org.Gate}
	}
	// A revision is of no effect, and so has to be named: it makes another hash of the
	// same configuration.
	data, err := json.Marshal(struct {
		Revision string
		File     File
	}{f.Revision, f}) // maps in the order of their keys
	if err != nil {
		panic("a configuration that was read cannot be written: " + err.Error()) // a test would have seen it
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}
