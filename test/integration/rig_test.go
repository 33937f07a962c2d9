package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	clientID     = "rollcall-demo"
	clientSecret = "a-secret-of-the-test"
)

// services are the processes that may be killed at any moment.
func services() []string {
	return []string{"assignment", "token-refresher", "salesforce-pusher", "retry-scheduler"}
}

// part is one program of the system under test: a process or a container.
type part interface {
	// start starts it; one that runs goes on.
	start(t testing.TB)
	// kill ends it as a power cut would: SIGKILL, no goodbye.
	kill(t testing.TB)
	// stop asks it to end and waits until it has.
	stop()
	// pause stops it in the middle of whatever it does, resume lets it go on.
	pause(t testing.TB)
	resume(t testing.TB)
	// output is what it logged so far.
	output() string
}

// rig is the whole system, each part a process or a container of its own.
type rig struct {
	t   testing.TB
	dir string
	// bin is the folder of the binaries that this machine runs.
	bin string
	// flags let the command line reach this rig.
	flags func(command string) []string
	// env is what the command line finds in its environment beside this one's.
	env []string
	// natsURL is where this machine reaches NATS.
	natsURL string
	// sfURL is where this machine reaches the emulated org, web with what client.
	sfURL string
	web   *http.Client
	// secret is the file with the org's consumer secret.
	secret string
	procs  map[string]part
	// template is the configuration file before replacer fills it in.
	template string
	replacer *strings.Replacer
	tune     func(string) string
	// takeDown ends what launch began.
	takeDown func()
}

// newRig starts the whole system. tune may change the configuration file's
// text before the services read it.
func newRig(t testing.TB, tune func(string) string) *rig {
	t.Helper()
	return newRigOf(t, "testdata/rollcall.yaml", tune)
}

// newRigOf is newRig with a configuration of the test's own.
func newRigOf(t testing.TB, template string, tune func(string) string) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), web: http.DefaultClient, procs: map[string]part{}, template: template, tune: tune}
	t.Cleanup(r.down)
	launch(r)
	return r
}

func (r *rig) configPath() string { return filepath.Join(r.dir, "rollcall.yaml") }

// writeConfig writes the configuration anew; a service reads it when it starts.
func (r *rig) writeConfig() {
	r.t.Helper()
	text, err := os.ReadFile(r.template)
	if err != nil {
		r.t.Fatal(err)
	}
	conf := r.replacer.Replace(string(text))
	if r.tune != nil {
		conf = r.tune(conf)
	}
	r.write(r.configPath(), conf)
}

// write keeps the mode of a file that is there: a container may have to read it.
func (r *rig) write(path, text string) {
	r.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// down stops everything, and shows the logs of a test that failed.
func (r *rig) down() {
	if r.t.Failed() {
		for name, p := range r.procs {
			const most = 6000
			text := p.output()
			r.t.Logf("---- end of what %s logged\n%s", name, text[max(0, len(text)-most):])
		}
	}
	if r.takeDown != nil {
		r.takeDown()
	}
}

// restart kills a process and starts it again.
func (r *rig) restart(name string) {
	r.t.Helper()
	r.procs[name].kill(r.t)
	r.procs[name].start(r.t)
}

// rollcall runs the command line and returns its standard output.
func (r *rig) rollcall(ctx context.Context, args ...string) ([]byte, error) {
	args = append(args, r.flags(args[0])...)
	cmd := exec.CommandContext(ctx, filepath.Join(r.bin, "rollcall"), args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), r.env...)
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("rollcall %s: %w: %s", strings.Join(args, " "), err, errOut.String())
	}
	return out.Bytes(), err
}

// run is rollcall for what must succeed.
func (r *rig) run(args ...string) []byte {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	out, err := r.rollcall(ctx, args...)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

func (r *rig) call(ctx context.Context, method, path, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.sfURL+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := r.web.Do(req)
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
func (r *rig) must(method, path, body string) []byte {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	data, err := r.call(ctx, method, path, body)
	if err != nil {
		r.t.Fatal(err)
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

func (r *rig) summary() summary {
	r.t.Helper()
	return decode[summary](r.t, r.must(http.MethodGet, "/_emulator/summary", ""))
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
func (r *rig) users() map[string]user {
	r.t.Helper()
	states := decode[[]struct{ Users []user }](r.t, r.must(http.MethodGet, "/_emulator/state?stable=true", ""))
	out := map[string]user{}
	for _, u := range states[0].Users {
		if u.FederationIdentifier == "" {
			continue // the org's own
		}
		if _, twice := out[u.FederationIdentifier]; twice {
			r.t.Errorf("two users for %s", u.FederationIdentifier)
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

// awaitQuiet waits until nothing is on its way any more, as `rollcall status` sees it.
func (r *rig) awaitQuiet(within time.Duration) {
	r.t.Helper()
	quiet := 0
	eventually(r.t, within, "all is quiet", func(ctx context.Context) error {
		if err := r.quiet(ctx); err != nil {
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

func (r *rig) status(ctx context.Context) (status, error) {
	out, err := r.rollcall(ctx, "status", "-o", "json")
	if err != nil {
		return status{}, err
	}
	return decode[status](r.t, out), nil
}

func (r *rig) quiet(ctx context.Context) error {
	st, err := r.status(ctx)
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

// freePort returns a port of the loopback that was free a moment ago.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("find a port: %v", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// eventually calls ok until it returns nil; it is for conditions of other
// processes, which have no signal to wait on.
func eventually(t testing.TB, within time.Duration, what string, ok func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		err := ok(ctx)
		if err == nil {
			return
		}
		if ctx.Err() == nil || last == nil {
			last = err // and not that the time was over in the middle of it
		}
		select {
		case <-ctx.Done():
			t.Fatalf("not within %s: %s: %v", within, what, last)
		case <-tick.C:
		}
	}
}
