package refresh

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/app"
)

// processEnv names the configuration file of a test binary that is to be
// token-refresher.
const processEnv = "ROLLCALL_TEST_REFRESHER"

func TestMain(m *testing.M) {
	path := os.Getenv(processEnv)
	if path == "" {
		os.Exit(m.Run()) //nolint:forbidigo // main of the tests
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	err := app.Run(ctx, "token-refresher", []string{"--config", path}, os.Stdout, os.Stderr, hasty)
	stop()
	os.Exit(app.ExitCode(err)) //nolint:forbidigo // main of the process
}

// hasty builds token-refresher as main does, but for times: sessions are about
// to end all the time, and what a dead process had in hand is taken over soon.
func hasty(_ context.Context, env app.Env) (app.Service, error) {
	cfg, err := ConfigFrom(env.File)
	if err != nil {
		return nil, err
	}
	cfg.PollEvery, cfg.LostReplyWait = 20*time.Millisecond, 50*time.Millisecond
	cfg.CallTimeout, cfg.LeaseFor = time.Second, 1500*time.Millisecond
	for name, c := range cfg.Orgs {
		c.SessionLifetime = 10 * time.Millisecond
		cfg.Orgs[name] = c
	}
	return New(cfg, env.Bus, env.Telemetry)
}

// process is a token-refresher that can be killed. It is started again at once,
// as a container engine would.
type process struct {
	testing.TB
	config, log string

	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{}
	over  bool
}

func startProcess(t testing.TB, config, name string) *process {
	t.Helper()
	p := &process{TB: t, config: config, log: filepath.Join(filepath.Dir(config), name+".log")}
	p.start()
	t.Cleanup(p.end)
	return p
}

func (p *process) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	out, err := os.OpenFile(p.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		p.Errorf("log of a process: %v", err)
		return
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), processEnv+"="+p.config, "GOMAXPROCS=1")
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		p.Errorf("start a process: %v", err)
		return
	}
	p.cmd, p.ended = cmd, make(chan struct{})
	go func(ended chan struct{}) {
		_ = cmd.Wait() // killed
		_ = out.Close()
		close(ended)
		p.start()
	}(p.ended)
}

// kill is kill -9: no goodbye, and nothing is undone.
func (p *process) kill() { p.signal(syscall.SIGKILL) }

func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(s) // it may have ended meanwhile
	}
}

// dump has it write down what every goroutine does, and ends it.
func (p *process) dump() {
	p.mu.Lock()
	p.over = true
	ended := p.ended
	p.mu.Unlock()
	p.signal(syscall.SIGQUIT)
	select {
	case <-ended:
	case <-time.After(limit):
		p.Log("a process does not even end at SIGQUIT")
	}
}

// end kills it for good.
func (p *process) end() {
	p.mu.Lock()
	p.over = true
	ended := p.ended
	p.mu.Unlock()
	p.kill()
	<-ended
}

// text is what it wrote, in all its lives.
func (p *process) text() string {
	data, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(data)
}
