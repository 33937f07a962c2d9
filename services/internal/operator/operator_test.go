package operator_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

const (
	emea = "emea"
	apac = "apac"
	tp   = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
)

// rig is what one test has to itself.
type rig struct {
	testing.TB
	bus   *bus.Bus
	keyer *events.Keyer
	op    *operator.Operator
}

func newRig(t testing.TB) *rig {
	t.Helper()
	server := bustest.Start(t, bus.Topology{Orgs: []string{emea, apac}})
	r := &rig{TB: t, bus: server.Bus(t)}
	var err error
	if r.keyer, err = events.NewKeyer(bytes.Repeat([]byte{7}, events.MinDeploymentKeyBytes)); err != nil {
		t.Fatal(err)
	}
	r.op = operator.New(server.As(t, bus.RoleOperator), telemetry.Discard(), r.keyer)
	return r
}

func put[P events.Payload](r *rig, stream, subject string, p P) uint64 {
	r.Helper()
	data, err := events.Encode(p)
	if err != nil {
		r.Fatal(err)
	}
	return r.put(stream, bus.Write{Subject: subject, Data: data, Header: bus.Header{events.HeaderTraceparent: {tp}}})
}

func (r *rig) put(stream string, w bus.Write) uint64 {
	r.Helper()
	res, err := r.bus.Commit(r.Context(), stream, []bus.Group{{w}})
	if err != nil {
		r.Fatal(err)
	}
	return res[0].Seqs[0]
}

func day(n int) time.Time { return time.Date(2026, 11, n, 9, 0, 0, 0, time.UTC) }

func (r *rig) park(org string, cause events.Cause, key events.Key, username string, at time.Time) uint64 {
	r.Helper()
	return put(r, events.StreamDead, events.DeadSubject(org, cause, key), events.DeadLetter{
		Org: org, Key: key, Username: username, UserID: "005" + string(key[:3]), Revision: 4,
		Failure: events.Failure{Cause: cause, Message: "words"}, Attempts: 1, FirstAt: at, LastAt: at,
	})
}

