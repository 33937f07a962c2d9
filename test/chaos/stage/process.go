package stage

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// process is one program of the system.
type process struct {
	name string
	args []string
	log  string

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
	// ended counts how often the program ended by itself.
	ended int
	// down says that the run is over: nothing starts any more.
	down bool
}

const (
	// restarts bounds what is done for a program that cannot run.
	restarts     = 50
	restartPause = 200 * time.Millisecond
	// patience is how long a program may take to end when it is asked to.
	patience = 10 * time.Second
)

// start starts the program; one that runs goes on.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil || p.down {
		return nil
	}
	out, err := os.OpenFile(p.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("log of %s: %w", p.name, err)
	}
	cmd := exec.Command(p.args[0], p.args[1:]...) //nolint:gosec,noctx // a program of the run, which ends it itself
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = attributes()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, errors.Join(err, out.Close()))
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is of no account
		_ = out.Close()
		close(done)
		p.again(cmd)
	}()
	p.cmd, p.done = cmd, done
	return nil
}

// again starts a program that ended by itself, as a container engine would. One
// that was killed or stopped is not its business.
func (p *process) again(was *exec.Cmd) {
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
		_ = p.start() // it was started before
	}
}

// kill ends the program as a power cut would, stopped or not.
func (p *process) kill() { p.end(syscall.SIGKILL) }

// stop asks it to end, and insists after a while.
func (p *process) stop() { p.end(syscall.SIGTERM) }

func (p *process) end(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	cmd := p.cmd
	p.cmd = nil // asked for: it is not started again by itself
	_ = cmd.Process.Signal(sig)
	_ = cmd.Process.Signal(syscall.SIGCONT) // a stopped one hears nothing but SIGKILL
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		<-p.done
	}
}

// finish ends it for good.
func (p *process) finish(sig syscall.Signal) {
	p.mu.Lock()
	p.down = true
	p.mu.Unlock()
	p.end(sig)
}

// pause stops it in the middle of whatever it does, resume lets it go on.
func (p *process) pause()  { p.signal(syscall.SIGSTOP) }
func (p *process) resume() { p.signal(syscall.SIGCONT) }

func (p *process) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(sig) // it may have ended by itself
	}
}

func (p *process) output() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
