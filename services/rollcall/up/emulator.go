package up

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
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

	web    *http.Server
	keeper *keeper
}

// EmulatorOptions says what org runs where.
type EmulatorOptions struct {
	// Listen is host:port; Flag is the command line flag that sets it, for the
	// message that says the port is taken.
	Listen, Flag string
	// Org is the org at its first start.
	Org emulator.OrgConfig
	// State is the file in which the org outlives the process, empty for none.
	State string
	// CertFile and KeyFile are for TLS; both empty for plain HTTP, which clients
	// take from loopback only.
	CertFile, KeyFile string
	Log               *slog.Logger
}

// serve answers requests at l until the server is closed.
func (o EmulatorOptions) serve(web *http.Server, l net.Listener) {
	if o.CertFile == "" {
		_ = web.Serve(l) // ends with Close, and says so
		return
	}
	if err := web.ServeTLS(l, "", ""); !errors.Is(err, http.ErrServerClosed) {
		o.Log.Error("the emulated org ended", "error", err)
	}
}

// tls is nil for plain HTTP.
func (o EmulatorOptions) tls() (*tls.Config, error) {
	if o.CertFile == "" && o.KeyFile == "" {
		return nil, nil //nolint:nilnil // no TLS is a way of serving
	}
	cert, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("certificate of the emulated org: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, nil
}

func (o EmulatorOptions) scheme() string {
	if o.CertFile == "" {
		return "http://"
	}
	return "https://"
}

// StartEmulator serves an org.
func StartEmulator(ctx context.Context, o EmulatorOptions) (*Emulator, error) {
	srv, err := openOrg(o)
	if err != nil {
		return nil, err
	}
	conf, err := o.tls()
	if err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, app.ListenError(err, o.Listen, "choose another port with "+o.Flag)
	}
	e := &Emulator{
		Server: srv, URL: o.scheme() + l.Addr().String(),
		web: &http.Server{Handler: srv, ReadHeaderTimeout: readHeaderTimeout, TLSConfig: conf},
	}
	if o.State != "" {
		e.keeper = keep(srv, o.State, o.Log)
		e.web.Handler = e.keeper
	}
	go o.serve(e.web, l)
	return e, nil
}

// openOrg makes the org, or takes up where it was left. The app that is asked
// for may sign in either way.
func openOrg(o EmulatorOptions) (*emulator.Server, error) {
	srv := emulator.New()
	if o.State == "" || missing(o.State) {
		srv.AddOrg(o.Org)
		return srv, nil
	}
	if err := srv.LoadFile(o.State); err != nil {
		return nil, fmt.Errorf("state of the emulated org in %s: %w", o.State, err)
	}
	for _, org := range srv.Orgs() {
		for _, client := range o.Org.Clients {
			err := org.UpdateApp(client.ClientID, func(a *emulator.ConnectedApp) { a.ClientSecret = client.ClientSecret })
			if err != nil {
				err = org.AddApp(client)
			}
			if err != nil {
				return nil, fmt.Errorf("state of the emulated org in %s: %w", o.State, err)
			}
		}
	}
	return srv, nil
}

// Close stops serving and writes the state.
func (e *Emulator) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if e.web.Shutdown(ctx) != nil {
		_ = e.web.Close()
	}
	e.keeper.close()
}

// startDemoOrg serves the demo's org and lets the configuration point at it.
func startDemoOrg(ctx context.Context, o Options, log *slog.Logger) (*Emulator, error) {
	secret, err := os.ReadFile(filepath.Join(o.Dir, demo.SecretFile))
	if err != nil {
		return nil, fmt.Errorf("secret of the demo's org: %w", err)
	}
	e, err := StartEmulator(ctx, EmulatorOptions{
		Listen: o.EmulatorListen, Flag: "--emulator-listen", Log: log,
		Org: demo.SalesforceOrg(strings.TrimSpace(string(secret))), State: filepath.Join(o.Dir, emulatorState),
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// reach makes the demo's org the emulated one.
func (e *Emulator) reach(file *config.File) error {
	org, ok := file.Orgs[demo.Org]
	if !ok {
		return fmt.Errorf("--demo needs an org named %q in the configuration", demo.Org)
	}
	org.Connect.LoginURL, org.Connect.AllowLoopbackHTTP = e.URL, true
	file.Orgs[demo.Org] = org
	return nil
}
