package refresh

import (
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
)

func TestAnAddedKeySealsWhatIsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t).rotating()
	r.run(r.service())
	reader := r.reader()
	before := r.await("the first token", connected(1))
	was, err := r.sealer.OpenRefresh(emea, before.SealedRefresh)
	if err != nil {
		t.Fatal(err)
	}
	if err := seal.Rotate(r.cfg.KeyFile); err != nil {
		t.Fatal(err)
	}
	fresh, err := seal.Load(r.cfg.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	after := r.await("sealed anew", func(rec events.TokenRecord) bool { return !fresh.Stale(rec.Sealed) && !fresh.Stale(rec.SealedRefresh) })
	if now, err := fresh.OpenRefresh(emea, after.SealedRefresh); err != nil || now != was || after.Generation != 1 {
		t.Fatalf("generation %d, another token: %t, %v", after.Generation, now != was, err)
	}
	if _, err := reader.Session(t.Context()); err != nil {
		t.Fatal("a service that runs cannot open it:", err)
	}
	r.complain(1)
	r.await("the second token", connected(2))
	if n := r.requests(); n != 2 {
		t.Errorf("%d token requests: the marks changed with the key", n)
	}
}
