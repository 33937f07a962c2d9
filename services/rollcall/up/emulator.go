package up

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/rollcall/demo"
)

const (
	readHeaderTimeout = 5 * time.Second
	closeTimeout      = 2 * time.Second
)

// Emulator is a running Salesforce org.
type Emulator struct {
	Server *emulator.Server
	// URL is where the org is, to sign in and to call.
	URL string

	web *http.Server
}

// StartEmulator serves an org at listen. flag is the command line flag that
// sets it, for the message that says the port is taken.
func StartEmulator(listen, flag string, org emulator.OrgConfig) (*Emulator, error) {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, app.ListenError(err, listen, "choose another port with "+flag)
	}
	e := &Emulator{Server: emulator.New(), URL: "http://" + l.Addr().String()}
	e.Server.AddOrg(org)
	e.web = &http.Server{Handler: e.Server, ReadHeaderTimeout: readHeaderTimeout}
	go func() { _ = e.web.Serve(l) }() // ends with Close, and says so
	return e, nil
}

// Close stops serving.
func (e *Emulator) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if e.web.Shutdown(ctx) != nil {
		_ = e.web.Close()
	}
}

// startDemoOrg serves the demo's org and lets the configuration point at it.
func startDemoOrg(o Options, file *config.File) (*Emulator, error) {
	org, ok := file.Orgs[demo.Org]
	if !ok {
		return nil, fmt.Errorf("--demo needs an org named %q in the configuration", demo.Org)
	}
	secret, err := os.ReadFile(filepath.Join(o.Dir, demo.SecretFile))
	if err != nil {
		return nil, fmt.Errorf("secret of the demo's org: %w", err)
	}
	e, err := StartEmulator(o.EmulatorListen, "--emulator-listen", demo.SalesforceOrg(strings.TrimSpace(string(secret))))
	if err != nil {
		return nil, err
	}
	org.Connect.LoginURL, org.Connect.AllowLoopbackHTTP = e.URL, true
	file.Orgs[demo.Org] = org
	return e, nil
}
