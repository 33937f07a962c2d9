package refresh

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

const (
	// killRotations is how many rotations the test makes unless
	// ROLLCALL_ROTATIONS says otherwise.
	killRotations = 150
	// stuckAfter is when a process that rotates nothing any more has to say why.
	stuckAfter = 15 * time.Second
)

// endpoint is the emulator's token endpoint, watched: it remembers what it has
// consumed, and has the processes killed around its answers.
type endpoint struct {
	org     http.Handler
	around  func()
	mark    func(token string) string
	rotated chan struct{} // one for each rotation

	mu       sync.Mutex
	consumed map[string]bool // refresh tokens that were rotated out
	marks    map[string]bool // and how records name them
	replayed int
	refusals []string
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/token") {
		r.Body = io.NopCloser(bytes.NewReader(body))
		e.org.ServeHTTP(w, r)
		return
	}
	form, _ := url.ParseQuery(string(body))
	spent := form.Get("refresh_token")
	e.mu.Lock()
	if e.consumed[spent] {
		e.replayed++
	}
	e.mu.Unlock()
	e.around()
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.Header.Del("Accept-Encoding") // the answer is read here
	answer := httptest.NewRecorder()
	e.org.ServeHTTP(answer, r) // what came in is worked on, whoever is still there
	e.note(spent, answer)
	e.around()
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // whoever asked may be dead
	e.around()
}

func (e *endpoint) note(spent string, answer *httptest.ResponseRecorder) {
	var got struct {
		RefreshToken string `json:"refresh_token"`
		Error        string `json:"error_description"`
	}
	_ = json.Unmarshal(answer.Body.Bytes(), &got)
	e.mu.Lock()
	defer e.mu.Unlock()
	if answer.Code != http.StatusOK {
		e.refusals = append(e.refusals, fmt.Sprintf("%d %s", answer.Code, got.Error))
		return
	}
	if got.RefreshToken != "" && got.RefreshToken != spent {
		e.consumed[spent], e.marks[e.mark(spent)] = true, true
		e.rotated <- struct{}{}
	}
}

func (e *endpoint) spent(mark string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.marks[mark]
}

// killRig is several orgs, and token-refreshers that are killed all the time.
type killRig struct {
	*rig
	endpoint  *endpoint
	processes []*process
	orgs      []string

	mu      sync.Mutex
	dice    *rand.Rand
	killing bool
	kills   int
	logins  int
	records map[string]events.TokenRecord
	changed chan struct{}
}

func newKillRig(t *testing.T, orgs, processes int) *killRig {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := &killRig{rig: newRig(t), dice: rand.New(rand.NewPCG(seed, 0)), killing: true,
		records: map[string]events.TokenRecord{}, changed: make(chan struct{})}
	r.endpoint = &endpoint{org: r.sf, around: r.around, rotated: make(chan struct{}, 1_000_000),
		mark:     func(token string) string { return r.sealer.Mark("refresh token", token) },
		consumed: map[string]bool{}, marks: map[string]bool{}}
	web := httptest.NewServer(r.endpoint)
	t.Cleanup(web.Close)
	dir := t.TempDir()
	var file strings.Builder
	fmt.Fprintf(&file, "nats: {url: %q}\nserve: {listen: \"\"}\ntokens: {keyFile: %q}\nlog: {level: debug}\norgs:\n", r.nats.URL(), r.cfg.KeyFile)
	r.write(filepath.Join(dir, "secret"), secret)
	for i := range orgs {
		name := fmt.Sprintf("org%d", i)
		r.orgs = append(r.orgs, name)
		if err := r.org.AddApp(emulator.ConnectedApp{ClientID: name, ClientSecret: secret, RefreshRotation: true}); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&file, "  %s: {connect: {loginURL: %q, allowLoopbackHTTP: true, flow: refresh_token, clientID: %s, clientSecretFile: secret, refreshTokenFile: %s}}\n",
			name, web.URL, name, name)
		r.refresh = filepath.Join(dir, name)
		r.login(name)
	}
	r.logins = 0
	path := filepath.Join(dir, "rollcall.yaml")
	r.write(path, file.String())
	r.follow()
	for i := range processes {
		r.processes = append(r.processes, startProcess(t, path, fmt.Sprintf("refresher%d", i)))
	}
	return r
}

// login is an admin who authenticates an org.
func (r *killRig) login(org string) {
	token, err := r.org.Grant(org, emulator.IntegrationUsername)
	if err != nil {
		r.Error(err)
		return
	}
	r.logins++
	r.write(filepath.Join(filepath.Dir(r.refresh), org), token)
}

// around kills a process, now and then, as a request passes by.
func (r *killRig) around() {
	if r.roll(40) {
		r.kill()
	}
}

func (r *killRig) roll(one int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.killing && r.dice.IntN(one) == 0
}

func (r *killRig) kill() {
	r.mu.Lock()
	r.kills++
	p := r.processes[r.dice.IntN(len(r.processes))]
	r.mu.Unlock()
	p.kill()
}

