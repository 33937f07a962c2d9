package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/token-refresher/refresh"
)

// loginPatience is a little more than a login may take.
const loginPatience = 11 * time.Minute

func newConnect(s Streams) *cobra.Command {
	// It writes what only token-refresher may write.
	n := &connection{streams: s, role: "token-refresher"}
	var browse, link bool
	c := &cobra.Command{
		Use:   "connect ORG",
		Short: "Authenticate an org with Salesforce, in the browser",
		Long: `Authenticate an org of flow refresh_token with Salesforce.

The browser is sent to Salesforce and comes back to this machine, to
callback.loopbackURL, which must be a callback URL of the app. The tokens are
sealed and stored where token-refresher finds them. With --link it prints an
address of token-refresher's own page instead (callback.url), at which somebody
else can authenticate the org, once and within ten minutes. Use it for the first login,
and whenever an org is held because its refresh token is not good any more.`,
		Example: `  rollcall connect production --config rollcall.yaml
  rollcall connect production --config rollcall.yaml --open=false
  rollcall connect production --config rollcall.yaml --link`,
		Args: exactly(1, "the name of an org"),
		RunE: func(c *cobra.Command, args []string) error {
			if n.config == "" {
				return wrongUse("--config is required: it says how to sign in to the org")
			}
			if link {
				return printLink(n, args[0])
			}
			return connect(c.Context(), n, args[0], browse)
		},
	}
	n.flags(c)
	c.Flags().BoolVar(&browse, "open", true, "open the browser; the address is printed in any case")
	c.Flags().BoolVar(&link, "link", false, "print a link to token-refresher's page, for whoever is to authenticate")
	return c
}

// loadConnect reads the configuration of an org that somebody may authenticate.
func loadConnect(path, org string) (config.File, error) {
	file, err := config.Load(path)
	if err != nil {
		return file, app.Usage(err)
	}
	if _, ok := file.Orgs[org]; !ok {
		return file, wrongUse("%s has no org %q", path, org)
	}
	if flow := file.Orgs[org].Connect.Flow; flow != config.FlowRefreshToken {
		return file, wrongUse("org %s signs in by %s and needs nobody to authenticate (connect.flow)", org, flow)
	}
	if file.Tokens.KeyFile == "" {
		return file, wrongUse("tokens.keyFile is required in %s; of rollcall up it is tokens.json in the data folder", path)
	}
	return file, nil
}

// printLink makes a link to the page that token-refresher serves.
func printLink(n *connection, org string) error {
	file, err := loadConnect(n.config, org)
	if err != nil {
		return err
	}
	if file.Callback.URL == "" {
		return wrongUse("callback.listen and callback.url are required in %s: they say where token-refresher serves the page", n.config)
	}
	cfg, err := refresh.ConfigFrom(file)
	if err != nil {
		return app.Usage(err)
	}
	address, err := refresh.Link(cfg, org)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(n.streams.Out, address)
	_, _ = fmt.Fprintf(n.streams.Err, "Whoever opens it within ten minutes can authenticate %s, once.\n", org)
	return nil
}

func connect(ctx context.Context, n *connection, org string, browse bool) error {
	file, err := loadConnect(n.config, org)
	if err != nil {
		return err
	}
	sess, err := n.open(ctx)
	if err != nil {
		return err
	}
	defer sess.close()
	cfg, err := refresh.ConfigFrom(file)
	if err != nil {
		return app.Usage(err)
	}
	ended := make(chan result, 1)
	login, err := refresh.NewLogin(cfg, sess.bus, sess.tel, file.Callback.LoopbackURL, func(c refresh.Connected, err error) {
		select {
		case ended <- result{c, err}:
		default: // somebody has the answer already
		}
	})
	if err != nil {
		return err
	}
	return await(ctx, n.streams, file.Callback.LoopbackURL, org, login, ended, browse)
}

// result is how a login ended.
type result struct {
	refresh.Connected
	err error
}

// await serves the callback until the browser has come back.
func await(ctx context.Context, s Streams, callback, org string, login *refresh.Login, ended <-chan result, browse bool) error {
	u, err := url.Parse(callback)
	if err != nil {
		return wrongUse("callback.loopbackURL: %v", err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", u.Port()))
	if err != nil {
		return app.ListenError(err, u.Host, "set callback.loopbackURL to another port, in the app as well")
	}
	server := &http.Server{Handler: login.Handler(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }() // ends with Shutdown, and says so
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(end) // the browser gets its page first
	}()
	start, err := login.Link(org)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(s.Err, "Authenticate %s in a browser on this machine:\n  %s\n", org, start)
	if browse {
		openBrowser(ctx, start)
	}
	ctx, cancel := context.WithTimeout(ctx, loginPatience)
	defer cancel()
	select {
	case got := <-ended:
		return said(s.Out, got)
	case <-ctx.Done():
		return errors.New("nobody finished the login in time: run it again")
	}
}

func said(w io.Writer, got result) error {
	if got.err != nil {
		return fmt.Errorf("not connected: %s", refresh.Explain(got.err))
	}
	_, _ = fmt.Fprintf(w, "%s is connected: org %s, user %s, scopes %s\n", got.Org, got.OrgID, got.UserID, strings.Join(got.Scopes, " "))
	for _, m := range got.Wrong {
		_, _ = fmt.Fprintf(w, "Still wrong: %s\n", m)
	}
	if len(got.Wrong) > 0 {
		_, _ = fmt.Fprintf(w, "When it is mended, look again: rollcall doctor %s\n", got.Org)
		return nil
	}
	_, _ = fmt.Fprintln(w, "The user may do what Rollcall needs, and all that the configuration names is there.")
	return nil
}

// openBrowser tries; the address stands on the screen as well.
func openBrowser(ctx context.Context, address string) {
	name := "xdg-open"
	if runtime.GOOS == "darwin" {
		name = "open"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return
	}
	_ = exec.CommandContext(ctx, path, address).Start() //nolint:gosec // a fixed program and a loopback address
}
