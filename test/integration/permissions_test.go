//go:build !containers

package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// securedPeople are enough for several batches of every kind.
const securedPeople = 300

// TestLeastPermissionsAreEnough runs the whole system with TLS, an nkey per
// service and encryption: a load, a park, a retry, a leaver. Nobody may try
// what it may not do, and nothing is on NATS's disk in plain text.
func TestLeastPermissionsAreEnough(t *testing.T) {
	parallel(t)
	r := newSecuredRig(t)
	r.must(http.MethodPost, "/_emulator/faults",
		`{"id":"bad","field":"Username","value":"e00007@rollcall.example","effect":"validation_rule","message":"No"}`)
	r.publish(export(t, r.dir, 0, securedPeople, "canary-of-the-title"))
	r.awaitQuiet(quietWithin)
	r.wantParked(1)
	r.must(http.MethodDelete, "/_emulator/faults/bad", "")
	r.run("tasks", "retry", "--all", "--as", "tester", "--wait")
	r.awaitQuiet(quietWithin)
	r.wantParked(0)
	r.must(http.MethodDelete, "/_emulator/orgs/-/sessions", "") // health goes to token-refresher and a token comes back
	r.publish(leaver(t, r.dir, 3))
	r.awaitQuiet(quietWithin)
	users := r.users()
	if len(users) != securedPeople || users["e00003"].IsActive || !users["e00004"].IsActive {
		t.Errorf("%d users, the leaver %+v", len(users), users["e00003"])
	}
	r.run("person", "show", "e00007@rollcall.example")
	r.run("audit")
	r.run("provision", "--config", r.configPath())
	r.wantNoViolations()
	r.wantNowhere(filepath.Join(r.dir, "nats"), "canary-of-the-title")
}

