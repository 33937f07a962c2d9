package bus_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// may says who may publish, or subscribe to, a subject. It is written by hand,
// apart from the table it judges.
type may struct {
	subject string
	roles   string
}

const (
	assignment = "assignment"
	refresher  = "token-refresher"
	pusher     = "salesforce-pusher"
	scheduler  = "retry-scheduler"
	readers    = assignment + " " + pusher + " " + scheduler + " operator"
)

// publishMatrix is every kind of subject, of Rollcall's and of JetStream's.
func publishMatrix() []may {
	return []may{
		// The facts, each with its writer.
		{"rollcall.directory.hr.person", "publisher-hr"}, {"rollcall.directory.hr.group", "publisher-hr"},
		{"rollcall.directory.ad.person", "publisher-ad"}, {"rollcall.directory.other.person", ""},
		{"rollcall.directory.hr.person.more", ""},
		{"rollcall.person.k", assignment}, {"rollcall.group.k", assignment}, {"rollcall.desired.acme.k", assignment},
		{"rollcall.rejection.e7", assignment},
		{"rollcall.config", assignment}, {"rollcall.sweep", assignment}, {"rollcall.beat.1", assignment}, {"rollcall.aside.hr", assignment},
		{"rollcall.held.acme.k", assignment}, {"rollcall.guard.acme", assignment}, {"rollcall.release.acme.k", scheduler},
		{"rollcall.pauses.all", scheduler},
		{"rollcall.work.acme.change.k", assignment + " " + pusher + " " + scheduler},
		{"rollcall.link.acme.k", pusher}, {"rollcall.owner.acme.u", pusher}, {"rollcall.outcome.acme.k", pusher},
		{"rollcall.health.acme", pusher},
		{"rollcall.check.acme", pusher},
		{"rollcall.retry.acme.k", scheduler}, {"rollcall.look.acme.k", pusher}, {"rollcall.turn.acme.change.k", pusher}, {"rollcall.discarded.acme.k", scheduler}, {"rollcall.reconsider.e7", scheduler},
		{"rollcall.dead.acme.licence.k", scheduler},
		{"rollcall.operator.retry", "operator"}, {"rollcall.operator.discard", "operator"},
		{"rollcall.operator.retried", scheduler}, {"rollcall.operator.discarded", scheduler},
		{"rollcall.operator.refused", scheduler + " " + pusher}, {"rollcall.operator.closed", scheduler},
		{"rollcall.operator.merge", "operator"}, {"rollcall.operator.unlink", "operator"},
		{"rollcall.operator.resync", "operator"}, {"rollcall.operator.resynced", scheduler},
		{"rollcall.operator.merged", pusher}, {"rollcall.operator.unlinked", pusher},
		{"rollcall.operator.allow", "operator"}, {"rollcall.operator.allowed", pusher},
		{"rollcall.operator.release", "operator"}, {"rollcall.operator.reject", "operator"},
		{"rollcall.operator.released", scheduler}, {"rollcall.operator.rejected", scheduler},
		{"rollcall.operator.pause", "operator"}, {"rollcall.operator.resume", "operator"}, {"rollcall.operator.snapshot", "operator"},
		{"rollcall.operator.paused", scheduler}, {"rollcall.operator.resumed", scheduler},
		{"rollcall.operator.other", ""}, {"rollcall.other", ""}, {"other", ""},
		{"$KV.tokens.acme", refresher}, {"$KV.tokens.login.acme", refresher}, {"$KV.other.acme", ""},
		// Reading.
		{"$JS.API.DIRECT.GET.ROSTER", readers},
		{"$JS.API.DIRECT.GET.ROSTER.rollcall.health.acme", refresher},
		{"$JS.API.DIRECT.GET.ROSTER.rollcall.person.k", ""}, {"$JS.API.DIRECT.GET.ROSTER.rollcall.config", assignment},
		{"$JS.API.DIRECT.GET.DIRECTORY", assignment + " operator"}, {"$JS.API.DIRECT.GET.DIRECTORY.rollcall.directory.hr.person", ""},
		{"$JS.API.DIRECT.GET.DEAD", scheduler + " operator"}, {"$JS.API.DIRECT.GET.OPERATOR", scheduler + " operator"},
		{"$JS.API.DIRECT.GET.KV_tokens", refresher},
		{"$JS.API.DIRECT.GET.KV_tokens.$KV.tokens.acme", refresher + " " + pusher + " operator"},
		{"$JS.API.DIRECT.GET.KV_tokens.$KV.tokens.login.acme", refresher},
		{"$JS.API.STREAM.MSG.GET.ROSTER", ""}, {"$JS.API.STREAM.MSG.GET.KV_tokens", ""},
		// Looking.
		{"$JS.API.INFO", "operator provisioner"}, {"$JS.API.STREAM.NAMES", ""}, {"$JS.API.STREAM.LIST", ""},
		{"$JS.API.STREAM.INFO.DIRECTORY", assignment + " operator provisioner"},
		{"$JS.API.STREAM.INFO.ROSTER", readers + " provisioner"},
		{"$JS.API.STREAM.INFO.DEAD", scheduler + " operator provisioner"},
		{"$JS.API.STREAM.INFO.OPERATOR", scheduler + " " + pusher + " operator provisioner"},
		{"$JS.API.STREAM.INFO.KV_tokens", refresher + " provisioner"}, {"$JS.API.STREAM.INFO.OTHER", ""},
		{"$JS.API.CONSUMER.NAMES.ROSTER", ""},
		{"$JS.API.CONSUMER.LIST.ROSTER", "operator"}, {"$JS.API.CONSUMER.LIST.DIRECTORY", "operator"},
		{"$JS.API.CONSUMER.LIST.OPERATOR", "operator"}, {"$JS.API.CONSUMER.LIST.DEAD", ""}, {"$JS.API.CONSUMER.LIST.KV_tokens", ""},
		{"$JS.API.CONSUMER.INFO.DIRECTORY.assignment", assignment + " operator provisioner"},
		{"$JS.API.CONSUMER.INFO.ROSTER.assignment-reconsider", assignment + " operator provisioner"},
		{"$JS.API.CONSUMER.INFO.ROSTER.assignment-releases", assignment + " operator provisioner"},
		{"$JS.API.CONSUMER.INFO.ROSTER.pusher-acme-leaver", pusher + " operator provisioner"},
		{"$JS.API.CONSUMER.INFO.ROSTER.retry-outcomes", scheduler + " operator provisioner"},
		{"$JS.API.CONSUMER.INFO.ROSTER.retry-rejections", scheduler + " operator provisioner"},
		{"$JS.API.CONSUMER.INFO.OPERATOR.retry-operator", scheduler + " operator provisioner"},
		{"$JS.API.CONSUMER.INFO.OPERATOR.pusher-merge", pusher + " operator provisioner"},
		{"$JS.API.CONSUMER.INFO.OPERATOR.pusher-unlink", pusher + " operator provisioner"},
		{"$JS.API.CONSUMER.INFO.OPERATOR.pusher-allow", pusher + " operator provisioner"},
		// Taking messages, and saying what came of them.
		{"$JS.API.CONSUMER.MSG.NEXT.DIRECTORY.assignment", assignment}, {"$JS.API.CONSUMER.RESET.DIRECTORY.assignment", assignment},
		{"$JS.ACK.DIRECTORY.assignment.1.2.3.4.5", assignment}, {"$JS.ACK.hub.hash.DIRECTORY.assignment.1.2.3.4.5", assignment},
		{"$JS.API.CONSUMER.MSG.NEXT.ROSTER.assignment-reconsider", assignment}, {"$JS.API.CONSUMER.RESET.ROSTER.assignment-reconsider", assignment},
		{"$JS.ACK.ROSTER.assignment-reconsider.1.2.3.4.5", assignment}, {"$JS.ACK.hub.hash.ROSTER.assignment-reconsider.1.2.3.4.5", assignment},
		{"$JS.API.CONSUMER.MSG.NEXT.ROSTER.assignment-releases", assignment}, {"$JS.API.CONSUMER.RESET.ROSTER.assignment-releases", assignment},
		{"$JS.ACK.ROSTER.assignment-releases.1.2.3.4.5", assignment}, {"$JS.ACK.hub.hash.ROSTER.assignment-releases.1.2.3.4.5", assignment},
		{"$JS.API.CONSUMER.MSG.NEXT.ROSTER.pusher-acme-leaver", pusher}, {"$JS.API.CONSUMER.RESET.ROSTER.pusher-acme-change", pusher},
		{"$JS.ACK.ROSTER.pusher-acme-backfill.1.2.3.4.5", pusher}, {"$JS.ACK.hub.hash.ROSTER.pusher-acme-backfill.1.2.3.4.5", pusher},
		{"$JS.API.CONSUMER.MSG.NEXT.ROSTER.pusher-other-leaver", ""}, {"$JS.ACK.ROSTER.pusher-other-leaver.1.2.3.4.5", ""},
		{"$JS.API.CONSUMER.MSG.NEXT.ROSTER.retry-outcomes", scheduler}, {"$JS.API.CONSUMER.RESET.ROSTER.retry-outcomes", scheduler},
		{"$JS.ACK.ROSTER.retry-outcomes.1.2.3.4.5", scheduler}, {"$JS.ACK.hub.hash.ROSTER.retry-outcomes.1.2.3.4.5", scheduler},
		{"$JS.API.CONSUMER.MSG.NEXT.ROSTER.retry-rejections", scheduler}, {"$JS.API.CONSUMER.RESET.ROSTER.retry-rejections", scheduler},
		{"$JS.ACK.ROSTER.retry-rejections.1.2.3.4.5", scheduler}, {"$JS.ACK.hub.hash.ROSTER.retry-rejections.1.2.3.4.5", scheduler},
		{"$JS.API.CONSUMER.MSG.NEXT.OPERATOR.retry-operator", scheduler}, {"$JS.API.CONSUMER.RESET.OPERATOR.retry-operator", scheduler},
		{"$JS.ACK.OPERATOR.retry-operator.1.2.3.4.5", scheduler}, {"$JS.ACK.hub.hash.OPERATOR.retry-operator.1.2.3.4.5", scheduler},
		{"$JS.API.CONSUMER.MSG.NEXT.OPERATOR.pusher-merge", pusher}, {"$JS.API.CONSUMER.RESET.OPERATOR.pusher-merge", pusher},
		{"$JS.ACK.OPERATOR.pusher-merge.1.2.3.4.5", pusher}, {"$JS.ACK.hub.hash.OPERATOR.pusher-merge.1.2.3.4.5", pusher},
		{"$JS.API.CONSUMER.MSG.NEXT.OPERATOR.pusher-allow", pusher}, {"$JS.API.CONSUMER.RESET.OPERATOR.pusher-allow", pusher},
		{"$JS.ACK.OPERATOR.pusher-allow.1.2.3.4.5", pusher}, {"$JS.ACK.hub.hash.OPERATOR.pusher-allow.1.2.3.4.5", pusher},
		{"$JS.API.CONSUMER.MSG.NEXT.OPERATOR.pusher-unlink", pusher}, {"$JS.API.CONSUMER.RESET.OPERATOR.pusher-unlink", pusher},
		{"$JS.ACK.OPERATOR.pusher-unlink.1.2.3.4.5", pusher}, {"$JS.ACK.hub.hash.OPERATOR.pusher-unlink.1.2.3.4.5", pusher},
		// Making, changing, destroying.
		{"$JS.API.STREAM.CREATE.ROSTER", "provisioner"}, {"$JS.API.STREAM.UPDATE.ROSTER", "provisioner"},
		{"$JS.API.STREAM.CREATE.DIRECTORY", "provisioner"}, {"$JS.API.STREAM.UPDATE.DIRECTORY", "provisioner"},
		{"$JS.API.STREAM.CREATE.DEAD", "provisioner"}, {"$JS.API.STREAM.UPDATE.DEAD", "provisioner"},
		{"$JS.API.STREAM.CREATE.OPERATOR", "provisioner"}, {"$JS.API.STREAM.UPDATE.OPERATOR", "provisioner"},
		{"$JS.API.STREAM.CREATE.KV_tokens", "provisioner"}, {"$JS.API.STREAM.UPDATE.KV_tokens", "provisioner"},
		{"$JS.API.STREAM.CREATE.OTHER", ""}, {"$JS.API.STREAM.UPDATE.OTHER", ""},
		{"$JS.API.CONSUMER.CREATE.DIRECTORY.assignment.rollcall.directory.>", "provisioner"},
		{"$JS.API.CONSUMER.CREATE.ROSTER.assignment-reconsider.rollcall.reconsider.*", "provisioner"},
		{"$JS.API.CONSUMER.CREATE.ROSTER.retry-outcomes.rollcall.outcome.>", "provisioner"},
		{"$JS.API.CONSUMER.CREATE.ROSTER.retry-rejections.rollcall.rejection.*", "provisioner"},
		{"$JS.API.CONSUMER.CREATE.OPERATOR.retry-operator.rollcall.operator.>", "provisioner"},
		{"$JS.API.CONSUMER.CREATE.OPERATOR.pusher-merge.rollcall.operator.merge", "provisioner"},
		{"$JS.API.CONSUMER.CREATE.OPERATOR.pusher-unlink.rollcall.operator.unlink", "provisioner"},
		{"$JS.API.CONSUMER.CREATE.OPERATOR.pusher-allow.rollcall.operator.allow", "provisioner"},
		{"$JS.API.CONSUMER.CREATE.ROSTER.assignment-releases.rollcall.release.*.*", "provisioner"},
		{"$JS.API.CONSUMER.CREATE.ROSTER.pusher-acme-leaver.rollcall.work.acme.leaver.*", "provisioner"},
		{"$JS.API.CONSUMER.CREATE.ROSTER", ""}, {"$JS.API.CONSUMER.CREATE.ROSTER.mine", ""},
		{"$JS.API.CONSUMER.CREATE.ROSTER.mine.rollcall.health.acme", ""}, {"$JS.API.CONSUMER.CREATE.KV_tokens.mine.$KV.tokens.acme", ""},
		{"$JS.API.CONSUMER.DURABLE.CREATE.ROSTER.mine", ""}, {"$JS.API.CONSUMER.DELETE.ROSTER.retry-outcomes", ""},
		{"$JS.API.CONSUMER.PAUSE.ROSTER.retry-outcomes", ""}, {"$JS.API.CONSUMER.UNPIN.ROSTER.retry-outcomes", ""},
		{"$JS.API.STREAM.DELETE.ROSTER", ""}, {"$JS.API.STREAM.PURGE.ROSTER", ""}, {"$JS.API.STREAM.PURGE.OPERATOR", ""},
		{"$JS.API.STREAM.SNAPSHOT.ROSTER", ""}, {"$JS.API.STREAM.RESTORE.ROSTER", ""},
		{"$JS.API.STREAM.MSG.DELETE.DEAD", scheduler}, {"$JS.API.STREAM.MSG.DELETE.ROSTER", ""}, {"$JS.API.STREAM.MSG.DELETE.OPERATOR", ""},
		{"$JS.API.STREAM.PEER.REMOVE.ROSTER", ""}, {"$JS.API.STREAM.LEADER.STEPDOWN.ROSTER", ""}, {"$JS.API.META.LEADER.STEPDOWN", ""},
		{"$JS.API.ACCOUNT.PURGE.ROLLCALL", ""}, {"$JS.FC.ROSTER.c.x", ""},
		// Answering for somebody else.
		{"_INBOX_assignment.x", ""}, {"_INBOX.x", ""}, {"$SYS.REQ.SERVER.PING", ""},
		{"$SYS.REQ.SERVER.PING.VARZ", "operator"}, {"$SYS.REQ.SERVER.PING.CONNZ", ""}, {"$SYS.REQ.SERVER.PING.ACCOUNTZ", ""},
	}
}

