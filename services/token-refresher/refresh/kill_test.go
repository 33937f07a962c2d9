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

// fleet is several orgs, and token-refreshers that are killed all the time.
type fleet struct {
	*bundle
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

func newFleet(t *testing.T, orgs, processes int) *fleet {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	f := &fleet{bundle: newBundle(t), dice: rand.New(rand.NewPCG(seed, 0)), killing: true,
		records: map[string]events.TokenRecord{}, changed: make(chan struct{})}
	f.endpoint = &endpoint{org: f.sf, around: f.around, rotated: make(chan struct{}, 1_000_000),
		mark:     func(token string) string { return f.sealer.Mark("refresh token", token) },
		consumed: map[string]bool{}, marks: map[string]bool{}}
	web := httptest.NewServer(f.endpoint)
	t.Cleanup(web.Close)
	dir := t.TempDir()
	var file strings.Builder
	fmt.Fprintf(&file, "nats: {url: %q}\nserve: {listen: \"\"}\ntokens: {keyFile: %q}\nlog: {level: debug}\norgs:\n", f.nats.URL(), f.cfg.KeyFile)
	f.write(filepath.Join(dir, "secret"), secret)
	for i := range orgs {
		name := fmt.Sprintf("org%d", i)
		f.orgs = append(f.orgs, name)
		if err := f.org.AddApp(emulator.ConnectedApp{ClientID: name, ClientSecret: secret, RefreshRotation: true}); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&file, "  %s: {connect: {loginURL: %q, allowLoopbackHTTP: true, flow: refresh_token, clientID: %s, clientSecretFile: secret, refreshTokenFile: %s}}\n",
			name, web.URL, name, name)
		f.refresh = filepath.Join(dir, name)
		f.login(name)
	}
	f.logins = 0
	path := filepath.Join(dir, "rollcall.yaml")
	f.write(path, file.String())
	f.follow()
	for i := range processes {
		f.processes = append(f.processes, startProcess(t, path, fmt.Sprintf("refresher%d", i)))
	}
	return f
}

// login is an admin who authenticates an org.
func (f *fleet) login(org string) {
	token, err := f.org.Grant(org, emulator.IntegrationUsername)
	if err != nil {
		f.Error(err)
		return
	}
	f.logins++
	f.write(filepath.Join(filepath.Dir(f.refresh), org), token)
}

// around kills a process, now and then, as a request passes by.
func (f *fleet) around() {
	if f.roll(40) {
		f.kill()
	}
}

func (f *fleet) roll(one int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.killing && f.dice.IntN(one) == 0
}

func (f *fleet) kill() {
	f.mu.Lock()
	f.kills++
	p := f.processes[f.dice.IntN(len(f.processes))]
	f.mu.Unlock()
	p.kill()
}

// killNowAndThen kills at moments that have nothing to do with any request.
func (f *fleet) killNowAndThen(ctx context.Context) {
	for {
		f.mu.Lock()
		pause := time.Duration(f.dice.IntN(int(time.Second)))
		f.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
			if f.roll(1) {
				f.kill()
			}
		}
	}
}

// follow reads every record that is stored, and authenticates what is held.
func (f *fleet) follow() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(f.Context()))
	end := make(chan struct{})
	go func() {
		defer close(end)
		_ = f.bus.Bucket(events.BucketTokens).Watch(ctx, ">", f.observe)
	}()
	f.Cleanup(func() { cancel(); <-end })
}

