package push

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// resolve turns the names that people's desired state uses into ids. A missing
// profile or role fails those who need it; a missing permission set or group
// fails nobody yet: everything else of theirs is done first.
func (s *step) resolve(people []*person) {
	people = s.ready(those(people, func(p *person) bool { return p.desired.Active }))
	if len(people) == 0 {
		return
	}
	wanted, returning := names{}, false
	for _, p := range people {
		wanted.add(kindProfile, p.desired.Profile)
		wanted.add(kindRole, p.desired.Role)
		wanted.add(kindPermissionSet, p.desired.PermissionSets...)
		wanted.add(kindGroup, p.desired.Groups...)
		addGiven(wanted, p.link)
		returning = returning || p.link.Attempts > 0
	}
	if e := s.ask(people, wanted, returning); e != nil {
		s.failAll(people, e, opResolve)
		return
	}
	for _, p := range people {
		s.name(p)
	}
}

// addGiven adds the names of what a user was given: before it can be said that
// it is gone, Salesforce has to be asked by its id, and config may not know the
// name any more.
func addGiven(wanted names, l events.Link) {
	for name := range l.Assigned {
		kind, rest, _ := strings.Cut(name, "/")
		wanted.add(kind, rest)
	}
}

// ask reads what the catalogue lacks, in one call.
func (s *step) ask(people []*person, wanted names, returning bool) *salesforce.Error {
	now := time.Now()
	lacking := s.org.catalogue.lacking(wanted, returning, now)
	qs := queries(lacking)
	if len(qs) == 0 {
		return nil
	}
	soqls := make([]string, len(qs))
	for i, q := range qs {
		soqls[i] = q.soql
	}
	var answers [][]salesforce.Record
	err := s.call(opResolve, "names", people, func(ctx context.Context) error {
		got, errs, err := s.org.client.CompositeQueries(ctx, soqls)
		if err != nil {
			return err
		}
		answers = got
		return firstThatMatters(qs, errs)
	})
	if err != nil {
		return salesforceError(err)
	}
	s.org.catalogue.learn(lacking, qs, answers, now)
	return nil
}

// firstThatMatters lets an org be without permission set groups: not every
// edition has the object, and then nothing is one.
func firstThatMatters(qs []query, errs []error) error {
	for i, err := range errs {
		var e *salesforce.Error
		if err == nil || qs[i].idField == fieldBundle && errors.As(err, &e) && e.Kind == salesforce.KindSchema {
			continue
		}
		return err
	}
	return nil
}

// name fills in a person's ids, and takes out of desired what is not there.
func (s *step) name(p *person) {
	cat := s.org.catalogue
	profile, ok := cat.find(kindProfile, p.desired.Profile)
	if !ok {
		p.fail(missing("profile", p.desired.Profile))
		return
	}
	role, ok := cat.find(kindRole, p.desired.Role)
	if !ok && p.desired.Role != "" {
		p.fail(missing("role", p.desired.Role))
		return
	}
	p.ids = ids{profile: profile.id, role: role.id}
	p.desired.PermissionSets = s.present(p, kindPermissionSet, p.desired.PermissionSets)
	p.desired.Groups = s.present(p, kindGroup, p.desired.Groups)
	if len(p.absent) > 0 {
		p.gap = gapOf(p.absent)
	}
}

// present are those names that are there; the others are noted.
func (s *step) present(p *person, kind string, list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(name string) bool {
		_, ok := s.org.catalogue.find(kind, name)
		if !ok && p.absent == nil {
			p.absent = map[string]bool{}
		}
		if !ok {
			p.absent[kind+"/"+name] = true
		}
		return !ok
	})
}

func missing(what, name string) *events.Failure {
	return &events.Failure{Cause: events.CauseMisconfigured, Operation: opResolve, Value: name,
		Message: "The org has no " + what + " named " + name + ", or more than one. Make it in Salesforce, or correct the name in config."}
}