func subscribeMatrix() []may {
	out := []may{
		{"rollcall.config", assignment}, {"rollcall.health.acme", refresher}, {"rollcall.health.*", refresher}, {"$KV.tokens.acme", refresher + " " + pusher},
		{"$KV.tokens.login.acme", ""}, {"$KV.>", ""}, {"rollcall.>", ""}, {"rollcall.directory.>", ""}, {"rollcall.person.*", ""},
		{"rollcall.work.acme.change.*", ""}, {"rollcall.outcome.>", ""}, {"rollcall.operator.>", ""}, {">", ""}, {"_INBOX.>", ""}, {"$JS.>", ""}, {"$SYS.>", ""},
	}
	for _, r := range testRoles() {
		out = append(out, may{bus.InboxPrefix(r.Name) + ".>", r.Name})
	}
	return out
}

func testRoles() []bus.Role { return bus.Roles([]string{"acme"}, []string{"hr", "ad"}) }

// guarded is a server with the generated accounts, and what it logged.
type guarded struct {
	url   string
	seeds map[string]string
	log   *violations
}

// violations counts what the server logs about refusals.
type violations struct {
	server.Logger
	mu    sync.Mutex
	lines []string
}

func (v *violations) Noticef(string, ...any) {}
func (v *violations) Warnf(string, ...any)   {}
func (v *violations) Fatalf(string, ...any)  {}
func (v *violations) Debugf(string, ...any)  {}
func (v *violations) Tracef(string, ...any)  {}
func (v *violations) Errorf(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lines = append(v.lines, fmt.Sprintf(format, args...))
}

