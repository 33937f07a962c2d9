package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// natsConf is a server whose account may ask the system account how it stands.
const natsConf = `
listen: "127.0.0.1:-1"
jetstream { store_dir: %q, sync_interval: %s, max_file_store: %s }
system_account: SYS
accounts {
  SYS { exports: [ { service: "$SYS.REQ.SERVER.PING.VARZ" } ] }
  ROLLCALL {
    jetstream { max_file: 8MB }
    users: [ { user: rollcall, password: rollcall } ]
    imports: [ { service: { account: SYS, subject: "$SYS.REQ.SERVER.PING.VARZ" } } ]
  }
}
no_auth_user: rollcall
%s
`

func serverOf(t *testing.T, sync, store, more string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(path, fmt.Appendf(nil, natsConf, t.TempDir(), sync, store, more), 0o600); err != nil {
		t.Fatal(err)
	}
	opts, err := server.ProcessConfigFile(path)
	if err != nil {
		t.Fatal(err)
	}
	opts.NoLog, opts.NoSigs = true, true
	s, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("NATS server did not start")
	}
	return s.ClientURL()
}

func examineServer(t *testing.T, url string) Report {
	t.Helper()
	return Doctor{Connect: func(ctx context.Context) (*bus.Bus, error) {
		return bus.Connect(ctx, bus.Options{URL: url, Name: "test"})
	}}.Examine(t.Context())
}

func TestAServerThatMayBeAskedSaysHowItKeepsItsDisk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sync string
		want planted
	}{
		"always":       {"always", planted{check: natsSync, level: OK, message: "before it is acknowledged"}},
		"every minute": {`"1m"`, planted{check: natsSync, level: Fail, message: "every 1m0s only", advice: "sync_interval: always"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rep := examineServer(t, serverOf(t, c.sync, "16MB", ""))
			r := &rig{TB: t}
			r.found(rep, c.want)
			r.found(rep, planted{check: natsDisk, level: OK, message: "of NATS's disk (max_file_store) are used"})
			r.found(rep, planted{check: natsReachable, level: OK, message: "connected to"})
			r.found(rep, planted{check: natsStreams, level: Fail, message: "ROSTER"})
		})
	}
}

func TestAServerThatMayNotBeAskedIsNotGuessedAt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rep := r.examine()
	r.found(rep, planted{check: natsSync, level: Skipped, message: "sync_interval: always"})
	r.found(rep, planted{check: natsDisk, level: Skipped, message: "the streams use"})
	r.found(rep, planted{check: natsClock, level: OK, message: "agrees"})
}

// What the doctor does on NATS is what an operator may do there.
func TestTheDoctorIsAnOperator(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.doctor.Connect = func(context.Context) (*bus.Bus, error) { return r.nats.As(t, bus.RoleOperator), nil }
	rep := r.examine()
	if rep.Worst != OK {
		t.Errorf("the worst is %s: %+v", rep.Worst, rep.Findings)
	}
	r.found(rep, planted{check: natsDisk, level: Skipped, message: "the streams use"})
}

func TestTheAccountsLimitCountsWhereTheServerSaysNothing(t *testing.T) {
	t.Parallel()
	url := serverOf(t, "always", "16MB", "")
	b, err := bus.Connect(t.Context(), bus.Options{URL: url, Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	x := &examination{bus: b}
	got := x.space(t.Context(), bus.Disk{}, bus.ErrUnseen)
	if got[0].level != OK || !strings.Contains(got[0].message, "the account's limit are used") || !strings.Contains(got[0].message, "8.0 MB") {
		t.Errorf("%+v", got)
	}
}