// killNowAndThen kills at moments that have nothing to do with any request.
func (r *killRig) killNowAndThen(ctx context.Context) {
	for {
		r.mu.Lock()
		pause := time.Duration(r.dice.IntN(int(time.Second)))
		r.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
			if r.roll(1) {
				r.kill()
			}
		}
	}
}

// follow reads every record that is stored, and authenticates what is held.
func (r *killRig) follow() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	end := make(chan struct{})
	go func() {
		defer close(end)
		_ = r.bus.Bucket(events.BucketTokens).Watch(ctx, ">", r.observe)
	}()
	r.Cleanup(func() { cancel(); <-end })
}

func (r *killRig) observe(e bus.Entry) {
	if !slices.Contains(r.orgs, e.Subject) {
		return
	}
	rec, err := events.Decode[events.TokenRecord](e.Data)
	if err != nil {
		r.Errorf("a crash left a record that cannot be read: %v", err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.records[e.Subject]
	r.records[e.Subject] = rec
	close(r.changed)
	r.changed = make(chan struct{})
	if rec.State != events.TokenHeld || rec.Lease != nil || was.State == events.TokenHeld {
		return
	}
	if rec.Failure == nil || rec.Failure.Code != CodeTokenSpent || !strings.Contains(rec.Advice, "rollcall connect") {
		r.Errorf("held as %+v: %s", rec.Failure, rec.Advice)
	}
	if rec.Intent == nil || !r.endpoint.spent(rec.Intent.Mark) {
		r.Errorf("an admin is called though the refresh token is still good: %+v", rec.Failure)
	}
	r.login(e.Subject)
}

// until waits for so many rotations; processes that stop rotating say where
// they are.
func (r *killRig) until(rotations int) {
	r.Helper()
	var longest time.Duration
	for n := range rotations {
		began := time.Now()
		select {
		case <-r.endpoint.rotated:
			longest = max(longest, time.Since(began))
		case <-time.After(stuckAfter):
			r.stuck()
			r.Fatalf("no rotation for %s after %d of them", stuckAfter, n)
		}
	}
	r.Logf("longest pause between two rotations: %s", longest.Round(time.Millisecond))
}

// stuck shows what the processes are doing.
func (r *killRig) stuck() {
	r.mu.Lock()
	r.killing = false
	for name, rec := range r.records {
		r.Logf("%s: %s, lease %+v, retry at %s, %+v", name, rec.State, rec.Lease, rec.RetryAt, rec.Failure)
	}
	r.mu.Unlock()
	for _, p := range r.processes {
		p.dump()
		text := p.text()
		r.Logf("---- %s\n%s", p.log, text[max(0, len(text)-20_000):])
	}
}

// awaitConnected ends the killing and waits until every org is connected.
func (r *killRig) awaitConnected() {
	r.Helper()
	r.mu.Lock()
	r.killing = false
	r.mu.Unlock()
	patience := time.After(limit)
	for {
		r.mu.Lock()
		changed, away := r.changed, ""
		for _, name := range r.orgs {
			if rec := r.records[name]; rec.State != events.TokenConnected {
				away = fmt.Sprintf("%s is %s: %+v", name, rec.State, rec.Failure)
			}
		}
		r.mu.Unlock()
		if away == "" {
			return
		}
		select {
		case <-changed:
		case <-patience:
			r.stuck()
			r.Fatal(away)
		}
	}
}

// TestRotationsOfProcessesThatAreKilled kills -9 token-refreshers at random
// points of thousands of refreshes, and wants no consumed refresh token ever
// presented: presenting one revokes the family.
func TestRotationsOfProcessesThatAreKilled(t *testing.T) {
	t.Parallel()
	want := rotations(t, killRotations)
	r := newKillRig(t, 4, 2)
	ctx, cancel := context.WithCancel(t.Context())
	began := time.Now()
	ended := make(chan struct{})
	go func() { defer close(ended); r.killNowAndThen(ctx) }()
	r.until(want)
	cancel()
	<-ended
	r.awaitConnected()
	for _, p := range r.processes {
		p.end()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.endpoint.mu.Lock()
	defer r.endpoint.mu.Unlock()
	t.Logf("%d rotations of %d orgs in %s, %d processes killed, %d logins by an admin", len(r.endpoint.consumed), len(r.orgs),
		time.Since(began).Round(time.Second), r.kills, r.logins)
	if r.kills == 0 {
		t.Error("nothing was killed: nothing was tested")
	}
	if r.endpoint.replayed != 0 {
		t.Errorf("%d consumed refresh tokens were presented", r.endpoint.replayed)
	}
	if len(r.endpoint.refusals) != 0 {
		t.Errorf("the endpoint refused %d times: %v", len(r.endpoint.refusals), r.endpoint.refusals)
	}
	for _, p := range r.processes {
		for _, canary := range []string{secret, "5Aep861"} {
			if strings.Contains(p.text(), canary) {
				t.Errorf("a log holds %s", canary)
			}
		}
	}
}