func (v *violations) count(text string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := 0
	for _, l := range v.lines {
		if strings.Contains(l, text) {
			n++
		}
	}
	return n
}

func startGuarded(t *testing.T) *guarded {
	t.Helper()
	dir := t.TempDir()
	g := &guarded{seeds: map[string]string{}, log: &violations{}}
	var public strings.Builder
	for _, r := range testRoles() {
		pair, err := nkeys.CreateUser()
		if err != nil {
			t.Fatal(err)
		}
		key, _ := pair.PublicKey()
		seed, _ := pair.Seed()
		fmt.Fprintf(&public, "%s: %q\n", r.Variable(), key)
		g.seeds[r.Name] = filepath.Join(dir, r.Name)
		write(t, g.seeds[r.Name], string(seed))
	}
	write(t, filepath.Join(dir, "nkeys.conf"), public.String())
	conf := filepath.Join(dir, "nats.conf")
	write(t, conf, bus.AccountsConf(testRoles(), "nkeys.conf"))
	opts, err := server.ProcessConfigFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	opts.Host, opts.Port, opts.NoSigs, opts.NoLog, opts.JetStream, opts.StoreDir = "127.0.0.1", server.RANDOM_PORT, true, true, true, t.TempDir()
	srv, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	srv.SetLoggerV2(g.log, false, false, false)
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	if !srv.ReadyForConnections(20 * time.Second) {
		t.Fatal("NATS server did not start")
	}
	g.url = srv.ClientURL()
	return g
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// denied does something for every row as one role, and returns the subjects
// for which the server refused it.
func (g *guarded) denied(t *testing.T, role string, rows []may, do func(nc *nats.Conn, subject string) error) map[string]bool {
	t.Helper()
	var mu sync.Mutex
	out := map[string]bool{}
	opt, err := nats.NkeyOptionFromSeed(g.seeds[role])
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(g.url, opt, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		mu.Lock()
		defer mu.Unlock()
		if m := regexp.MustCompile(`(?i)permissions violation for [a-z]+ to "([^"]+)"`).FindStringSubmatch(err.Error()); errors.Is(err, nats.ErrPermissionViolation) && m != nil {
			out[m[1]] = true
		}
	}))
	if err != nil {
		t.Fatalf("%s: %v", role, err)
	}
	defer nc.Close()
	for _, row := range rows {
		if err := do(nc, row.subject); err != nil {
			t.Fatalf("%s: %s: %v", role, row.subject, err)
		}
	}
	// The server answers in order: after its PONG, every refusal has come; the
	// client's handler runs on its own, until its queue is empty.
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	nc.SetClosedHandler(func(*nats.Conn) { close(done) })
	nc.Close()
	<-done
	mu.Lock()
	defer mu.Unlock()
	return out
}

