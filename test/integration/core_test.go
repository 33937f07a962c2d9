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
	quietWithin = 90 * time.Second
	people      = 800
)

// export writes an HR export of n people, the first of them number first, and
// returns its path.
func export(t testing.TB, dir string, first, n int, title string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("Number,Given,Family,User,Title,Department,Active\n")
	for i := first; i < first+n; i++ {
		fmt.Fprintf(&b, "e%05d,Given%d,Family%d,e%05d@rollcall.example,%s,Department %d,yes\n", i, i, i, i, title, i%7)
	}
	path := filepath.Join(dir, fmt.Sprintf("export-%s-%d.csv", title, first))
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (r *rig) publish(path string) {
	r.t.Helper()
	r.run("publish", path, "--mapping", abs(r.t, "testdata/export.yaml"))
}

func abs(t testing.TB, path string) string {
	t.Helper()
	p, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// portions is in how many parts an export is published, so that a run lasts.
const portions = 8

// load publishes everybody twice, the second time with another title, while
// Salesforce is slow and locks a few rows.
func (r *rig) load() {
	r.t.Helper()
	r.must(http.MethodPost, "/_emulator/faults", `{"operation":"any","effect":"slow","delayMillis":60}`)
	for i := range 5 {
		r.must(http.MethodPost, "/_emulator/faults", fmt.Sprintf(
			`{"id":"lock%d","field":"Username","value":"e%05d@rollcall.example","effect":"lock_row","times":2}`, i, i*100))
	}
	for _, title := range []string{"first", "second"} {
		for i := range portions {
			r.publishStubbornly(export(r.t, r.dir, i*people/portions, people/portions, title))
		}
	}
}

// check wants everybody as HR says, once.
func (r *rig) check() map[string]user {
	r.t.Helper()
	users := r.users()
	if len(users) != people {
		r.t.Errorf("%d users, want %d", len(users), people)
	}
	for _, u := range users {
		if !u.IsActive || u.Fields["Title"] != "second" {
			r.t.Fatalf("user is not as HR says: %+v", u)
		}
	}
	st, err := r.status(r.t.Context())
	if err != nil || len(st.Parked) > 0 {
		r.t.Errorf("parked: %v, error %v", st.Parked, err)
	}
	for i := range 5 {
		f := decode[struct{ Used int }](r.t, r.must(http.MethodGet, fmt.Sprintf("/_emulator/faults/lock%d", i), ""))
		if f.Used != 2 {
			r.t.Errorf("row lock %d struck %d times, want 2", i, f.Used)
		}
	}
	return users
}

// TestKillAnything kills every service, and NATS, again and again during a run,
// and wants Salesforce to end as after a quiet run.
func TestKillAnything(t *testing.T) {
	oneNode(t)
	parallel(t)
	quiet := newRig(t, nil)
	quiet.load()
	quiet.awaitQuiet(quietWithin)
	want := quiet.check()
	quiet.down()
	for _, victim := range append(services(), "nats-server") {
		t.Run(victim, func(t *testing.T) {
			parallel(t)
			r := newRig(t, nil)
			killed := make(chan int)
			stop := make(chan struct{})
			go func() { killed <- r.killing(victim, stop) }()
			r.load()
			close(stop)
			n := <-killed
			r.awaitQuiet(quietWithin)
			if got := r.check(); !reflect.DeepEqual(got, want) {
				t.Error(firstDifference(got, want))
			}
			t.Logf("%s was killed %d times", victim, n)
		})
	}
}

// killing kills and restarts a process at random moments until stop closes, and
// some more while what was set going is still under way.
func (r *rig) killing(victim string, stop <-chan struct{}) int {
	n := 0
	for {
		select {
		case <-stop:
			if n >= kills {
				return n
			}
			stop = nil
		case <-time.After(alive/4 + rand.N(alive)):
			r.restart(victim)
			if n++; stop == nil && n >= kills {
				return n
			}
		}
	}
}

// publishStubbornly publishes until it succeeded: NATS may be down just then.
func (r *rig) publishStubbornly(path string) {
	r.t.Helper()
	eventually(r.t, quietWithin, "published", func(ctx context.Context) error {
		_, err := r.rollcall(ctx, "publish", path, "--mapping", abs(r.t, "testdata/export.yaml"))
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
	parallel(t)
	r := newRig(t, nil)
	r.must(http.MethodPost, "/_emulator/faults", `{"id":"lost","operation":"collections.create","object":"User","effect":"drop_after","times":1}`)
	r.publish(export(t, r.dir, 0, 50, "first"))
	r.awaitQuiet(quietWithin)
	fault := decode[struct{ Used int }](t, r.must(http.MethodGet, "/_emulator/faults/lost", ""))
	if fault.Used != 1 {
		t.Fatalf("the fault struck %d times", fault.Used)
	}
	if users := r.users(); len(users) != 50 {
		t.Errorf("%d users, want 50", len(users))
	}
	if st, err := r.status(t.Context()); err != nil || len(st.Parked) != 0 {
		t.Errorf("parked %v, error %v", st.Parked, err)
	}
}

// TestParkAndReplay switches creating off, then on, and replays.
func TestParkAndReplay(t *testing.T) {
	oneNode(t)
	parallel(t)
	r := newRig(t, func(conf string) string { return conf + "      create: false\n" })
	r.publish(export(t, r.dir, 0, 30, "first"))
	r.awaitQuiet(quietWithin)
	st, err := r.status(t.Context())
	if err != nil || st.Parked["create_disabled"] != 30 {
		t.Fatalf("parked %v, error %v", st.Parked, err)
	}
	if n := len(r.users()); n != 0 {
		t.Fatalf("%d users, want none", n)
	}
	r.tune = nil
	r.writeConfig()
	r.procs["salesforce-pusher"].stop()
	r.procs["salesforce-pusher"].start(t)
	r.run("tasks", "retry", "--cause", "create_disabled", "--all", "--as", "tester", "--reason", "switched on", "--wait")
	r.awaitQuiet(quietWithin)
	if st, err = r.status(t.Context()); err != nil || len(st.Parked) != 0 {
		t.Errorf("still parked %v, error %v", st.Parked, err)
	}
	if n := len(r.users()); n != 30 {
		t.Errorf("%d users, want 30", n)
	}
	audit := string(r.run("audit", "-o", "json"))
	for _, want := range []string{`"tester"`, `"retry"`, `"closed"`, "switched on"} {
		if !strings.Contains(audit, want) {
			t.Errorf("the audit log does not say %s: %.600s", want, audit)
		}
	}
}

// TestRevokedCredentialsHoldTheOrg changes the secret in Salesforce while the
// services run.
func TestRevokedCredentialsHoldTheOrg(t *testing.T) {
	oneNode(t)
	parallel(t)
	r := newRig(t, nil)
	r.publish(export(t, r.dir, 0, 5, "first"))
	r.awaitQuiet(quietWithin)
	r.must(http.MethodPatch, "/_emulator/orgs/-/apps/"+clientID, `{"clientSecret":"rotated-by-the-admin"}`)
	r.must(http.MethodDelete, "/_emulator/orgs/-/sessions", "")
	r.publish(export(t, r.dir, 0, 40, "second"))
	eventually(t, quietWithin, "the org is held", func(ctx context.Context) error {
		st, err := r.status(ctx)
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
	r.write(r.secret, "rotated-by-the-admin")
	eventually(t, quietWithin, "it drains by itself", func(context.Context) error {
		if n := len(r.users()); n != 40 {
			return fmt.Errorf("%d users", n)
		}
		return nil
	})
	r.awaitQuiet(quietWithin)
	if st, err := r.status(t.Context()); err != nil || len(st.Parked) != 0 || st.Orgs[0].Held {
		t.Errorf("status %+v, error %v", st, err)
	}
}

// TestLoadIsBatched wants few calls for many people, and none for the same again.
func TestLoadIsBatched(t *testing.T) {
	parallel(t)
	r := newRig(t, nil)
	path := export(t, r.dir, 0, 1000, "first")
	r.publish(path)
	r.awaitQuiet(quietWithin)
	first := r.summary()
	if len(r.users()) != 1000 || first.APICalls > 15 {
		t.Errorf("%d users took %d API calls (%v), want at most 15", len(r.users()), first.APICalls, first.ByOperation)
	}
	t.Logf("1,000 new people: %d API calls, %v", first.APICalls, first.ByOperation)
	r.publish(path)
	r.awaitQuiet(quietWithin)
	if again := r.summary(); again.APICalls != first.APICalls {
		t.Errorf("the same export again made %d API calls", again.APICalls-first.APICalls)
	}
}

// perArrival is how many people arrive at a time.
const perArrival = 60

// arrive publishes some more people.
func (r *rig) arrive(arrived *int) {
	r.t.Helper()
	r.publishStubbornly(export(r.t, r.dir, *arrived, perArrival, "first"))
	*arrived += perArrival
}
