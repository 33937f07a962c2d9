//go:build !containers

package integration

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is one program of the system under test.
type process struct {
	name string
	args []string
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

func (p *process) pause(t testing.TB) {
	t.Helper()
	p.signal(t, syscall.SIGSTOP)
}

func (p *process) resume(t testing.TB) {
	t.Helper()
	p.signal(t, syscall.SIGCONT)
}

func (p *process) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Errorf("%s to %s: %v", sig, p.name, err)
	}
}

func (p *process) output() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
