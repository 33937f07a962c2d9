package assign

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry/telemetrytest"
)

// TestAChangedConfigurationSaysWhatItChanges, in the log, before anything changes;
// an installation without anybody has nothing to say.
func TestAChangedConfigurationSaysWhatItChanges(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const message = "what the configuration changes"
	first := telemetrytest.Recording(t)
	s := r.service(first.Telemetry)
	stop := r.run(s)
	<-s.swept
	for n := range 12 {
		r.publish("hr", rulestest.Event(n))
	}
	r.awaitAcked()
	stop()
	if strings.Contains(first.LogText(), message) {
		t.Error("nobody was there, and something was said")
	}
	a := rulestest.Assign()
	a.Rules[0].When = strings.ReplaceAll(a.Rules[0].When, `"Sales"`, `"sales"`)
	r.file.Orgs = map[string]config.Org{"sales": {Assign: a}}
	second := telemetrytest.Recording(t)
	s = r.service(second.Telemetry)
	r.run(s)
	<-s.swept
	said := second.LogText()
	for _, want := range []string{message, `"people":12`, `"deactivated":12`, `"unmatched":12`, `"over_limit":true`, `"level":"WARN"`} {
		if !strings.Contains(said, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	if strings.Index(said, message) > strings.Index(said, "change is held") {
		t.Error("it was said after the first change was judged")
	}
}
