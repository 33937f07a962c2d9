package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/test/chaos/dump"
	"github.com/rollcall-sync/rollcall/test/chaos/plan"
)

// small is a dump of one person who was hired for sales, made by hand.
type small struct {
	t *testing.T
	*dump.Dump
	seq map[string]uint64
}

const key = events.Key("aaaabbbbccccddddeeeeffffgggghhhh")

func start() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }

func sound(t *testing.T) *small {
	t.Helper()
	s := &small{t: t, seq: map[string]uint64{}, Dump: &dump.Dump{
		Seed: 7, Command: "make chaos SEED=7", Began: start(), ProbeFrom: start().Add(-time.Second), ProbeTo: start().Add(40 * time.Second),
		People:  []dump.Person{{Key: key, Number: "N0000012345", Given: "Gabcdef", Family: "Zqabcdef", Username: "Gabcdef.Zqabcdef@chaos.example", Steady: true}},
		Streams: map[string][]dump.Message{}, Orgs: map[string]dump.Org{plan.Bravo: {}},
		Logs: map[string]string{}, Metrics: map[string]string{}, Secrets: map[string]string{"a-secret-of-the-run": "client secret"},
	}}
	s.say(plan.Sales, 1, true)
	s.put(events.PersonSubject(key), events.PersonState{Key: key, Sources: map[string]events.SourceState{"hr": {Origin: events.Origin{Seq: 1}}}})
	d := s.put(events.DesiredSubject(plan.Acme, key), events.Desired{Org: plan.Acme, Key: key, Active: true, Lane: events.LaneChange, Origin: events.Origin{Seq: 1, Time: start()}})
	s.put(events.LinkSubject(plan.Acme, key), events.Link{Org: plan.Acme, Key: key, UserID: "005A", Active: true, AppliedRevision: d})
	s.put(events.OutcomeSubject(plan.Acme, key), events.Outcome{Org: plan.Acme, Key: key, Revision: d, Lane: events.LaneChange, Result: events.ResultApplied, At: start()})
	s.Orgs[plan.Acme] = dump.Org{Users: []emulator.User{{ID: "005A", Username: "gabcdef.zqabcdef@chaos.example.acme", FederationIdentifier: "N0000012345", EmployeeNumber: "N0000012345",
		FirstName: "Gabcdef", LastName: "Zqabcdef", IsActive: true, Profile: emulator.StandardUserProfile, PermissionSets: []string{"HR_Data", "Sales_Base"},
		Fields: map[string]any{"Title": "Title 1", "Department": plan.Sales}}}}
	return s
}

// say adds an event of HR's.
func (s *small) say(department string, version int, active bool) uint64 {
	s.t.Helper()
	p := s.People[0]
	body, err := events.EncodeEvent(&events.Event{ID: "x", Source: "hr", Type: events.TypePersonUpserted, SourceVersion: fmt.Sprint(version), Person: &events.Person{
		UserName: p.Username, Title: fmt.Sprintf("Title %d", version), Name: &events.Name{GivenName: p.Given, FamilyName: p.Family}, Active: &active,
		Enterprise: &events.Enterprise{EmployeeNumber: p.Number, Department: department}}})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.add(events.StreamDirectory, "rollcall.directory.hr.person", body)
}

func (s *small) add(stream, subject string, body []byte) uint64 {
	s.seq[stream]++
	m := dump.NewMessage(subject, s.seq[stream], start().Add(time.Duration(s.seq[stream])*time.Second), body)
	s.Streams[stream] = slices.DeleteFunc(s.Streams[stream], func(old dump.Message) bool { return old.Subject == subject && stream == events.StreamRoster })
	s.Streams[stream] = append(s.Streams[stream], m)
	return m.Seq
}

// put stores a payload, in place of what stood under its subject.
func (s *small) put(subject string, payload any) uint64 {
	s.t.Helper()
	stream := events.StreamRoster
	if strings.HasPrefix(subject, "rollcall.dead.") {
		stream = events.StreamDead
	}
	if strings.HasPrefix(subject, "rollcall.operator.") {
		stream = events.StreamOperator
	}
	return s.add(stream, subject, versioned(s.t, payload))
}

func (s *small) hear(subject string, at time.Time, payload any) {
	s.t.Helper()
	s.Heard = append(s.Heard, dump.NewMessage(subject, 0, at, versioned(s.t, payload)))
}

// versioned encodes any payload.
func versioned(t *testing.T, payload any) []byte {
	t.Helper()
	data, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	version := 1
	switch payload.(type) {
	case events.PersonState, events.Desired, events.Link:
		version = 2
	}
	return []byte(strings.Replace(string(data), `"v":0`, fmt.Sprintf(`"v":%d`, version), 1))
}

