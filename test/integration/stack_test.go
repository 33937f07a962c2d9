package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	clientID     = "rollcall-test"
	clientSecret = "a-secret-of-the-test"
)

// services are the processes that may be killed at any moment.
func services() []string {
	return []string{"assignment", "token-refresher", "salesforce-pusher", "retry-scheduler"}
}

// stack is the whole system, each part a process of its own.
type stack struct {
	t       testing.TB
	dir     string
	bin     string
	natsURL string
	sfURL   string
	procs   map[string]*process
	tune    func(string) string
}

// newStack starts NATS, the emulator and all services. tune may change the
// configuration file's text before the services read it.
func newStack(t testing.TB, tune func(string) string) *stack {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{t: t, dir: t.TempDir(), bin: bin, procs: map[string]*process{}, tune: tune}
	t.Cleanup(s.down)
	s.startNATS()
	s.startEmulator()
	s.writeConfig()
	for _, name := range services() {
		s.add(name, nil, filepath.Join(bin, name), "--config", s.configPath())
	}
	return s
}

func (s *stack) configPath() string { return filepath.Join(s.dir, "rollcall.yaml") }

func (s *stack) add(name string, env []string, args ...string) {
	s.t.Helper()
	p := &process{name: name, args: args, env: env, log: filepath.Join(s.dir, name+".log")}
	s.procs[name] = p
	p.start(s.t)
}

func (s *stack) startNATS() {
	s.t.Helper()
	port := freePort(s.t)
	s.natsURL = fmt.Sprintf("nats://127.0.0.1:%d", port)
	conf := fmt.Sprintf("listen: 127.0.0.1:%d\njetstream { store_dir: %q, sync_interval: always }\n", port, filepath.Join(s.dir, "nats"))
	path := filepath.Join(s.dir, "nats.conf")
	s.write(path, conf)
	s.add("nats-server", nil, filepath.Join(s.bin, "nats-server"), "-c", path)
}

func (s *stack) startEmulator() {
	s.t.Helper()
	addr := fmt.Sprintf("127.0.0.1:%d", freePort(s.t))
	s.sfURL = "http://" + addr
	s.add("emulator", nil, filepath.Join(s.bin, "rollcall"), "emulator", "--listen", addr,
		"--client-id", clientID, "--client-secret", clientSecret)
	eventually(s.t, 20*time.Second, "the emulator answers", func(ctx context.Context) error {
		_, err := s.get(ctx, "/services/data")
		return err
	})
}

func (s *stack) writeConfig() {
	s.t.Helper()
	text, err := os.ReadFile("testdata/rollcall.yaml")
	if err != nil {
		s.t.Fatal(err)
	}
	conf := strings.NewReplacer("NATS_URL", s.natsURL, "SALESFORCE_URL", s.sfURL, "CLIENT_ID", clientID).Replace(string(text))
	if s.tune != nil {
		conf = s.tune(conf)
	}
	s.write(s.configPath(), conf)
	s.write(filepath.Join(s.dir, "client-secret"), clientSecret)
	s.write(filepath.Join(s.dir, "deployment.key"), strings.Repeat("k", 64))
	if _, err := os.Stat(filepath.Join(s.dir, "tokens.key")); err == nil {
		return
	}
	s.run("keys", "tokens", filepath.Join(s.dir, "tokens.key"))
}

func (s *stack) write(path, text string) {
	s.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// down stops everything, and shows the logs of a test that failed.
func (s *stack) down() {
	for _, name := range append(services(), "emulator", "nats-server") {
		if p := s.procs[name]; p != nil {
			p.stop()
		}
	}
	if !s.t.Failed() {
		return
	}
	for name, p := range s.procs {
		text, err := os.ReadFile(p.log)
		if err != nil {
			continue
		}
		const most = 6000
		if len(text) > most {
			text = text[len(text)-most:]
		}
		s.t.Logf("---- end of %s.log\n%s", name, text)
	}
}

// restart kills a process and starts it again.
func (s *stack) restart(name string) {
	s.t.Helper()
	s.procs[name].kill(s.t)
	s.procs[name].start(s.t)
}

// rollcall runs the command line and returns its standard output.
func (s *stack) rollcall(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "rollcall"), args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	cmd.Dir = s.dir
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("rollcall %s: %w: %s", strings.Join(args, " "), err, errOut.String())
	}
	return out.Bytes(), err
}

// run is rollcall for what must succeed.
func (s *stack) run(args ...string) []byte {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	out, err := s.rollcall(ctx, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func (s *stack) get(ctx context.Context, path string) ([]byte, error) {
	return s.call(ctx, http.MethodGet, path, "")
}

func (s *stack) call(ctx context.Context, method, path, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.sfURL+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, data)
	}
	return data, err
}

