package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

func TestNothingIsWrongWithAHealthyInstallation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	before := r.sf.Counters()
	rep := r.examine()
	for _, f := range rep.Findings {
		if f.Level == Warn || f.Level == Fail {
			t.Errorf("%+v", f)
		}
	}
	if rep.Worst != OK {
		t.Errorf("the worst is %s", rep.Worst)
	}
	for _, c := range Checks() {
		if len(rep.of(c.Name)) == 0 {
			t.Errorf("%s was not done", c.Name)
		}
	}
	if after := r.sf.Counters(); after.TokenRequests != before.TokenRequests {
		t.Error("the token endpoint was asked")
	}
	for _, e := range r.org.Journal(emulator.JournalFilter{}) {
		if e.Method != http.MethodGet {
			t.Errorf("the doctor did more than look: %s %s", e.Method, e.Path)
		}
	}
	r.tight(rep)
}

// An operator's file names no org and no key to tokens: nothing is missing.
func TestAnOperatorsMachineNeedsNoKeys(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.doctor.File.Orgs, r.doctor.File.Tokens.KeyFile = nil, ""
	rep := r.examine()
	r.found(rep, planted{check: configFile, level: OK, message: "names no org, so that none is looked at"})
	r.found(rep, planted{check: configKeys, level: OK, message: "deployment.keyFile is in order"})
	r.found(rep, planted{check: configKeys, level: Skipped, message: "tokens.keyFile is not set, and nothing here needs it"})
	if rep.Worst != OK {
		t.Errorf("the worst is %s: %+v", rep.Worst, rep.Findings)
	}
	r.doctor.FileErr = errors.New("a file that cannot be read names no org either")
	r.found(r.examine(), planted{check: configKeys, level: Warn, message: "tokens.keyFile is not set"})
}

func TestWhatTheServerSaysHoldsNoSecretWhenItIsShown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.canned["FROM User LIMIT"] = `[{"message":"you said ` + r.token + ` and ` + clientSecret + `","errorCode":"UNKNOWN_EXCEPTION"}]`
	rep := r.examine()
	r.found(rep, planted{check: orgSession, level: Fail, message: "you said [removed] and [removed]"})
	r.tight(rep)
}

// Fixed answers in a fixed order: whoever reads the JSON relies on it.
func TestTheReportAsJSONWithoutNATS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	d := Doctor{
		File: config.File{Orgs: map[string]config.Org{
			"emea": {Connect: config.Connect{LoginURL: "https://example.my.salesforce.com", Flow: config.FlowClientCredentials, ClientSecretEnv: "ROLLCALL_TEST_NOWHERE"}},
		}},
		Connect: func(context.Context) (*bus.Bus, error) {
			return nil, errors.New("connect to NATS at nats://127.0.0.1:1: nobody answered")
		},
		Now: func() time.Time { return at },
	}
	got, err := json.MarshalIndent(d.Examine(t.Context()), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "report.json")
	want, err := os.ReadFile(golden)
	if err != nil || strings.TrimSpace(string(want)) != string(got) {
		out := filepath.Join(dir, "report.json")
		if os.Getenv("UPDATE_GOLDEN") != "" {
			out = golden
		}
		if err := os.WriteFile(out, append(got, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Errorf("not as in %s (UPDATE_GOLDEN=1 writes it anew):\n%s", golden, got)
	}
}

func TestOrgsAreLookedAtSideBySideAndEachCheckEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if _, err := r.sf.Plan(emulator.Fault{Operation: "any", Effect: emulator.EffectSlow, DelayMillis: 60_000}); err != nil {
		t.Fatal(err)
	}
	r.doctor.Timeout = 1500 * time.Millisecond
	var mu sync.Mutex
	var slow []string
	r.doctor.Slow = func(check, org string) {
		mu.Lock()
		defer mu.Unlock()
		slow = append(slow, check+" of "+org)
	}
	began := time.Now()
	rep := r.examine()
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
	r.found(rep, planted{check: orgSession, level: Fail, message: "no answer in time", advice: "status.salesforce.com"})
	mu.Lock()
	defer mu.Unlock()
	if !slices.Contains(slow, orgSession+" of "+emea) {
		t.Errorf("nobody was told what was waited for: %v", slow)
	}
}

func TestSharesOfTheDisk(t *testing.T) {
	t.Parallel()
	for used, want := range map[uint64]Level{50: OK, 80: Warn, 94: Warn, 95: Fail, 120: Fail} {
		if got := shareOf("the disk", used, 100)[0].level; got != want {
			t.Errorf("%d %%: %s, want %s", used, got, want)
		}
	}
}

func TestClocksApart(t *testing.T) {
	t.Parallel()
	for ahead, want := range map[time.Duration]Level{
		time.Second: OK, -3 * time.Second: Warn, 3 * time.Second: Warn, -time.Minute: Fail, time.Minute: Fail,
	} {
		if got := skew("NATS", ahead, 0, natsClockWarn, natsClockFail, "")[0].level; got != want {
			t.Errorf("%s: %s, want %s", ahead, got, want)
		}
	}
	if got := skew("NATS", 3*time.Second, 2*time.Second, natsClockWarn, natsClockFail, "")[0].level; got != OK {
		t.Errorf("what a slow answer explains is no skew: %s", got)
	}
}

func TestACertificateThatEndsSoon(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	if got := certificate(now.AddDate(0, 0, 20), now); len(got) != 1 || got[0].level != Warn || !strings.Contains(got[0].message, "2026-03-22") {
		t.Errorf("in 20 days: %+v", got)
	}
	if got := append(certificate(now.AddDate(0, 0, 40), now), certificate(time.Time{}, now)...); len(got) != 0 {
		t.Errorf("in 40 days, or without TLS: %+v", got)
	}
}

func TestNamesLikeAnother(t *testing.T) {
	t.Parallel()
	there := []string{"Standard User", "Standard Platform User", "System Administrator", "Read Only"}
	if got := nearest("standard_user", there); len(got) == 0 || got[0] != `"Standard User"` {
		t.Errorf("%v", got)
	}
	if got := nearest("Marketing", there); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