func (s *small) user() *emulator.User { return &s.Orgs[plan.Acme].Users[0] }

func (s *small) letter(f events.Failure) {
	s.t.Helper()
	cause := f.Cause
	if cause == "" {
		cause = events.CauseUnknown
	}
	s.put(events.DeadSubject(plan.Acme, cause, key), events.DeadLetter{Org: plan.Acme, Key: key, Revision: 2, Failure: f, Attempts: 1, FirstAt: start(), LastAt: start(), Evidence: 4})
}

func TestASoundRunBreaksNoRule(t *testing.T) {
	t.Parallel()
	if broken := All(sound(t).Dump); len(broken) > 0 {
		t.Error(broken)
	}
}

// TestEachRuleIsBrokenByWhatItForbids: every rule notices, and says so under its own
// number.
func TestEachRuleIsBrokenByWhatItForbids(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule string
		do   func(s *small)
	}{
		"restless":            {"0", func(s *small) { s.Restless = "somebody waits" }},
		"cannot be read":      {"0", func(s *small) { s.add(events.StreamRoster, events.LinkSubject(plan.Acme, "zz"), []byte("{")) }},
		"event gone":          {"1", func(s *small) { s.Said = append(s.Said, dump.Said{Seq: 9, What: "HR says"}) }},
		"event not folded":    {"1", func(s *small) { s.say(plan.Sales, 2, true) }},
		"bad event forgotten": {"1", func(s *small) { s.add(events.StreamDirectory, "rollcall.directory.hr.person", []byte("no")) }},
		"no outcome":          {"1", func(s *small) { s.drop(events.OutcomeSubject(plan.Acme, key)) }},
		"applied and parked": {"1", func(s *small) {
			s.letter(events.Failure{Cause: events.CauseLicence, Code: "LICENSE", Message: "no seat"})
		}},
		"title":          {"2", func(s *small) { s.user().Fields["Title"] = "another" }},
		"permission set": {"2", func(s *small) { s.user().PermissionSets = []string{"Sales_Base", "Support_Base"} }},
		"frozen":         {"2", func(s *small) { s.user().IsFrozen = true }},
		"no user":        {"2", func(s *small) { s.Orgs[plan.Acme] = dump.Org{} }},
		"two users": {"3", func(s *small) {
			org := s.Orgs[plan.Acme]
			org.Users = append(org.Users, emulator.User{ID: "005B", EmployeeNumber: "N0000012345"})
			s.Orgs[plan.Acme] = org
		}},
		"one user of two": {"3", func(s *small) {
			s.put(events.LinkSubject(plan.Acme, "zz"), events.Link{Org: plan.Acme, Key: "zz", UserID: "005A"})
		}},
		"calls overlap": {"3", func(s *small) {
			org := s.Orgs[plan.Acme]
			for i := range 2 {
				at := start().Add(time.Duration(i) * 100 * time.Millisecond)
				org.Journal = append(org.Journal, emulator.JournalEntry{Seq: int64(i), Time: at, Mutating: true, Status: 200, Touched: []string{"005A"}, Micros: 500_000})
			}
			s.Orgs[plan.Acme] = org
		}},
		"older revision": {"4", func(s *small) {
			s.put(events.LinkSubject(plan.Acme, key), events.Link{Org: plan.Acme, Key: key, UserID: "005A", AppliedRevision: 1})
		}},
		"active leaver": {"4", func(s *small) { s.say(plan.Sales, 2, false) }},
		"acked, not committed": {"5", func(s *small) {
			s.Consumers = []dump.Consumer{{Name: events.ConsumerAssignment, AckFloor: s.say(plan.Sales, 2, true)}}
		}},
		"work acked, not done": {"5", func(s *small) {
			s.put(events.DesiredSubject(plan.Acme, key), events.Desired{Org: plan.Acme, Key: key, Active: true, Origin: events.Origin{Seq: 1, Time: start()}})
			s.Consumers = []dump.Consumer{{Name: events.WorkConsumer(plan.Acme, events.LaneChange), AckFloor: 100}}
		}},
		"no cause": {"5", func(s *small) { s.letter(events.Failure{}) }},
		"given up before the log": {"5", func(s *small) {
			s.put(events.DiscardedSubject(plan.Acme, key), events.Discarded{Revision: 1, By: "x", At: start(), Request: "r"})
		}},
		"replayed before the log": {"5", func(s *small) {
			s.hear(events.WorkSubject(plan.Acme, events.LaneChange, key), start(), events.Work{Reason: events.ReasonReplay})
			s.put(events.OperatorSubject(events.VerbRetried), events.OperatorResult{At: start(), Target: events.Target{Org: plan.Acme, Key: key}})
		}},
		"read again before the log": {"5", func(s *small) { s.hear(events.ReconsiderSubject(9), start(), events.Work{Reason: events.ReasonReplay}) }},
		"letter gone without a word": {"5", func(s *small) {
			s.hear(events.DeadSubject(plan.Acme, events.CauseLicence, key), start(), events.DeadLetter{Org: plan.Acme, Key: key})
		}},
		"stranger touched": {"6", func(s *small) {
			org := s.Orgs[plan.Acme]
			org.Before, org.Users = []emulator.User{{ID: "005S", LastName: "S"}}, append(org.Users, emulator.User{ID: "005S", LastName: "T"})
			s.Orgs[plan.Acme] = org
		}},
		"stranger called for": {"6", func(s *small) {
			org := s.Orgs[plan.Acme]
			org.Before, org.Users = []emulator.User{{ID: "005S"}}, append(org.Users, emulator.User{ID: "005S"})
			org.Journal = []emulator.JournalEntry{{Mutating: true, Touched: []string{"005S"}}}
			s.Orgs[plan.Acme] = org
		}},
		"unmanaged field": {"6", func(s *small) {
			org := s.Orgs[plan.Acme]
			org.Phones = map[string]string{s.user().Username: "555"}
			s.user().Username = "Gabcdef.Zqabcdef@chaos.example.acme" // HR spells it so, and usernames have no case
			s.Orgs[plan.Acme] = org
		}},
		"name in a log":       {"7", func(s *small) { s.Logs["assignment"] = "hired ZQABCDEF today" }},
		"secret in a metric":  {"7", func(s *small) { s.Metrics["assignment"] = `{x="a-secret-of-the-run"}` }},
		"number in a subject": {"7", func(s *small) { s.hear("rollcall.person.n0000012345", start(), events.Work{}) }},
		"parked for ever": {"8", func(s *small) {
			s.letter(events.Failure{Cause: events.CauseLicence, Code: "LICENSE", Message: "no seat"})
		}},
		"slow while others are in trouble": {"8", func(s *small) {
			s.put(events.OutcomeSubject(plan.Acme, key), events.Outcome{Org: plan.Acme, Key: key, Revision: 2, Result: events.ResultApplied, At: start()})
			s.Streams[events.StreamRoster][len(s.Streams[events.StreamRoster])-1].Time = start().Add(time.Minute)
		}},
		"nobody changed meanwhile": {"8", func(s *small) { s.ProbeFrom = start().Add(time.Second) }},
		"org held for one": {"8", func(s *small) {
			s.hear(events.HealthSubject(plan.Acme), s.ProbeFrom.Add(time.Second), events.Health{Org: plan.Acme, State: events.HealthHeld})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sound(t)
			c.do(s)
			broken := All(s.Dump)
			if !slices.ContainsFunc(broken, func(v Violation) bool { return strings.HasPrefix(v.Rule, c.rule+" ") }) {
				t.Errorf("rule %s holds; broken are %v", c.rule, broken)
			}
			if rule, _, _ := strings.Cut(c.rule, " "); len(rules()) < 9 || rule == "" {
				t.Error("a rule is gone")
			}
		})
	}
}

