package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const (
	settleWithin = 90 * time.Second
	people       = 600
)

// export writes an HR export of n people, revision by revision the same people
// with another title, and returns its path.
func export(t testing.TB, dir string, n int, title string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("Number,Given,Family,User,Title,Department,Active\n")
	for i := range n {
		fmt.Fprintf(&b, "e%05d,Given%d,Family%d,e%05d@rollcall.example,%s,Department %d,yes\n", i, i, i, i, title, i%7)
	}
	path := filepath.Join(dir, "export-"+title+".csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (s *stack) publish(path string) {
	s.t.Helper()
	s.run("publish", path, "--mapping", abs(s.t, "testdata/export.yaml"), "--nats-url", s.natsURL)
}

func abs(t testing.TB, path string) string {
	t.Helper()
	p, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// quietRun is what Salesforce looks like after a run in which nothing failed.
func quietRun(t *testing.T) map[string]user {
	t.Helper()
	s := newStack(t, nil)
	s.publish(export(t, s.dir, people, "first"))
	s.settle(settleWithin)
	s.publish(export(t, s.dir, people, "second"))
	s.settle(settleWithin)
	users := s.users()
	if len(users) != people {
		t.Fatalf("%d users, want %d", len(users), people)
	}
	for _, u := range users {
		if !u.IsActive || u.Fields["Title"] != "second" {
			t.Fatalf("user is not as HR says: %+v", u)
		}
	}
	return users
}

// TestKillAnything kills every service, and NATS, again and again during a run,
// and wants Salesforce to end as after a quiet run.
func TestKillAnything(t *testing.T) {
	want := quietRun(t)
	for _, victim := range append(services(), "nats-server") {
		t.Run(victim, func(t *testing.T) {
			s := newStack(t, nil)
			kills := make(chan int)
			stop := make(chan struct{})
			go func() { kills <- s.killing(victim, stop) }()
			s.publishStubbornly(export(t, s.dir, people, "first"))
			s.publishStubbornly(export(t, s.dir, people, "second"))
			eventually(t, settleWithin, "everybody has a user", func(context.Context) error {
				if n := s.summary().UsersActive; n < people {
					return fmt.Errorf("%d users so far", n)
				}
				return nil
			})
			close(stop)
			n := <-kills
			if n < 2 {
				t.Fatalf("%s was killed %d times only: the test proved nothing", victim, n)
			}
			s.settle(settleWithin)
			if got := s.users(); !reflect.DeepEqual(got, want) {
				t.Error(firstDifference(got, want))
			}
			t.Logf("%s was killed %d times", victim, n)
		})
	}
}

// killing kills and restarts a process at random moments until stop closes.
func (s *stack) killing(victim string, stop <-chan struct{}) int {
	n := 0
	for {
		select {
		case <-stop:
			return n
		case <-time.After(50*time.Millisecond + rand.N(400*time.Millisecond)):
			s.restart(victim)
			n++
		}
	}
}

// publishStubbornly publishes until it succeeded: NATS may be down just then.
func (s *stack) publishStubbornly(path string) {
	s.t.Helper()
	eventually(s.t, settleWithin, "published", func(ctx context.Context) error {
		_, err := s.rollcall(ctx, "publish", path, "--mapping", abs(s.t, "testdata/export.yaml"), "--nats-url", s.natsURL)
		return err
	})
}

func firstDifference(got, want map[string]user) string {
	for id, w := range want {
		if g, ok := got[id]; !ok {
			return fmt.Sprintf("no user for %s", id)
		} else if !reflect.DeepEqual(g, w) {
			return fmt.Sprintf("user %s:\n got %+v\nwant %+v", id, g, w)
		}
	}
	return fmt.Sprintf("%d users, want %d", len(got), len(want))
}

// TestReplyLostAfterItWasApplied drops the connection after Salesforce has
// created a batch.
func TestReplyLostAfterItWasApplied(t *testing.T) {
	s := newStack(t, nil)
	s.must(http.MethodPost, "/_emulator/faults", `{"id":"lost","operation":"collections.create","object":"User","effect":"drop_after","times":1}`)
	s.publish(export(t, s.dir, 50, "first"))
	s.settle(settleWithin)
	fault := decode[struct{ Used int }](t, s.must(http.MethodGet, "/_emulator/faults/lost", ""))
	if fault.Used != 1 {
		t.Fatalf("the fault struck %d times", fault.Used)
	}
	if users := s.users(); len(users) != 50 {
		t.Errorf("%d users, want 50", len(users))
	}
	if st, err := s.status(t.Context()); err != nil || len(st.Parked) != 0 {
		t.Errorf("parked %v, error %v", st.Parked, err)
	}
}

// TestParkAndReplay switches creating off, then on, and replays.
func TestParkAndReplay(t *testing.T) {
	s := newStack(t, func(conf string) string { return conf + "      create: false\n" })
	s.publish(export(t, s.dir, 30, "first"))
	s.settle(settleWithin)
	st, err := s.status(t.Context())
	if err != nil || st.Parked["create_disabled"] != 30 {
		t.Fatalf("parked %v, error %v", st.Parked, err)
	}
	if n := len(s.users()); n != 0 {
		t.Fatalf("%d users, want none", n)
	}
	s.tune = nil
	s.writeConfig()
	s.procs["salesforce-pusher"].stop()
	s.procs["salesforce-pusher"].start(t)
	s.run("tasks", "retry", "--cause", "create_disabled", "--all", "--as", "tester", "--reason", "switched on", "--wait", "--nats-url", s.natsURL)
	s.settle(settleWithin)
	if st, err = s.status(t.Context()); err != nil || len(st.Parked) != 0 {
		t.Errorf("still parked %v, error %v", st.Parked, err)
	}
	if n := len(s.users()); n != 30 {
		t.Errorf("%d users, want 30", n)
	}
	audit := string(s.run("audit", "--nats-url", s.natsURL, "-o", "json"))
	for _, want := range []string{`"tester"`, `"retry"`, `"closed"`, "switched on"} {
		if !strings.Contains(audit, want) {
			t.Errorf("the audit log does not say %s: %.600s", want, audit)
		}
	}
}

// TestRevokedCredentialsHoldTheOrg changes the secret in Salesforce while the
// services run.
func TestRevokedCredentialsHoldTheOrg(t *testing.T) {
	s := newStack(t, nil)
	s.publish(export(t, s.dir, 5, "first"))
	s.settle(settleWithin)
	s.must(http.MethodPatch, "/_emulator/orgs/-/apps/"+clientID, `{"clientSecret":"rotated-by-the-admin"}`)
	s.must(http.MethodDelete, "/_emulator/orgs/-/sessions", "")
	s.publish(export(t, s.dir, 40, "second"))
	eventually(t, settleWithin, "the org is held", func(ctx context.Context) error {
		st, err := s.status(ctx)
		if err != nil {
			return err
		}
		if o := st.Orgs[0]; !o.Held || o.Cause != "credentials" || o.Advice == "" || !strings.Contains(o.Why, "invalid_client") && !strings.Contains(o.Why, "client") {
			return fmt.Errorf("org is %+v", o)
		}
		if len(st.Parked) > 0 {
			return fmt.Errorf("parked %v", st.Parked)
		}
		return nil
	})
	s.write(filepath.Join(s.dir, "client-secret"), "rotated-by-the-admin")
	eventually(t, settleWithin, "it drains by itself", func(context.Context) error {
		if n := len(s.users()); n != 40 {
			return fmt.Errorf("%d users", n)
		}
		return nil
	})
	s.settle(settleWithin)
	if st, err := s.status(t.Context()); err != nil || len(st.Parked) != 0 || st.Orgs[0].Held {
		t.Errorf("status %+v, error %v", st, err)
	}
}

// TestLoadIsBatched wants few calls for many people, and none for the same again.
func TestLoadIsBatched(t *testing.T) {
	s := newStack(t, nil)
	path := export(t, s.dir, 1000, "first")
	s.publish(path)
	s.settle(settleWithin)
	first := s.summary()
	if len(s.users()) != 1000 || first.APICalls > 15 {
		t.Errorf("%d users took %d API calls (%v), want at most 15", len(s.users()), first.APICalls, first.ByOperation)
	}
	t.Logf("1,000 new people: %d API calls, %v", first.APICalls, first.ByOperation)
	s.publish(path)
	s.settle(settleWithin)
	if again := s.summary(); again.APICalls != first.APICalls {
		t.Errorf("the same export again made %d API calls", again.APICalls-first.APICalls)
	}
}
