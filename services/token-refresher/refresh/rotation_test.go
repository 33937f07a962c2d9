package refresh

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/tokens"
)

// watcher sits between us and the endpoint, and remembers which refresh tokens
// the endpoint has consumed.
type watcher struct {
	base http.RoundTripper

	mu       sync.Mutex
	consumed map[string]bool
	replayed int
}

func (w *watcher) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	form, _ := url.ParseQuery(string(body))
	spent := form.Get("refresh_token")
	w.mu.Lock()
	if spent != "" && w.consumed[spent] {
		w.replayed++
	}
	w.mu.Unlock()
	resp, err := w.base.RoundTrip(r)
	if err != nil || spent == "" || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(strings.NewReader(string(answer)))
	var got struct {
		RefreshToken string `json:"refresh_token"`
	}
	if json.Unmarshal(answer, &got) == nil && got.RefreshToken != "" && got.RefreshToken != spent {
		w.mu.Lock()
		w.consumed[spent] = true
		w.mu.Unlock()
	}
	return resp, nil
}

// deadly kills the process that passes through it, now and then: nothing of the
// goroutine that refreshes runs on, as after kill -9.
type deadly struct {
	armed atomic.Bool
	dead  chan struct{}
	once  sync.Once
	dice  func() bool
}

func (d *deadly) step() {
	if d.armed.Load() && d.dice() {
		d.once.Do(func() { close(d.dead) })
		runtime.Goexit()
	}
}

type deadlyBucket struct {
	bucket
	*deadly
}

func (d deadlyBucket) Set(ctx context.Context, key string, data []byte, last uint64) (uint64, error) {
	d.step() // not stored
	seq, err := d.bucket.Set(ctx, key, data, last)
	d.step() // stored, and nobody knows
	return seq, err
}

type deadlyTransport struct {
	base http.RoundTripper
	*deadly
}

func (d deadlyTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	d.step() // not sent
	resp, err := d.base.RoundTrip(r)
	if d.armed.Load() && d.dice() {
		if err == nil {
			_ = resp.Body.Close()
		}
		d.once.Do(func() { close(d.dead) })
		runtime.Goexit() // answered, and nobody read it
	}
	return resp, err
}

// rotations is how many a crash test makes: a few, or as many as
// ROLLCALL_ROTATIONS says.
func rotations(t *testing.T, few int) int {
	t.Helper()
	text := os.Getenv("ROLLCALL_ROTATIONS")
	if text == "" {
		return few
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("ROLLCALL_ROTATIONS: %v", err)
	}
	return n
}

// rotator drives one org through rotations and crashes.
type rotator struct {
	*rig
	watch   *watcher
	dice    *rand.Rand
	diceMu  sync.Mutex
	ahead   atomic.Int64
	records chan events.TokenRecord
	stop    func()
	process *deadly
	crashes int
	relogs  int
}

func (r *rotator) roll(one int) bool {
	r.diceMu.Lock()
	defer r.diceMu.Unlock()
	return r.dice.IntN(one) == 0
}

func (r *rotator) start() {
	r.process = &deadly{dead: make(chan struct{}), dice: func() bool { return r.roll(25) }}
	r.cfg.Transport = deadlyTransport{r.watch, r.process}
	s := r.service()
	s.bucket = deadlyBucket{s.bucket, r.process}
	s.now = func() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) }
	r.process.armed.Store(true)
	r.stop = r.run(s)
}

func (r *rotator) follow() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	end := make(chan struct{})
	go func() {
		defer close(end)
		_ = r.bus.Bucket(events.BucketTokens).Watch(ctx, emea, func(e bus.Entry) {
			rec, err := events.Decode[events.TokenRecord](e.Data)
			if err != nil {
				r.Errorf("a crash left a record that cannot be read: %v", err)
				return
			}
			select {
			case r.records <- rec:
			case <-ctx.Done():
			}
		})
	}()
	r.Cleanup(func() { cancel(); <-end })
}

// until waits for a token newer than the generation, through crashes, outages
// and admins who have to sign in again.
func (r *rotator) until(generation uint64) uint64 {
	patience := time.After(limit)
	for {
		select {
		case <-r.process.dead:
			r.crashes++
			r.stop()
			r.ahead.Add(int64(2 * r.cfg.LeaseFor))
			r.start()
		case rec := <-r.records:
			switch {
			case rec.Lease != nil:
			case rec.State == events.TokenConnected && rec.Generation > generation:
				return rec.Generation
			case rec.State == events.TokenHeld:
				r.relog(rec)
			case rec.RetryAt.After(time.Now().Add(time.Duration(r.ahead.Load()))):
				r.ahead.Store(int64(time.Until(rec.RetryAt) + time.Second))
			}
		case <-patience:
			r.Fatalf("no token after generation %d; %d crashes, %d logins", generation, r.crashes, r.relogs)
		}
	}
}

