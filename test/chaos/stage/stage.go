package stage

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-sync/rollcall/test/chaos/plan"

	_ "embed"
)

//go:embed rollcall.yaml
var configuration string

// deploymentKey is what subjects are derived with.
var deploymentKey = strings.Repeat("k", 64) //nolint:gochecknoglobals // a constant, spelt short

// Stage is a system that runs.
type Stage struct {
	plan plan.Plan
	bin  string
	dir  string

	natsURL string
	procs   map[string]*process
	sf      *salesforce
	nc      *nats.Conn
	js      jetstream.JetStream
	heard   *listener
	// phones are what was set by hand, by org and username.
	phones map[string]map[string]string
	// probeFrom and probeTo are when some are in trouble and others are not.
	probeFrom, probeTo time.Time
	// healed is when all trouble was ended last.
	healed time.Time
}

// open starts everything in dir, from the programs in bin. The stage is to be
// closed whether it opened or not.
func open(ctx context.Context, p plan.Plan, bin, dir string) (*Stage, error) {
	s := &Stage{plan: p, bin: bin, dir: dir, procs: map[string]*process{}, phones: map[string]map[string]string{plan.Acme: {}, plan.Bravo: {}}}
	for _, begin := range []func(context.Context) error{s.openSalesforce, s.openNATS, s.configure, s.connect, s.openServices} {
		if err := begin(ctx); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s *Stage) openSalesforce(ctx context.Context) (err error) {
	s.sf, err = openSalesforce(ctx, s.plan)
	s.phones[plan.Acme][username(s.plan.People[plan.Adopted], plan.Acme)] = plantedPhone
	return err
}

func (s *Stage) openNATS(ctx context.Context) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("find a port: %w", err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return fmt.Errorf("find a port: %w", err)
	}
	s.natsURL = "nats://" + address
	conf := fmt.Sprintf("listen: %s\njetstream { store_dir: %q, sync_interval: always }\n", address, filepath.Join(s.dir, "nats"))
	if err := s.write("nats.conf", conf); err != nil {
		return err
	}
	return s.run("nats-server", "-c", filepath.Join(s.dir, "nats.conf"))
}

func (s *Stage) write(name, text string) error {
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// configure writes what the services read.
func (s *Stage) configure(ctx context.Context) error {
	conf := strings.NewReplacer("NATS_URL", s.natsURL, "SALESFORCE_URL", s.sf.url, "PROTECTED", username(s.sf.protected, plan.Acme),
		"FREEZE_FIRST", strconv.FormatBool(s.plan.FreezeFirst), "BULK_ABOVE", strconv.Itoa(s.plan.BulkAbove), "GATE_LIMIT", strconv.Itoa(s.plan.GateLimit)).Replace(configuration)
	for name, text := range map[string]string{"rollcall.yaml": conf, "client-secret": clientSecret, "deployment.key": deploymentKey} {
		if err := s.write(name, text); err != nil {
			return err
		}
	}
	keys := exec.CommandContext(ctx, filepath.Join(s.bin, "rollcall"), "keys", "tokens", filepath.Join(s.dir, "tokens.key")) //nolint:gosec // our own binary
	if out, err := keys.CombinedOutput(); err != nil {
		return fmt.Errorf("make keys: %w: %s", err, out)
	}
	return nil
}

// connect is this process' own way to NATS, which outlives every restart of it.
func (s *Stage) connect(ctx context.Context) (err error) {
	s.nc, err = nats.Connect(s.natsURL, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond), nats.ReconnectJitter(0, 0))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if s.js, err = jetstream.New(s.nc); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if s.heard, err = listen(s.nc); err != nil {
		return err
	}
	return eventually(ctx, 20*time.Second, func(ctx context.Context) error {
		_, err := s.js.AccountInfo(ctx)
		return err
	})
}

func (s *Stage) openServices(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(plan.Services())) {
		for i := range plan.Services()[name] {
			if err := s.begin(replica(name, i), name, "--config", filepath.Join(s.dir, "rollcall.yaml")); err != nil {
				return err
			}
		}
	}
	// HR publishes to what is there.
	return eventually(ctx, 30*time.Second, func(ctx context.Context) error {
		_, err := s.js.Consumer(ctx, "ROSTER", "pusher-bravo-backfill")
		return err
	})
}

func replica(name string, i int) string { return name + "-" + strconv.Itoa(i) }

func (s *Stage) service(name string, i int) *process { return s.procs[replica(name, i)] }

func (s *Stage) run(program string, args ...string) error { return s.begin(program, program, args...) }

func (s *Stage) begin(name, program string, args ...string) error {
	p := &process{name: name, args: append([]string{filepath.Join(s.bin, program)}, args...), log: filepath.Join(s.dir, name+".log")}
	s.procs[name] = p
	return p.start()
}

// close ends everything that was begun, NATS last.
func (s *Stage) close() {
	if s.nc != nil {
		s.nc.Close()
	}
	for name, p := range s.procs {
		if name != "nats-server" {
			p.finish(syscall.SIGKILL)
		}
	}
	if p := s.procs["nats-server"]; p != nil {
		p.finish(syscall.SIGKILL)
	}
	if s.sf != nil {
		_ = s.sf.web.Close() // nobody calls any more
	}
}

// look is how often it is looked whether something has come true: other processes
// give no signal of it.
const look = 100 * time.Millisecond

// eventually calls ok until it returns nil.
func eventually(ctx context.Context, within time.Duration, ok func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(look)
	defer tick.Stop()
	var last error
	for {
		err := ok(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil || last == nil {
			last = err // and not that the time was over in the middle of it
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %w", within, last)
		case <-tick.C:
		}
	}
}
