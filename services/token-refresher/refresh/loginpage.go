package refresh

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

const (
	pageHead = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Rollcall</title></head><body>`
	donePage = pageHead + `<h1>{{.Org}} is connected</h1>
<dl><dt>Org id</dt><dd>{{.OrgID}}</dd><dt>User id</dt><dd>{{.UserID}}</dd>
<dt>Scopes</dt><dd>{{range .Scopes}}{{.}} {{end}}</dd></dl>
{{if .Wrong}}<h2>Still wrong</h2><ul>{{range .Wrong}}<li>{{.}}</li>{{end}}</ul>
<p>When it is mended, look again: <code>rollcall doctor {{.Org}}</code></p>
{{else}}<p>The user may do what Rollcall needs, and all that the configuration names is there. You may close this page.</p>{{end}}
</body></html>`
	refusedPage = pageHead + `<h1>Not connected</h1><p>{{.Why}}</p><p>{{.Advice}}</p></body></html>`
)

// LoginRefused is why a login came to nothing, in an admin's words.
type LoginRefused struct{ Why, Advice string }

func (r *LoginRefused) Error() string { return r.Why + " " + r.Advice }

func refusal(why, advice string) *LoginRefused { return &LoginRefused{Why: why, Advice: advice} }

// explain turns any error of a login into one for the admin.
func explain(err error) *LoginRefused {
	var r *LoginRefused
	var te *salesforce.TokenError
	switch {
	case errors.As(err, &r):
		return r
	case errors.As(err, &te):
		// The error's own text leaves out what Salesforce may have echoed.
		return refusal(te.Error()+".", te.Advice())
	}
	return refusal("Rollcall could not finish the login.", "Look into the log of whoever serves this page (token-refresher, or `rollcall connect`), and start again.")
}

// explained says whether an error says by itself what an admin is to do.
func explained(err error) bool {
	var r *LoginRefused
	var te *salesforce.TokenError
	return errors.As(err, &r) || errors.As(err, &te)
}

func (l *Login) refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	why := explain(err)
	attrs := []any{"cause", why.Why}
	if org := r.PathValue("org"); l.orgs[org] != nil {
		attrs = append(attrs, "org", org)
	}
	if !explained(err) {
		attrs = append(attrs, "error", err.Error()) // which the page keeps from the browser
	}
	l.tel.Log.WarnContext(r.Context(), "login was refused", attrs...)
	headers(w)
	w.WriteHeader(status)
	page(w, refusedPage, why)
}

func showDone(w http.ResponseWriter, c Connected) {
	headers(w)
	page(w, donePage, c)
}

// headers keep the code in the address from travelling on, and scripts out.
func headers(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
}

func page(w http.ResponseWriter, text string, data any) {
	var b strings.Builder
	if err := template.Must(template.New("page").Parse(text)).Execute(&b, data); err != nil {
		return // the templates are constants, and each is in a test
	}
	_, _ = w.Write([]byte(b.String())) // the browser may be gone
}

// serveLogin serves the login until ctx ends.
func (s *Service) serveLogin(ctx context.Context) error {
	login, err := newLogin(s.cfg, s.bucket, s.sealer, s.tel, s.cfg.Callback.URL, nil)
	if err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", s.cfg.Callback.Listen)
	if err != nil {
		return fmt.Errorf("callback.listen: %w", err)
	}
	server := &http.Server{Handler: login.Handler(), ReadHeaderTimeout: 5 * time.Second}
	defer context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.CallTimeout)
		defer cancel()
		_ = server.Shutdown(end) // what is left is cut off
	})()
	return server.Serve(l)
}

// Explain says in an admin's words why a login came to nothing.
func Explain(err error) string { return explain(err).Error() }
