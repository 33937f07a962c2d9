package integration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is one program of the system under test.
type process struct {
	name string
	args []string
	env  []string
	log  string

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
	// ended counts how often the program ended by itself.
	ended int
}

// start starts the program; its output goes to a log that a failing test shows.
func (p *process) start(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		return // somebody else was first
	}
	out, err := os.OpenFile(p.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatalf("open log of %s: %v", p.name, err)
	}
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = append(os.Environ(), p.env...)
	// The child dies with the test, however the test ends.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		_ = out.Close()
		close(done)
		p.supervise(t, cmd)
	}()
	p.cmd, p.done = cmd, done
}

const (
	// restarts bounds what a supervisor does for a program that cannot run.
	restarts     = 20
	restartPause = 200 * time.Millisecond
)

// supervise starts a program again that ended by itself, as a container engine
// would. One that was killed or stopped is not its business.
func (p *process) supervise(t testing.TB, was *exec.Cmd) {
	t.Helper()
	p.mu.Lock()
	unasked := p.cmd == was
	if unasked {
		p.cmd = nil
		p.ended++
	}
	again := unasked && p.ended <= restarts
	p.mu.Unlock()
	if again {
		<-time.After(restartPause)
		p.start(t)
	}
}

// kill ends the program as a power cut would: SIGKILL, no goodbye.
func (p *process) kill(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	cmd := p.cmd
	p.cmd = nil // asked for: not the supervisor's business
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("kill %s: %v", p.name, err)
	}
	<-p.done
}

// stop asks the program to end and waits for it.
func (p *process) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	cmd := p.cmd
	p.cmd = nil
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		_ = cmd.Process.Kill()
		<-p.done
	}
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

// binaries builds every program once.
var binaries = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "rollcall-bin-")
	if err != nil {
		return "", err
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	targets := map[string]string{
		"rollcall":          "./services/rollcall",
		"assignment":        "./services/assignment",
		"token-refresher":   "./services/token-refresher",
		"salesforce-pusher": "./services/salesforce-pusher",
		"retry-scheduler":   "./services/retry-scheduler",
		"nats-server":       "github.com/nats-io/nats-server/v2",
	}
	for name, pkg := range targets {
		cmd := exec.Command("go", "build", "-o", filepath.Join(dir, name), pkg)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	return dir, nil
})

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
		if last = ok(ctx); last == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("not within %s: %s: %v", within, what, last)
		case <-tick.C:
		}
	}
}