// TestNkeyRotation changes a service's key as the runbook says.
func TestNkeyRotation(t *testing.T) {
	parallel(t)
	r := newSecuredRig(t)
	r.publish(export(t, r.dir, 0, 10, "first"))
	r.awaitQuiet(quietWithin) // all have started, each with its first key
	old, err := os.ReadFile(r.secrets("assignment.nkey"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(r.secrets("assignment.nkey")); err != nil {
		t.Fatal(err)
	}
	r.run("keys", "compose", r.secrets(""), "--config", r.configPath())
	if err := r.procs["nats-server"].(*process).cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	// It sits on the old key still: what is published now waits.
	r.publish(export(t, r.dir, 0, 20, "second"))
	r.procs["assignment"].stop()
	r.procs["assignment"].start(t)
	r.awaitQuiet(quietWithin)
	if n := len(r.users()); n != 20 {
		t.Errorf("%d users, want 20", n)
	}
	former := filepath.Join(r.dir, "former.nkey")
	r.write(former, string(old))
	opt, err := nats.NkeyOptionFromSeed(former)
	if err != nil {
		t.Fatal(err)
	}
	if nc, err := nats.Connect(r.natsURL, opt, nats.RootCAs(r.secrets("ca.crt"))); err == nil {
		nc.Close()
		t.Error("the old key is still let in")
	}
}

func leaver(t *testing.T, dir string, n int) string {
	t.Helper()
	path := export(t, dir, n, 1, "leaver")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.ReplaceAll(text, []byte(",yes"), []byte(",no")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (r *rig) wantParked(want int) {
	r.t.Helper()
	eventually(r.t, quietWithin, fmt.Sprintf("%d parked", want), func(ctx context.Context) error {
		st, err := r.status(ctx)
		if err != nil {
			return err
		}
		n := 0
		for _, parked := range st.Parked {
			n += parked
		}
		if n != want {
			return fmt.Errorf("parked %v", st.Parked)
		}
		return nil
	})
}

// wantNoViolations wants the server to have refused nobody anything.
func (r *rig) wantNoViolations() {
	r.t.Helper()
	for line := range strings.Lines(r.procs["nats-server"].output()) {
		if strings.Contains(line, "Violation") || strings.Contains(line, "[ERR]") {
			r.t.Error(line)
		}
	}
}

// wantNowhere wants no file of a folder to hold a text.
func (r *rig) wantNowhere(dir, text string) {
	r.t.Helper()
	looked := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		looked += len(data)
		if bytes.Contains(data, []byte(text)) {
			r.t.Errorf("%s holds %q", path, text)
		}
		return err
	})
	if err != nil || looked < 100_000 {
		r.t.Errorf("looked at %d bytes, error %v", looked, err)
	}
}

// TestForgersChangeNothing publishes, in the role of one service, what only
// another may say.
func TestForgersChangeNothing(t *testing.T) {
	parallel(t)
	r := newSecuredRig(t)
	r.publish(export(t, r.dir, 0, 20, "first"))
	r.awaitQuiet(quietWithin)
	before := r.users()
	key := r.keyOf("e00005@rollcall.example")
	wish, err := events.Encode(events.Desired{Org: "acme", Key: key, Lane: events.LaneLeaver, Hash: "forged"})
	if err != nil {
		t.Fatal(err)
	}
	retry := []byte(`{"v":1,"id":"forged","by":"nobody","at":"2026-01-31T08:00:00Z","targets":[{"org":"acme","cause":"licence","key":"` + string(key) + `","seq":1}]}`)

	// What is not theirs to say is refused.
	for role, subject := range map[string]string{
		"salesforce-pusher": events.DirectorySubject("hr", "person"),
		"publisher-hr":      events.DesiredSubject("acme", key),
		"operator":          events.WorkSubject("acme", events.LaneLeaver, key),
		"token-refresher":   events.OutcomeSubject("acme", key),
		"retry-scheduler":   events.OperatorSubject(events.VerbRetry),
		"assignment":        events.OperatorSubject(events.VerbRetried),
	} {
		if err := r.forge(role, subject, retry, nil); !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("%s, %s: %v", role, subject, err)
		}
		// It answers before its log is read.
		eventually(t, quietWithin, "the server's log names "+subject, func(context.Context) error {
			if !strings.Contains(r.procs["nats-server"].output(), `Publish Violation - Subject "`+subject+`"`) {
				return errors.New("not yet")
			}
			return nil
		})
	}

	// What they may publish finds nothing to do.
	work := events.WorkSubject("acme", events.LaneLeaver, key)
	stranger := events.WorkSubject("acme", events.LaneLeaver, "abcdefghijklmnopqrstuvwxyz234567")
	for _, subject := range []string{work, stranger} {
		if err := r.forge("retry-scheduler", subject, []byte(`{"v":1}`), nil); err != nil {
			t.Error(err)
		}
	}
	if err := r.forge("operator", events.OperatorSubject(events.VerbRetry), retry, nil); err != nil {
		t.Error(err) // an admin may ask; there is no such dead letter
	}
	schedule := func(target string) nats.Header {
		return nats.Header{"Nats-Schedule": {"@at " + time.Now().UTC().Format(time.RFC3339Nano)}, "Nats-Schedule-Target": {target}}
	}
	if err := r.forge("retry-scheduler", events.RetrySubject("acme", key), []byte(`{"v":1}`), schedule(work)); err != nil {
		t.Error(err)
	}
	if err := r.forge("retry-scheduler", events.RetrySubject("acme", key), wish, schedule(events.DirectorySubject("hr", "person"))); err == nil {
		t.Error("a schedule may aim at another stream")
	}
	r.awaitQuiet(quietWithin)
	if got := r.users(); !reflect.DeepEqual(got, before) {
		t.Error(firstDifference(got, before))
	}
	r.wantParked(0)

	// A wish that a schedule put there is in the stream, and is not believed.
	if err := r.forge("salesforce-pusher", events.LinkSubject("acme", "abcdefghijklmnopqrstuvwxyz234567"), wish, schedule(events.DesiredSubject("acme", key))); err != nil {
		t.Fatal(err)
	}
	eventually(t, quietWithin, "the pusher says that it does not believe it", func(context.Context) error {
		if err := r.forge("retry-scheduler", work, []byte(`{"v":1}`), nil); err != nil {
			return err
		}
		if !strings.Contains(r.procs["salesforce-pusher"].output(), "it is not believed") {
			return errors.New("not yet")
		}
		return nil
	})
	if u := r.users()["e00005"]; !u.IsActive {
		t.Error("a forged wish deactivated somebody")
	}
}

// keyOf finds a person's key.
func (r *rig) keyOf(username string) events.Key {
	r.t.Helper()
	found := decode[struct {
		Key events.Key `json:"key"`
	}](r.t, r.run("person", "show", username, "-o", "json"))
	if found.Key == "" {
		r.t.Fatalf("no key of %s", username)
	}
	return found.Key
}

// forge publishes with a role's own key, and returns what the server said.
func (r *rig) forge(role, subject string, data []byte, header nats.Header) error {
	r.t.Helper()
	opt, err := nats.NkeyOptionFromSeed(r.secrets(role + ".nkey"))
	if err != nil {
		r.t.Fatal(err)
	}
	refused := make(chan error, 1)
	nc, err := nats.Connect(r.natsURL, opt, nats.RootCAs(r.secrets("ca.crt")), nats.CustomInboxPrefix("_INBOX_"+role),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	if err != nil {
		r.t.Fatal(err)
	}
	defer nc.Close()
	answered := make(chan error, 1)
	go func() {
		m, err := nc.RequestMsg(&nats.Msg{Subject: subject, Data: data, Header: header}, 10*time.Second)
		if err == nil && bytes.Contains(m.Data, []byte(`"error"`)) {
			err = errors.New(string(m.Data))
		}
		answered <- err
	}()
	select {
	case err := <-refused:
		return err
	case err := <-answered:
		return err
	}
}