func (f *fleet) observe(e bus.Entry) {
	if !slices.Contains(f.orgs, e.Subject) {
		return
	}
	rec, err := events.Decode[events.TokenRecord](e.Data)
	if err != nil {
		f.Errorf("a crash left a record that cannot be read: %v", err)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	was := f.records[e.Subject]
	f.records[e.Subject] = rec
	close(f.changed)
	f.changed = make(chan struct{})
	if rec.State != events.TokenHeld || rec.Lease != nil || was.State == events.TokenHeld {
		return
	}
	if rec.Failure == nil || rec.Failure.Code != CodeTokenSpent || !strings.Contains(rec.Advice, "rollcall connect") {
		f.Errorf("held as %+v: %s", rec.Failure, rec.Advice)
	}
	if rec.Intent == nil || !f.endpoint.spent(rec.Intent.Mark) {
		f.Errorf("an admin is called though the refresh token is still good: %+v", rec.Failure)
	}
	f.login(e.Subject)
}

// until waits for so many rotations; processes that stop rotating say where
// they are.
func (f *fleet) until(rotations int) {
	f.Helper()
	var longest time.Duration
	for n := range rotations {
		began := time.Now()
		select {
		case <-f.endpoint.rotated:
			longest = max(longest, time.Since(began))
		case <-time.After(stuckAfter):
			f.stuck()
			f.Fatalf("no rotation for %s after %d of them", stuckAfter, n)
		}
	}
	f.Logf("longest pause between two rotations: %s", longest.Round(time.Millisecond))
}

// stuck shows what the processes are doing.
func (f *fleet) stuck() {
	f.mu.Lock()
	f.killing = false
	for name, rec := range f.records {
		f.Logf("%s: %s, lease %+v, retry at %s, %+v", name, rec.State, rec.Lease, rec.RetryAt, rec.Failure)
	}
	f.mu.Unlock()
	for _, p := range f.processes {
		p.dump()
		text := p.text()
		f.Logf("---- %s\n%s", p.log, text[max(0, len(text)-20_000):])
	}
}

// awaitConnected ends the killing and waits until every org is connected.
func (f *fleet) awaitConnected() {
	f.Helper()
	f.mu.Lock()
	f.killing = false
	f.mu.Unlock()
	patience := time.After(limit)
	for {
		f.mu.Lock()
		changed, away := f.changed, ""
		for _, name := range f.orgs {
			if rec := f.records[name]; rec.State != events.TokenConnected {
				away = fmt.Sprintf("%s is %s: %+v", name, rec.State, rec.Failure)
			}
		}
		f.mu.Unlock()
		if away == "" {
			return
		}
		select {
		case <-changed:
		case <-patience:
			f.stuck()
			f.Fatal(away)
		}
	}
}

// TestRotationsOfProcessesThatAreKilled kills -9 token-refreshers at random
// points of thousands of refreshes, and wants no consumed refresh token ever
// presented: presenting one revokes the family.
func TestRotationsOfProcessesThatAreKilled(t *testing.T) {
	t.Parallel()
	want := rotations(t, killRotations)
	f := newFleet(t, 4, 2)
	ctx, cancel := context.WithCancel(t.Context())
	began := time.Now()
	ended := make(chan struct{})
	go func() { defer close(ended); f.killNowAndThen(ctx) }()
	f.until(want)
	cancel()
	<-ended
	f.awaitConnected()
	for _, p := range f.processes {
		p.end()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.endpoint.mu.Lock()
	defer f.endpoint.mu.Unlock()
	t.Logf("%d rotations of %d orgs in %s, %d processes killed, %d logins by an admin", len(f.endpoint.consumed), len(f.orgs),
		time.Since(began).Round(time.Second), f.kills, f.logins)
	if f.kills == 0 {
		t.Error("nothing was killed: nothing was tested")
	}
	if f.endpoint.replayed != 0 {
		t.Errorf("%d consumed refresh tokens were presented", f.endpoint.replayed)
	}
	if len(f.endpoint.refusals) != 0 {
		t.Errorf("the endpoint refused %d times: %v", len(f.endpoint.refusals), f.endpoint.refusals)
	}
	for _, p := range f.processes {
		for _, canary := range []string{secret, "5Aep861"} {
			if strings.Contains(p.text(), canary) {
				t.Errorf("a log holds %s", canary)
			}
		}
	}
}
