package doctor

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

const (
	// defaultTimeout bounds one check.
	defaultTimeout = 15 * time.Second
	// slowAfter is when somebody is told what is being waited for.
	slowAfter = time.Second
)

// Doctor is what is looked at, and with what.
type Doctor struct {
	// File is the configuration; FileErr is what is wrong with it, and then File
	// holds what could be read.
	File    config.File
	FileErr error
	// Expressions compiles the configuration's expressions.
	Expressions func(config.File) error
	// Connect connects to NATS.
	Connect func(context.Context) (*bus.Bus, error)
	// Transport carries requests to Salesforce. Default [http.DefaultTransport].
	Transport http.RoundTripper
	// Timeout bounds one check. Default 15s.
	Timeout time.Duration
	// Slow, when given, is told which check has been waited for. It may be
	// called from several goroutines at once.
	Slow func(check, org string)
	// Now is the clock. Default [time.Now].
	Now func() time.Time
}

// Examine looks at NATS, the configuration and the orgs named, or all.
func (d Doctor) Examine(ctx context.Context, orgs ...string) Report {
	d = d.withDefaults()
	if len(orgs) == 0 {
		orgs = slices.Sorted(maps.Keys(d.File.Orgs))
	}
	general := &examination{Doctor: d}
	general.configuration(ctx)
	general.nats(ctx)
	general.check(ctx, workPaused, general.pauses)
	if general.bus != nil {
		defer general.bus.Close()
	}
	examinations := make([]*examination, len(orgs))
	var all sync.WaitGroup
	for i, name := range orgs {
		examinations[i] = &examination{Doctor: d, org: name, connect: d.File.Orgs[name].Connect, bus: general.bus, sealer: general.sealer, sealErr: general.sealErr}
		all.Go(func() { examinations[i].organisation(ctx) })
	}
	all.Wait()
	findings := general.findings
	for _, x := range examinations {
		findings = append(findings, x.findings...)
	}
	return newReport(d.Now(), findings)
}

// Session looks at an org with one session, as just given to somebody who
// signed in. It needs neither NATS nor keys, and looks at nothing there.
func (d Doctor) Session(ctx context.Context, org string, token events.Token) []Finding {
	d = d.withDefaults()
	x := &examination{Doctor: d, org: org, connect: d.File.Orgs[org].Connect, token: token, rec: &events.TokenRecord{}, secrets: []string{token.AccessToken}}
	if x.check(ctx, orgSession, x.session) != Fail {
		x.content(ctx, "")
	}
	return x.findings
}

func (d Doctor) withDefaults() Doctor {
	if d.Transport == nil {
		d.Transport = http.DefaultTransport
	}
	if d.Timeout <= 0 {
		d.Timeout = defaultTimeout
	}
	if d.Slow == nil {
		d.Slow = func(string, string) {}
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Expressions == nil {
		d.Expressions = func(config.File) error { return nil }
	}
	return d
}

// check does one check within its time and keeps what it found.
func (x *examination) check(ctx context.Context, name string, look func(context.Context) []verdict) Level {
	ctx, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	slow := time.AfterFunc(slowAfter, func() { x.Slow(name, x.org) })
	defer slow.Stop()
	worst := OK
	for _, v := range look(ctx) {
		if v.level == Skipped && worst == OK || v.level.weight() > worst.weight() {
			worst = v.level
		}
		x.findings = append(x.findings, Finding{Check: name, Org: x.org, Level: v.level,
			Message: tidy(redact(v.message, x.secrets)), Advice: tidy(redact(v.advice, x.secrets))})
	}
	return worst
}

// tidy takes what others said onto as few lines as it needs.
func tidy(text string) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return l == "" }), "\n")
}
