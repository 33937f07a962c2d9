package up

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rollcall-sync/rollcall/services/rollcall/publish"
)

func natsFolder(dir string) string { return filepath.Join(dir, natsDir) }

// program is how the person at the keyboard calls this program: by its name
// where the shell finds it, else by the path it was started with.
func program() string {
	const name = "rollcall"
	if _, err := exec.LookPath(name); err == nil || len(os.Args) == 0 || filepath.Base(os.Args[0]) != name {
		return name
	}
	return os.Args[0]
}

// greet says what has happened and what to try next.
func (s *stack) greet(r reading, p publish.Result) {
	var b strings.Builder
	if s.emulator != nil {
		s.greetDemo(&b, r, p)
	} else {
		b.WriteString("Running.\n")
	}
	if url := s.nats.URL(); url != "" {
		fmt.Fprintf(&b, "NATS: %s. ", url)
	}
	if addr := s.probes.Addr(); addr != "" {
		fmt.Fprintf(&b, "Metrics and health: http://%s. ", addr)
	}
	fmt.Fprintf(&b, "Data: %s. Ctrl-C stops it; state is kept.\n", s.o.Dir)
	_, _ = fmt.Fprint(s.o.Stderr, b.String())
}

func (s *stack) greetDemo(b *strings.Builder, r reading, p publish.Result) {
	url := ""
	if s.o.Listen != DefaultListen {
		url = " --nats-url " + s.nats.URL()
	}
	rollcall := program()
	fmt.Fprintf(b, "\n%d rows of the sample export read, %d published, %d could not be used (%s publish says why).\n",
		p.Rows, p.Published, p.Unusable, rollcall)
	fmt.Fprintf(b, "%d users created in the emulated org, %d updated, %d people parked.\n\n", r.tally.Created, r.tally.Updated, r.parked)
	fmt.Fprintf(b, "Try, in another terminal:\n")
	for _, c := range [][2]string{
		{rollcall + " tasks list" + url, "who is stuck, and why"},
		{"curl -s -X POST " + s.emulator.URL + "/_emulator/orgs/" + s.emulator.Server.Orgs()[0].ID() + "/licenses/Salesforce%20Platform -d '{\"seats\":100}'", "buy the engineers' seats"},
		{rollcall + " tasks retry --cause licence --all --wait" + url, "and say: again"},
		{rollcall + " person show amber.alder.1001@example.com" + url, "one person's whole story"},
		{rollcall + " status" + url, "streams, lanes, orgs"},
		{rollcall + " publish FILE.csv" + url, "an export of your own"},
		{"curl -s " + s.emulator.URL + "/_emulator/summary", "what the org was asked"},
	} {
		fmt.Fprintf(b, "  %s\n      # %s\n", c[0], c[1])
	}
	b.WriteString("\n")
}
