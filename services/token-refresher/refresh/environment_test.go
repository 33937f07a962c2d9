package refresh

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// environ has the org sign in with a secret of the environment.
func (r *rig) environ(name string) {
	c := r.cfg.Orgs[emea]
	c.ClientSecretFile, c.ClientSecretEnv = "", name
	r.cfg.Orgs[emea] = c
}

func TestTheSecretMayStandInTheEnvironment(t *testing.T) {
	r := newRig(t)
	t.Setenv("ROLLCALL_TEST_EMEA_SECRET", secret+"\n")
	r.environ("ROLLCALL_TEST_EMEA_SECRET")
	r.run(r.service())
	r.await("connected", connected(1))
	r.tight()
}

func TestAVariableThatIsNotThereIsNamed(t *testing.T) {
	r := newRig(t)
	r.environ("ROLLCALL_TEST_NO_SUCH_SECRET")
	r.run(r.service())
	rec := r.await("held", inState(events.TokenHeld))
	if rec.Failure.Code != "NO_SECRET" || !strings.Contains(rec.Advice, "clientSecretEnv: ROLLCALL_TEST_NO_SUCH_SECRET") {
		t.Errorf("%+v: %s", rec.Failure, rec.Advice)
	}
}
