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
	s := newSecuredStack(t)
	s.must(http.MethodPost, "/_emulator/faults",
		`{"id":"bad","field":"Username","value":"e00007@rollcall.example","effect":"validation_rule","message":"No"}`)
	s.publish(export(t, s.dir, 0, securedPeople, "canary-of-the-title"))
	s.settle(settleWithin)
	s.wantParked(1)
	s.must(http.MethodDelete, "/_emulator/faults/bad", "")
	s.run("tasks", "retry", "--all", "--as", "tester", "--wait")
	s.settle(settleWithin)
	s.wantParked(0)
	s.must(http.MethodDelete, "/_emulator/orgs/-/sessions", "") // health goes to token-refresher and a token comes back
	s.publish(leaver(t, s.dir, 3))
	s.settle(settleWithin)
	users := s.users()
	if len(users) != securedPeople || users["e00003"].IsActive || !users["e00004"].IsActive {
		t.Errorf("%d users, the leaver %+v", len(users), users["e00003"])
	}
	s.run("person", "show", "e00007@rollcall.example")
	s.run("audit")
	s.run("provision", "--config", s.configPath())
	s.wantNoViolations()
	s.wantNowhere(filepath.Join(s.dir, "nats"), "canary-of-the-title")
}

// TestNkeyRotation changes a service's key as the runbook says.
func TestNkeyRotation(t *testing.T) {
	parallel(t)
	s := newSecuredStack(t)
	s.publish(export(t, s.dir, 0, 10, "first"))
	s.settle(settleWithin) // all have started, each with its first key
	old, err := os.ReadFile(s.secrets("assignment.nkey"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(s.secrets("assignment.nkey")); err != nil {
		t.Fatal(err)
	}
	s.run("keys", "compose", s.secrets(""), "--config", s.configPath())
	if err := s.procs["nats-server"].(*process).cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	// It sits on the old key still: what is published now waits.
	s.publish(export(t, s.dir, 0, 20, "second"))
	s.procs["assignment"].stop()
	s.procs["assignment"].start(t)
	s.settle(settleWithin)
	if n := len(s.users()); n != 20 {
		t.Errorf("%d users, want 20", n)
	}
	former := filepath.Join(s.dir, "former.nkey")
	s.write(former, string(old))
	opt, err := nats.NkeyOptionFromSeed(former)
	if err != nil {
		t.Fatal(err)
	}
	if nc, err := nats.Connect(s.natsURL, opt, nats.RootCAs(s.secrets("ca.crt"))); err == nil {
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

func (s *stack) wantParked(want int) {
	s.t.Helper()
	eventually(s.t, settleWithin, fmt.Sprintf("%d parked", want), func(ctx context.Context) error {
		st, err := s.status(ctx)
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
func (s *stack) wantNoViolations() {
	s.t.Helper()
	for line := range strings.Lines(s.procs["nats-server"].output()) {
		if strings.Contains(line, "Violation") || strings.Contains(line, "[ERR]") {
			s.t.Error(line)
		}
	}
}

// wantNowhere wants no file of a folder to hold a text.
func (s *stack) wantNowhere(dir, text string) {
	s.t.Helper()
	looked := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		looked += len(data)
		if bytes.Contains(data, []byte(text)) {
			s.t.Errorf("%s holds %q", path, text)
		}
		return err
	})
	if err != nil || looked < 100_000 {
		s.t.Errorf("looked at %d bytes, error %v", looked, err)
	}
}

// TestForgersChangeNothing publishes, in the role of one service, what only
// another may say.
func TestForgersChangeNothing(t *testing.T) {
	parallel(t)
	s := newSecuredStack(t)
	s.publish(export(t, s.dir, 0, 20, "first"))
	s.settle(settleWithin)
	before := s.users()
	key := s.keyOf("e00005@rollcall.example")
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
		if err := s.forge(role, subject, retry, nil); !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("%s, %s: %v", role, subject, err)
		}
		// It answers before its log is read.
		eventually(t, settleWithin, "the server's log names "+subject, func(context.Context) error {
			if !strings.Contains(s.procs["nats-server"].output(), `Publish Violation - Subject "`+subject+`"`) {
				return errors.New("not yet")
			}
			return nil
		})
	}

	// What they may publish finds nothing to do.
	work := events.WorkSubject("acme", events.LaneLeaver, key)
	stranger := events.WorkSubject("acme", events.LaneLeaver, "abcdefghijklmnopqrstuvwxyz234567")
	for _, subject := range []string{work, stranger} {
		if err := s.forge("retry-scheduler", subject, []byte(`{"v":1}`), nil); err != nil {
			t.Error(err)
		}
	}
	if err := s.forge("operator", events.OperatorSubject(events.VerbRetry), retry, nil); err != nil {
		t.Error(err) // an admin may ask; there is no such dead letter
	}
	schedule := func(target string) nats.Header {
		return nats.Header{"Nats-Schedule": {"@at " + time.Now().UTC().Format(time.RFC3339Nano)}, "Nats-Schedule-Target": {target}}
	}
	if err := s.forge("retry-scheduler", events.RetrySubject("acme", key), []byte(`{"v":1}`), schedule(work)); err != nil {
		t.Error(err)
	}
	if err := s.forge("retry-scheduler", events.RetrySubject("acme", key), wish, schedule(events.DirectorySubject("hr", "person"))); err == nil {
		t.Error("a schedule may aim at another stream")
	}
	s.settle(settleWithin)
	if got := s.users(); !reflect.DeepEqual(got, before) {
		t.Error(firstDifference(got, before))
	}
	s.wantParked(0)

	// A wish that a schedule put there is in the stream, and is not believed.
	if err := s.forge("salesforce-pusher", events.LinkSubject("acme", "abcdefghijklmnopqrstuvwxyz234567"), wish, schedule(events.DesiredSubject("acme", key))); err != nil {
		t.Fatal(err)
	}
	eventually(t, settleWithin, "the pusher says that it does not believe it", func(context.Context) error {
		if err := s.forge("retry-scheduler", work, []byte(`{"v":1}`), nil); err != nil {
			return err
		}
		if !strings.Contains(s.procs["salesforce-pusher"].output(), "it is not believed") {
			return errors.New("not yet")
		}
		return nil
	})
	if u := s.users()["e00005"]; !u.IsActive {
		t.Error("a forged wish deactivated somebody")
	}
}

// keyOf finds a person's key.
func (s *stack) keyOf(username string) events.Key {
	s.t.Helper()
	found := decode[struct {
		Key events.Key `json:"key"`
	}](s.t, s.run("person", "show", username, "-o", "json"))
	if found.Key == "" {
		s.t.Fatalf("no key of %s", username)
	}
	return found.Key
}

// forge publishes with a role's own key, and returns what the server said.
func (s *stack) forge(role, subject string, data []byte, header nats.Header) error {
	s.t.Helper()
	opt, err := nats.NkeyOptionFromSeed(s.secrets(role + ".nkey"))
	if err != nil {
		s.t.Fatal(err)
	}
	refused := make(chan error, 1)
	nc, err := nats.Connect(s.natsURL, opt, nats.RootCAs(s.secrets("ca.crt")), nats.CustomInboxPrefix("_INBOX_"+role),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	if err != nil {
		s.t.Fatal(err)
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
