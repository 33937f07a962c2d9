package events

import (
	"errors"
	"fmt"
	"reflect"
)

// oldestVersion is the oldest version of every payload that this program reads.
const oldestVersion = 1

// versionOf is the one table of payload versions: it returns where a payload's
// version stands, and the version that this program writes.
//
// A version is raised when a program that does not know the new one would do
// harm by writing the payload again: it would lose the members it does not
// know. Such a program cannot read the new version, and puts the message back
// for one that can ([ErrNewer]). A member whose loss does no harm is added
// without a new version. What an older version meant is said in [upgrade], and
// nowhere else.
func versionOf(payload any) (at *int, written int) {
	switch p := payload.(type) {
	case *PersonState:
		return &p.V, 2
	case *GroupState:
		return &p.V, 2
	case *Desired:
		return &p.V, 3
	case *Work:
		return &p.V, 1
	case *Link:
		return &p.V, 2
	case *Owner:
		return &p.V, 1
	case *Outcome:
		return &p.V, 1
	case *Discarded:
		return &p.V, 1
	case *Rejection:
		return &p.V, 1
	case *DeadLetter:
		return &p.V, 1
	case *Health:
		return &p.V, 1
	case *Check:
		return &p.V, 1
	case *TokenRecord:
		return &p.V, 1
	case *Held:
		return &p.V, 1
	case *Guard:
		return &p.V, 1
	case *Release:
		return &p.V, 1
	case *OperatorRequest:
		return &p.V, 1
	case *OperatorResult:
		return &p.V, 1
	case *Configuration:
		return &p.V, 1
	case *Beat:
		return &p.V, 1
	case *Sweep:
		return &p.V, 1
	case *Pauses:
		return &p.V, 1
	case *Aside:
		return &p.V, 1
	}
	panic(fmt.Sprintf("%T has no version: versionOf has to name it", payload))
}

// payloads returns one of each payload.
func payloads() []any {
	return []any{
		&PersonState{}, &GroupState{}, &Desired{}, &Work{}, &Link{}, &Owner{}, &Outcome{}, &Discarded{},
		&Rejection{}, &DeadLetter{}, &Health{}, &Check{}, &TokenRecord{}, &OperatorRequest{}, &OperatorResult{},
		&Configuration{}, &Beat{}, &Sweep{}, &Pauses{}, &Aside{}, &Held{}, &Guard{}, &Release{},
	}
}

// PayloadVersion says which versions of a payload this program writes and reads.
type PayloadVersion struct {
	Payload string // the name of the Go type
	Written int    // the newest read, too
	Oldest  int    // the oldest read
}

// PayloadVersions lists every payload's versions.
func PayloadVersions() []PayloadVersion {
	var out []PayloadVersion
	for _, p := range payloads() {
		_, written := versionOf(p)
		out = append(out, PayloadVersion{reflect.TypeOf(p).Elem().Name(), written, oldestVersion})
	}
	return out
}

// ErrNewer is wrapped in what [Decode] returns for a version that is newer than
// this program: nothing is wrong with the message, and another replica can read
// it. It is put back, and its state is neither parked nor written over.
var ErrNewer = errors.New("a newer version of Rollcall wrote it")

// checkVersion refuses a version that is not among those read.
func checkVersion(version, written int) error {
	switch {
	case version > written:
		return fmt.Errorf("version %d, this program reads %s: %w", version, readVersions(written), ErrNewer)
	case version < oldestVersion:
		return fmt.Errorf("version %d, this program reads %s", version, readVersions(written))
	}
	return nil
}

func readVersions(written int) string {
	if written == oldestVersion {
		return fmt.Sprintf("version %d", written)
	}
	return fmt.Sprintf("versions %d to %d", oldestVersion, written)
}

// upgrade gives a payload of an older version the meaning it has in the version
// that is written today. A link of version 1 means what it means in version 2.
func upgrade(payload any) {
	switch p := payload.(type) {
	case *PersonState:
		if p.V == 1 {
			upgradePerson(p)
		}
	case *Desired:
		p.Assignments = assignmentsOf(p)
		p.PermissionSets, p.Groups = nil, nil
	case *GroupState:
		if p.V == 1 && p.Removed {
			p.Series = &Removal{p.Origin, p.SourceVersion}
		}
	}
}

// assignmentsOf are a wish's assignments, in whichever version it was written.
func assignmentsOf(d *Desired) map[string][]string {
	if d.V != 1 || len(d.PermissionSets)+len(d.Groups) == 0 {
		return d.Assignments
	}
	out := map[string][]string{}
	for key, names := range map[string][]string{KeyPermissionSets: d.PermissionSets, KeyGroups: d.Groups} {
		if len(names) > 0 {
			out[key] = names
		}
	}
	return out
}

// upgradePerson: in version 1 a source's newest event was all there was of it,
// and said whether the person is active in the person's attributes.
func upgradePerson(p *PersonState) {
	for name, s := range p.Sources {
		switch {
		case s.Removed:
			s.Series = &Removal{s.Origin, s.SourceVersion}
		case s.Person != nil && s.Person.Active != nil:
			s.Active = []Activity{{Position{s.Origin.Seq, s.SourceVersion}, *s.Person.Active}}
			s.Person.Active = nil
		}
		p.Sources[name] = s
	}
}
