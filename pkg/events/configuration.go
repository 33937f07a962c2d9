package events

import "slices"

// seenMax bounds the configurations that are remembered: one that was in force
// so many switches ago counts as new.
const seenMax = 50

// Configuration says which configuration is in force, of all that replicas of
// assignment were started with. It changes only by compare-and-set, and every
// commit of assignment names its sequence: after a switch, nothing that was
// worked out under an older one can be stored.
type Configuration struct {
	V int `json:"v"`
	// Generation rises by one with every switch.
	Generation uint64 `json:"generation"`
	ConfigurationID
	// Replica is who made the switch.
	Replica string `json:"replica"`
	// Seen are the configurations that have been in force, the last one last.
	Seen []ConfigurationID `json:"seen"`
}

// ConfigurationID tells one configuration from another.
type ConfigurationID struct {
	// Hash is of all in the configuration file that what people get depends on.
	Hash string `json:"hash"`
	// Program is the version of the program that works it out.
	Program string `json:"program"`
}

// Knows says whether a configuration has been in force before.
func (c *Configuration) Knows(id ConfigurationID) bool { return slices.Contains(c.Seen, id) }

// Next is the register after a switch to a configuration.
func (c *Configuration) Next(id ConfigurationID, replica string) Configuration {
	seen := slices.DeleteFunc(slices.Clone(c.Seen), func(s ConfigurationID) bool { return s == id })
	seen = append(seen, id)
	return Configuration{Generation: c.Generation + 1, ConfigurationID: id, Replica: replica, Seen: seen[max(0, len(seen)-seenMax):]}
}

// Beat is a sign of life of one replica of assignment.
type Beat struct {
	V       int    `json:"v"`
	Replica string `json:"replica"`
	ConfigurationID
	// Generation is the one under which the replica takes events; 0 while it
	// stands by, because another configuration is in force.
	Generation uint64 `json:"generation,omitzero"`
	// Refused says that the replica's configuration file has changed and has
	// faults, so that the replica goes on with what it had.
	Refused bool `json:"refused,omitzero"`
	// Left says that the replica has ended in order: nothing more is heard of it.
	Left bool `json:"left,omitzero"`
}

// Sweep says how far everybody is compared with the configuration in force.
type Sweep struct {
	V          int    `json:"v"`
	Generation uint64 `json:"generation"`
	// Replica is who does it, or did.
	Replica string `json:"replica"`
	Done    bool   `json:"done,omitzero"`
	// People were looked at, for Changed of whom something differed.
	People  int `json:"people,omitzero"`
	Changed int `json:"changed,omitzero"`
}