func TestListPicks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	alba, bo, cy := r.keyer.Person("E1"), r.keyer.Person("E2"), r.keyer.Person("E3")
	one := r.park(emea, events.CauseInvalid, alba, "Alba@example.com", day(1))
	two := r.park(emea, events.CauseLicence, bo, "bo@example.com", day(2))
	three := r.park(apac, events.CauseInvalid, cy, "cy@example.com", day(3))
	four := r.put(events.StreamDead, bus.Write{Subject: events.DeadSubject(apac, events.CauseUnknown, "zz"), Data: []byte("{")})
	for name, c := range map[string]struct {
		filter operator.Filter
		want   []uint64
	}{
		"all":                   {operator.Filter{}, []uint64{one, two, three, four}},
		"by org":                {operator.Filter{Org: emea}, []uint64{one, two}},
		"by cause":              {operator.Filter{Cause: events.CauseInvalid}, []uint64{one, three}},
		"by both":               {operator.Filter{Org: apac, Cause: events.CauseInvalid}, []uint64{three}},
		"by part of a username": {operator.Filter{Person: "ALBA@"}, []uint64{one}},
		"by key":                {operator.Filter{Person: string(bo)}, []uint64{two}},
		"by correlation id":     {operator.Filter{Person: "E3"}, []uint64{three}},
		"by user id":            {operator.Filter{Person: "005" + string(alba[:3])}, []uint64{one}},
		"since":                 {operator.Filter{Since: day(2)}, []uint64{two, three}},
		"the first two":         {operator.Filter{Limit: 2}, []uint64{one, two}},
		"nobody":                {operator.Filter{Person: "nobody"}, nil},
	} {
		got, err := r.op.List(t.Context(), c.filter)
		if err != nil {
			t.Fatal(err)
		}
		var seqs []uint64
		for _, task := range got {
			seqs = append(seqs, task.Seq)
		}
		if fmt.Sprint(seqs) != fmt.Sprint(c.want) {
			t.Errorf("%s: tasks %v, want %v", name, seqs, c.want)
		}
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	seq := r.park(emea, events.CauseInvalid, "alba", "alba@example.com", day(1))
	got, err := r.op.Show(t.Context(), seq)
	if err != nil || got.Letter.Username != "alba@example.com" || got.Target().Seq != seq {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := r.op.Show(t.Context(), seq+1); !errors.Is(err, bus.ErrNotFound) {
		t.Fatalf("got %v, want ErrNotFound", err)
	}
}

func TestRequestIsStoredInPartsAndReadBackFromTheAuditLog(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.park(emea, events.CauseInvalid, "alba", "alba@example.com", day(1))
	one, err := r.op.List(t.Context(), operator.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	var many []operator.Task
	for range events.MaxTargets + 1 {
		many = append(many, one[0])
	}
	asked, err := r.op.Request(t.Context(), events.VerbDiscard, "grete", "left the company", many)
	if err != nil || len(asked) != 2 || asked[0].Targets != events.MaxTargets || asked[1].Targets != 1 || asked[0].ID == asked[1].ID {
		t.Fatalf("asked %+v, %v", asked, err)
	}
	log, err := r.op.Audit(t.Context(), operator.AuditFilter{By: "grete", Key: "alba", Verb: events.VerbDiscard})
	if err != nil || len(log) != 2 || log[1].Request != asked[1].ID || log[1].Note != "left the company" {
		t.Fatalf("audit log %+v, %v", log, err)
	}
	newest, err := r.op.Audit(t.Context(), operator.AuditFilter{Limit: 1})
	if err != nil || len(newest) != 1 || newest[0].Seq != asked[1].Seq {
		t.Fatalf("newest %+v, %v", newest, err)
	}
	if other, err := r.op.Audit(t.Context(), operator.AuditFilter{Key: "bo"}); err != nil || len(other) != 0 {
		t.Fatalf("about somebody else: %+v, %v", other, err)
	}
	for _, bad := range []struct {
		verb events.Verb
		by   string
	}{{events.VerbClosed, "grete"}, {events.VerbRetry, ""}} {
		if _, err := r.op.Request(t.Context(), bad.verb, bad.by, "", one); err == nil {
			t.Errorf("%s by %q was accepted", bad.verb, bad.by)
		}
	}
}

// someone stores all that is known of a person in emea.
func (r *rig) someone(id, username string) events.Key {
	r.Helper()
	key := r.keyer.Person(id)
	origin := events.Origin{EventID: "event-1", Source: "hr", Seq: 3, Time: day(1), Traceparent: tp}
	put(r, events.StreamRoster, events.PersonSubject(key), events.PersonState{
		Key: key, CorrelationID: id, Sources: map[string]events.SourceState{"hr": {Origin: origin}},
	})
	put(r, events.StreamRoster, events.DesiredSubject(emea, key), events.Desired{
		Org: emea, Key: key, Rule: "staff", Lane: events.LaneLeaver, Origin: origin, Match: events.Match{Username: username},
	})
	put(r, events.StreamRoster, events.LinkSubject(emea, key), events.Link{Org: emea, Key: key, UserID: "005A"})
	put(r, events.StreamRoster, events.OwnerSubject(emea, "005A"), events.Owner{Key: key, By: "created"})
	put(r, events.StreamRoster, events.OutcomeSubject(emea, key), events.Outcome{
		Org: emea, Key: key, Result: events.ResultFailed, At: day(2), Origin: origin,
	})
	return key
}

func TestPersonIsFoundByAnyNameAndShownWhole(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := r.someone("E1", "alba@example.com")
	due := time.Now().Add(time.Hour).UTC()
	r.put(events.StreamRoster, bus.Write{
		Subject: events.RetrySubject(emea, key), Data: []byte(`{"v":1}`),
		Schedule: &bus.Schedule{At: due, Target: events.WorkSubject(emea, events.LaneLeaver, key)},
	})
	r.park(apac, events.CauseInvalid, key, "alba@example.com", day(1))
	tasks, err := r.op.List(t.Context(), operator.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.op.Request(t.Context(), events.VerbRetry, "grete", "fixed", tasks); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{string(key), "E1", "ALBA@example.com"} {
		v, err := r.op.Person(t.Context(), name)
		if err != nil || v.Key != key || v.Person == nil || len(v.Orgs) != 2 || len(v.Audit) != 1 {
			t.Fatalf("%s: %+v, %v", name, v, err)
		}
		inAPAC, inEMEA := v.Orgs[0], v.Orgs[1]
		if len(inAPAC.Tasks) != 1 || inEMEA.Desired == nil || inEMEA.Revision == 0 || inEMEA.Link == nil ||
			inEMEA.Owner == nil || inEMEA.Outcome == nil || !inEMEA.NextTry.Equal(due) {
			t.Fatalf("%s: %+v and %+v", name, inAPAC, inEMEA)
		}
		if len(v.TraceIDs) != 1 || v.TraceIDs[0] != "0123456789abcdef0123456789abcdef" {
			t.Fatalf("%s: traces %v", name, v.TraceIDs)
		}
	}
}

func TestPersonNobodyOrSeveral(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.someone("E1", "same@example.com")
	r.someone("E2", "same@example.com")
	if _, err := r.op.Person(t.Context(), "same@example.com"); !errors.Is(err, operator.ErrSeveral) {
		t.Errorf("got %v, want ErrSeveral", err)
	}
	if _, err := r.op.Person(t.Context(), "E3"); !errors.Is(err, operator.ErrNobody) {
		t.Errorf("got %v, want ErrNobody", err)
	}
}

func TestStatusSaysWhatWaitsAndWhatToDo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := r.someone("E1", "alba@example.com")
	put(r, events.StreamRoster, events.WorkSubject(emea, events.LaneLeaver, key), events.Work{Reason: events.ReasonChanged})
	r.park(emea, events.CauseInvalid, key, "alba@example.com", day(1))
	put(r, events.StreamRoster, events.HealthSubject(emea), events.Health{
		Org: emea, State: events.HealthHeld, Since: day(1), Used: 10, Limit: 100,
		Failure: &events.Failure{Cause: events.CauseCredentials, Code: "INVALID_SESSION_ID", Message: "Session expired"},
	})
	rec, err := events.Encode(events.TokenRecord{
		Org: emea, State: events.TokenHeld, Since: day(2), Advice: "take the current secret",
		Failure: &events.Failure{Cause: events.CauseCredentials, Code: "invalid_client", Message: "invalid client credentials"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.bus.Bucket(events.BucketTokens).Set(t.Context(), emea, rec, 0); err != nil {
		t.Fatal(err)
	}
	s, err := r.op.Status(t.Context(), []string{apac, emea})
	if err != nil {
		t.Fatal(err)
	}
	quiet, held := s.Orgs[0], s.Orgs[1]
	if quiet.Name != apac || quiet.Held || len(quiet.Lanes) != len(events.Lanes()) {
		t.Errorf("apac: %+v", quiet)
	}
	if !held.Held || held.Why != "invalid_client: invalid client credentials" || held.Advice != "take the current secret" ||
		!held.Since.Equal(day(2)) || held.Token != events.TokenHeld || !held.TokenSince.Equal(day(2)) || held.Used != 10 || held.Parked[events.CauseInvalid] != 1 {
		t.Errorf("emea: %+v", held)
	}
	if held.Lanes[0].Lane != events.LaneLeaver || held.Lanes[0].Waiting != 1 {
		t.Errorf("lanes: %+v", held.Lanes)
	}
	if s.OldestLeaver == nil || s.OldestLeaver.Key != key || s.OldestLeaver.Org != emea {
		t.Errorf("oldest leaver: %+v", s.OldestLeaver)
	}
	if len(s.Streams) != 4 || s.Parked[events.CauseInvalid] != 1 || len(s.Stages) == 0 {
		t.Errorf("status: %+v", s)
	}
}

func TestStatusSaysWhichConfigurationIsInForce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if s, err := r.op.Status(t.Context(), nil); err != nil || s.Configuration != nil {
		t.Fatalf("%+v, %v", s.Configuration, err)
	}
	old, now := events.ConfigurationID{Hash: "feed", Program: "v1"}, events.ConfigurationID{Hash: "beef", Program: "v2"}
	put(r, events.StreamRoster, events.ConfigurationSubject(), (&events.Configuration{Generation: 1, Seen: []events.ConfigurationID{old}}).Next(now, "pod-2/BBBBBB"))
	put(r, events.StreamRoster, events.BeatSubject(1), events.Beat{Replica: "pod-1/AAAAAA", ConfigurationID: old, Refused: true})
	put(r, events.StreamRoster, events.BeatSubject(2), events.Beat{Replica: "pod-2/BBBBBB", ConfigurationID: now, Generation: 2})
	put(r, events.StreamRoster, events.SweepSubject(), events.Sweep{Generation: 2, Replica: "pod-2/BBBBBB", Done: true, People: 9, Changed: 2})
	s, err := r.op.Status(t.Context(), nil)
	if err != nil || s.Configuration == nil {
		t.Fatal(s.Configuration, err)
	}
	c := s.Configuration
	if c.Generation != 2 || c.Hash != "beef" || c.Program != "v2" || !c.Swept || c.People != 9 || c.Changed != 2 || c.Since.IsZero() {
		t.Errorf("%+v", c)
	}
	if len(c.Replicas) != 2 || !c.Replicas[0].StandsBy || !c.Replicas[0].Refused || c.Replicas[1].StandsBy || c.Replicas[1].Name != "pod-2/BBBBBB" {
		t.Errorf("%+v", c.Replicas)
	}
}