// relog is the admin who authenticates again.
func (r *rotator) relog(rec events.TokenRecord) {
	if rec.Failure.Code != CodeTokenSpent || !strings.Contains(rec.Advice, "rollcall connect") {
		r.Fatalf("held as %+v: %s", rec.Failure, rec.Advice)
	}
	r.relogs++
	token, err := r.org.Grant(clientID, emulator.IntegrationUsername)
	if err != nil {
		r.Fatal(err)
	}
	r.write(r.refresh, token)
}

func TestRotationsWithCrashesAtRandomPoints(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	base := newRig(t).rotating()
	base.cfg.PollEvery = 2 * time.Millisecond
	c := base.cfg.Orgs[emea]
	c.SessionLifetime = 2 * time.Hour
	base.cfg.Orgs[emea] = c
	r := &rotator{
		rig: base, dice: rand.New(rand.NewPCG(seed, 0)), records: make(chan events.TokenRecord, 16),
		watch: &watcher{base: http.DefaultTransport, consumed: map[string]bool{}},
	}
	t.Logf("seed %d", seed)
	r.follow()
	r.start()
	generation, want := r.until(0), rotations(t, 300)
	for range want {
		if r.roll(30) {
			r.fault()
		}
		r.ahead.Add(int64(2 * time.Hour)) // the session is about to end
		generation = r.until(generation)
	}
	t.Logf("%d rotations, %d crashes, %d logins by an admin", generation, r.crashes, r.relogs)
	if r.crashes == 0 {
		t.Error("no crash: nothing was tested")
	}
	if r.watch.replayed != 0 {
		t.Errorf("%d consumed refresh tokens were presented", r.watch.replayed)
	}
	if rotated := len(r.watch.consumed); rotated < want {
		t.Errorf("only %d rotations", rotated)
	}
	if r.relogs > r.crashes+r.faults() {
		t.Errorf("%d logins after %d crashes", r.relogs, r.crashes)
	}
}

// fault loses one answer, or has the endpoint down for one request.
func (r *rotator) fault() {
	effects := []emulator.Effect{emulator.EffectDropAfter, emulator.EffectDropBefore, emulator.EffectTorn, emulator.EffectUnavailable}
	r.diceMu.Lock()
	effect := effects[r.dice.IntN(len(effects))]
	r.diceMu.Unlock()
	if _, err := r.sf.Plan(emulator.Fault{Operation: "token", Effect: effect, Times: 1}); err != nil {
		r.Fatal(err)
	}
}

func (r *rotator) faults() int {
	n := 0
	for _, f := range r.sf.Faults() {
		n += f.Used
	}
	return n
}

func TestAThousandCallersOneRequest(t *testing.T) {
	t.Parallel()
	const processes, callers = 8, 125
	r := newRig(t)
	readers := make([]*tokens.Reader, processes)
	for i := range readers {
		r.run(r.service())
		readers[i] = r.reader()
	}
	r.await("the first token", connected(1))
	old := make([]uint64, processes)
	for i, reader := range readers {
		s, err := reader.Session(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		old[i] = s.Generation
	}
	r.org.ExpireSessions()
	before := len(r.sf.Journal(emulator.JournalFilter{Operation: "token"}))
	var all sync.WaitGroup
	failed := make(chan error, processes*callers)
	turn := make(chan struct{}, processes) // a process complains of one thing at a time, as a pusher does
	for i := range processes * callers {
		all.Go(func() {
			reader := readers[i%processes]
			refused, err := reader.Session(t.Context())
			if err == nil && refused.Generation == old[i%processes] {
				func() {
					turn <- struct{}{}
					defer func() { <-turn }()
					r.complain(refused.Generation)
				}()
				refused, err = reader.Renew(t.Context(), refused)
			}
			if err != nil || refused.Generation != 2 {
				failed <- fmt.Errorf("caller %d: generation %d: %w", i, refused.Generation, err)
			}
		})
	}
	all.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	if n := len(r.sf.Journal(emulator.JournalFilter{Operation: "token"})) - before; n != 1 {
		t.Fatalf("%d token requests for one expired token, want 1", n)
	}
}
