package refresh

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// environ has the org sign in with a secret of the environment.
func (b *bundle) environ(name string) {
	c := b.cfg.Orgs[emea]
	c.ClientSecretFile, c.ClientSecretEnv = "", name
	b.cfg.Orgs[emea] = c
}

func TestTheSecretMayStandInTheEnvironment(t *testing.T) {
	b := newBundle(t)
	t.Setenv("ROLLCALL_TEST_EMEA_SECRET", secret+"\n")
	b.environ("ROLLCALL_TEST_EMEA_SECRET")
	b.run(b.service())
	b.await("connected", connected(1))
	b.tight()
}

func TestAVariableThatIsNotThereIsNamed(t *testing.T) {
	b := newBundle(t)
	b.environ("ROLLCALL_TEST_NO_SUCH_SECRET")
	b.run(b.service())
	rec := b.await("held", inState(events.TokenHeld))
	if rec.Failure.Code != "NO_SECRET" || !strings.Contains(rec.Advice, "clientSecretEnv: ROLLCALL_TEST_NO_SUCH_SECRET") {
		t.Errorf("%+v: %s", rec.Failure, rec.Advice)
	}
}
