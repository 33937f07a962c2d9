package operator

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/inforce"
)

// ConfigurationStatus is which configuration assignment works with, and who has it.
type ConfigurationStatus struct {
	// Generation rises with every switch; Hash tells one configuration from
	// another, Program is the version of the program that put it into force.
	Generation uint64    `json:"generation"`
	Hash       string    `json:"hash"`
	Program    string    `json:"program"`
	Since      time.Time `json:"since"`
	// Swept says that everybody was compared with it: People, of whom Changed
	// got something else. Sweeper does it, or did.
	Swept   bool   `json:"swept"`
	People  int    `json:"people"`
	Changed int    `json:"changed"`
	Sweeper string `json:"sweeper,omitempty"`
	// Replicas are those heard of in the last 30 s.
	Replicas []ReplicaStatus `json:"replicas"`
}

// ReplicaStatus is how one replica of assignment stands.
type ReplicaStatus struct {
	Name    string `json:"name"`
	Hash    string `json:"hash"`
	Program string `json:"program"`
	// StandsBy says that it takes nothing: its configuration was replaced.
	StandsBy bool `json:"standsBy"`
	// Refused says that it refused a changed file and goes on with what it had.
	Refused bool      `json:"refused"`
	Heard   time.Time `json:"heard"`
}

func (o *Operator) lookAtConfiguration(ctx context.Context, s *Status, _ map[string]*OrgStatus) error {
	is, err := inforce.Read(ctx, o.bus)
	if err != nil || is.Generation == 0 {
		return err
	}
	ahead, _, err := o.bus.Clock(ctx)
	if err != nil {
		return fmt.Errorf("ask for the server's clock: %w", err)
	}
	c := &ConfigurationStatus{Generation: is.Generation, Hash: is.Hash, Program: is.Program, Since: is.Since, Swept: is.Swept(), Replicas: []ReplicaStatus{}}
	if is.Sweep.Generation == is.Generation {
		c.People, c.Changed, c.Sweeper = is.Sweep.People, is.Sweep.Changed, is.Sweep.Replica
	}
	for _, b := range is.Alive(o.now().Add(ahead)) {
		c.Replicas = append(c.Replicas, ReplicaStatus{Name: b.Replica, Hash: b.Hash, Program: b.Program,
			StandsBy: b.Generation != is.Generation, Refused: b.Refused, Heard: b.At})
	}
	s.Configuration = c
	return nil
}