func (s *small) drop(subject string) {
	s.Streams[events.StreamRoster] = slices.DeleteFunc(s.Streams[events.StreamRoster], func(m dump.Message) bool { return m.Subject == subject })
}

// TestTheStoryIsTold: who reads of a violation finds the person's events, what was
// heard and called, and the command that repeats the run.
func TestTheStoryIsTold(t *testing.T) {
	t.Parallel()
	s := sound(t)
	s.Said = []dump.Said{{Seq: 1, What: "HR says person 0"}}
	s.hear(events.WorkSubject(plan.Acme, events.LaneChange, key), start().Add(2*time.Second), events.Work{Reason: events.ReasonChanged})
	org := s.Orgs[plan.Acme]
	org.Journal = []emulator.JournalEntry{{Seq: 4, Time: start().Add(3 * time.Second), Operation: "collections.create", Mutating: true, Touched: []string{"005A"}}}
	s.Orgs[plan.Acme] = org
	s.Done = []dump.Done{{At: start().Add(time.Second), What: "kill salesforce-pusher 0"}}
	s.user().IsFrozen = true
	var out strings.Builder
	Explain(s.Dump, All(s.Dump), &out)
	last := -1
	for _, want := range []string{"person 0", "HR says person 0", "kill salesforce-pusher 0", "work.acme.change", "call 4: collections.create", "again: make chaos SEED=7"} {
		at := strings.Index(out.String(), want)
		if at < 0 {
			t.Fatalf("the story does not say %q:\n%s", want, &out)
		}
		if want != "HR says person 0" && at < last {
			t.Errorf("%q comes too early:\n%s", want, &out)
		}
		last = at
	}
}