// Every role tries to publish and to subscribe every kind of subject on a real
// server with the generated accounts.
func TestPermissionMatrix(t *testing.T) {
	t.Parallel()
	g := startGuarded(t)
	publish := func(nc *nats.Conn, subject string) error { return nc.Publish(subject, nil) }
	subscribe := func(nc *nats.Conn, subject string) error {
		_, err := nc.SubscribeSync(subject)
		return err
	}
	for _, r := range testRoles() {
		for what, m := range map[string]struct {
			rows []may
			do   func(*nats.Conn, string) error
		}{"publish": {publishMatrix(), publish}, "subscribe": {subscribeMatrix(), subscribe}} {
			before := g.log.count("Violation")
			denied := g.denied(t, r.Name, m.rows, m.do)
			for _, row := range m.rows {
				want := slices.Contains(strings.Fields(row.roles), r.Name)
				if got := !denied[row.subject]; got != want {
					t.Errorf("%s may %s %s: %v, want %v", r.Name, what, row.subject, got, want)
				}
			}
			if logged := g.log.count("Violation") - before; logged != len(denied) {
				t.Errorf("%s: the server refused %d times and logged %d", r.Name, len(denied), logged)
			}
		}
	}
}

// A permission that no row of the matrix looks at is one nobody has judged, and
// so is a subject of the contract.
func TestMatrixCoversEverything(t *testing.T) {
	t.Parallel()
	for _, r := range testRoles() {
		for what, list := range map[string]struct {
			patterns []string
			rows     []may
		}{"publish": {r.Publish(), publishMatrix()}, "subscribe": {r.Subscribe(), subscribeMatrix()}} {
			for _, p := range list.patterns {
				judged := slices.ContainsFunc(list.rows, func(m may) bool {
					return matches(p, m.subject) && slices.Contains(strings.Fields(m.roles), r.Name)
				})
				if !judged && !strings.Contains(p, ".pusher-acme-") { // one lane stands for all
					t.Errorf("nobody has judged that %s may %s %s", r.Name, what, p)
				}
			}
		}
	}
	patterns := slices.Concat(events.RosterSubjects(), []string{events.DirectoryAll, events.DeadAll})
	for _, v := range events.Verbs() {
		patterns = append(patterns, events.OperatorSubject(v))
	}
	for _, p := range patterns {
		if !slices.ContainsFunc(publishMatrix(), func(m may) bool { return matches(p, m.subject) }) {
			t.Errorf("no row is about %s", p)
		}
	}
}

// matches says whether a pattern matches a subject (which may hold wildcards
// itself: they stand for themselves).
func matches(pattern, subject string) bool {
	p, s := strings.Split(pattern, "."), strings.Split(subject, ".")
	for i, token := range p {
		switch {
		case token == ">" && len(s) > i:
			return true
		case i >= len(s), token != "*" && token != s[i]:
			return false
		}
	}
	return len(p) == len(s)
}