// must is call for what must succeed.
func (s *stack) must(method, path, body string) []byte {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	data, err := s.call(ctx, method, path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	return data
}

// summary is what the emulator counted.
type summary struct {
	APICalls      int            `json:"apiCalls"`
	MutatingCalls int            `json:"mutatingCalls"`
	TokenRequests int            `json:"tokenRequests"`
	ByOperation   map[string]int `json:"byOperation"`
	UsersActive   int            `json:"usersActive"`
	UsersInactive int            `json:"usersInactive"`
}

func (s *stack) summary() summary {
	s.t.Helper()
	return decode[summary](s.t, s.must(http.MethodGet, "/_emulator/summary", ""))
}

// user is a Salesforce user as the emulator shows it.
type user struct {
	Username             string         `json:"username"`
	LastName             string         `json:"lastName"`
	Email                string         `json:"email"`
	FederationIdentifier string         `json:"federationIdentifier"`
	EmployeeNumber       string         `json:"employeeNumber"`
	IsActive             bool           `json:"isActive"`
	IsFrozen             bool           `json:"isFrozen"`
	Profile              string         `json:"profile"`
	PermissionSets       []string       `json:"permissionSets"`
	Groups               []string       `json:"groups"`
	Fields               map[string]any `json:"fields"`
}

// users are the users Rollcall made, by federation id; two for one person fail
// the test.
func (s *stack) users() map[string]user {
	s.t.Helper()
	states := decode[[]struct{ Users []user }](s.t, s.must(http.MethodGet, "/_emulator/state?stable=true", ""))
	out := map[string]user{}
	for _, u := range states[0].Users {
		if u.FederationIdentifier == "" {
			continue // the org's own
		}
		if _, twice := out[u.FederationIdentifier]; twice {
			s.t.Errorf("two users for %s", u.FederationIdentifier)
		}
		delete(u.Fields, "CreatedDate")
		delete(u.Fields, "LastModifiedDate")
		delete(u.Fields, "SystemModstamp")
		out[u.FederationIdentifier] = u
	}
	return out
}

func decode[T any](t testing.TB, data []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("decode %T from %.300s: %v", v, data, err)
	}
	return v
}

// settle waits until nothing is on its way any more, as `rollcall status` sees it.
func (s *stack) settle(within time.Duration) {
	s.t.Helper()
	quiet := 0
	eventually(s.t, within, "all is quiet", func(ctx context.Context) error {
		if err := s.quiet(ctx); err != nil {
			quiet = 0
			return err
		}
		if quiet++; quiet < 3 {
			return errors.New("not for long yet")
		}
		return nil
	})
}

// status is the part of `rollcall status -o json` that the tests read.
type status struct {
	Stages []struct {
		Name       string `json:"name"`
		Pending    int    `json:"pending"`
		AckPending int    `json:"ackPending"`
	} `json:"stages"`
	Orgs []struct {
		Name   string `json:"name"`
		Held   bool   `json:"held"`
		Cause  string `json:"cause"`
		Why    string `json:"why"`
		Advice string `json:"advice"`
		Lanes  []struct {
			Lane    string `json:"lane"`
			Waiting int    `json:"waiting"`
			InHand  int    `json:"inHand"`
		} `json:"lanes"`
	} `json:"orgs"`
	Parked    map[string]int `json:"parked"`
	Scheduled int            `json:"scheduled"`
}

func (s *stack) status(ctx context.Context) (status, error) {
	out, err := s.rollcall(ctx, "status", "--nats-url", s.natsURL, "-o", "json")
	if err != nil {
		return status{}, err
	}
	return decode[status](s.t, out), nil
}

func (s *stack) quiet(ctx context.Context) error {
	st, err := s.status(ctx)
	if err != nil {
		return err
	}
	for _, stage := range st.Stages {
		if stage.Pending+stage.AckPending > 0 {
			return fmt.Errorf("%s has %d waiting, %d in hand", stage.Name, stage.Pending, stage.AckPending)
		}
	}
	for _, org := range st.Orgs {
		for _, lane := range org.Lanes {
			if lane.Waiting+lane.InHand > 0 {
				return fmt.Errorf("lane %s has %d waiting, %d in hand", lane.Lane, lane.Waiting, lane.InHand)
			}
		}
	}
	if st.Scheduled > 0 {
		return fmt.Errorf("%d retries are scheduled", st.Scheduled)
	}
	return nil
}
