package cli

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/services/internal/doctor"
)

func TestTheDoctorsExitCodeSaysTheWorst(t *testing.T) {
	t.Parallel()
	for worst, want := range map[doctor.Level]int{doctor.OK: 0, doctor.Warn: 3, doctor.Fail: 1} {
		if got := exitCode(exitOf(worst)); got != want {
			t.Errorf("%s: %d, want %d", worst, got, want)
		}
	}
}

func TestTheDoctorsReport(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	long := "the org has no role named \"Sales\"; whoever needs it is parked, and this goes on for longer than a line is wide"
	printReport(&out, doctor.Report{Findings: []doctor.Finding{
		{Check: "nats.streams", Level: doctor.Skipped, Message: "NATS cannot be reached"},
		{Check: "nats.sync", Level: doctor.Skipped, Message: "NATS cannot be reached"},
		{Check: "org.names", Org: "emea", Level: doctor.Fail, Message: long, Advice: "Did you mean \x1b[31m\"Sales Rep\"?"},
	}})
	const want = `NATS
  skipped  streams, sync: NATS cannot be reached

Org emea
  fail     names          the org has no role named "Sales"; whoever needs it is parked, and this
                          goes on for longer than a line is wide
                          -> Did you mean �[31m"Sales Rep"?

0 ok, 2 skipped, 0 to look at, 1 failed.
`
	if got := out.String(); got != want {
		t.Errorf("%s", got)
	}
}
