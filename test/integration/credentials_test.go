//go:build !containers

package integration

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	callerProcesses = 8
	// callersEach is how many callers the program of callers has.
	callersEach = 125
)

// callers is a process of callers: the test binary of the pusher's package,
// because what the pusher calls with is nobody else's to import.
type callers struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	err bytes.Buffer
}

// startCallers starts a process of callers and waits until its session works.
func (r *rig) startCallers(program string) *callers {
	r.t.Helper()
	c := &callers{Cmd: exec.Command(program, "-test.run", "^TestCallersOfAProcess$", "-test.timeout", "2m")}
	c.Env = append(os.Environ(), "ROLLCALL_TEST_CALLERS="+r.configPath())
	c.Stderr = &c.err
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := c.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	c.in, c.out = in, bufio.NewReader(out)
	if err := c.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Process.Kill() })
	if !c.says(r.t, "ready") {
		r.t.Fatalf("a process of callers has no session: %s", c.err.String())
	}
	return c
}

// says reads until a line begins with what is wanted, or the process has ended.
func (c *callers) says(t testing.TB, want string) bool {
	t.Helper()
	for {
		line, err := c.out.ReadString('\n')
		if strings.HasPrefix(line, want) {
			return true
		}
		if line = strings.TrimSpace(line); line != "" && line != "PASS" {
			t.Log(line)
		}
		if err != nil {
			return false
		}
	}
}

// callerProgram builds the program of callers.
func callerProgram(t testing.TB) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "callers")
	cmd := exec.Command("go", "test", "-c", "-o", program, "./services/salesforce-pusher/push")
	cmd.Dir = abs(t, "../..")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return program
}

// TestAThousandCallersOneTokenRequest has 1,000 callers in 8 processes find
// their session expired at once, with several token-refreshers running.
func TestAThousandCallersOneTokenRequest(t *testing.T) {
	parallel(t)
	r := newRig(t, nil)
	for i := range 2 {
		name := fmt.Sprintf("token-refresher-%d", i+2)
		r.add(name, filepath.Join(r.bin, "token-refresher"), "--config", r.configPath())
	}
	program := callerProgram(t)
	var all []*callers
	for range callerProcesses {
		all = append(all, r.startCallers(program))
	}
	before := r.summary()
	r.must(http.MethodDelete, "/_emulator/orgs/-/sessions", "")
	began := time.Now()
	for _, c := range all {
		if _, err := io.WriteString(c.in, "go\n"); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range all {
		if !c.says(t, fmt.Sprintf("answered %d ", callersEach)) {
			t.Errorf("not all callers were answered: %s", c.err.String())
		}
	}
	after := r.summary()
	t.Logf("%d callers in %d processes: %d API calls, %d token requests, %s", callerProcesses*callersEach, callerProcesses,
		after.APICalls-before.APICalls, after.TokenRequests-before.TokenRequests, time.Since(began).Round(time.Millisecond))
	if n := after.TokenRequests - before.TokenRequests; n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
	if n := after.APICalls - before.APICalls; n < callerProcesses*(callersEach+1) {
		t.Errorf("only %d API calls: the session was not found expired in every process", n)
	}
	st, err := r.status(t.Context())
	if err != nil || st.Orgs[0].Held {
		t.Errorf("status %+v, error %v", st.Orgs, err)
	}
}
