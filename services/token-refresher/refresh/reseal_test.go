package refresh

import (
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
)

func TestAnAddedKeySealsWhatIsKept(t *testing.T) {
	t.Parallel()
	b := newBundle(t).rotating()
	b.run(b.service())
	reader := b.reader()
	before := b.await("the first token", connected(1))
	was, err := b.sealer.OpenRefresh(emea, before.SealedRefresh)
	if err != nil {
		t.Fatal(err)
	}
	if err := seal.Rotate(b.cfg.KeyFile); err != nil {
		t.Fatal(err)
	}
	fresh, err := seal.Load(b.cfg.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	after := b.await("sealed anew", func(r events.TokenRecord) bool { return !fresh.Stale(r.Sealed) && !fresh.Stale(r.SealedRefresh) })
	if now, err := fresh.OpenRefresh(emea, after.SealedRefresh); err != nil || now != was || after.Generation != 1 {
		t.Fatalf("generation %d, another token: %t, %v", after.Generation, now != was, err)
	}
	if _, err := reader.Session(t.Context()); err != nil {
		t.Fatal("a service that runs cannot open it:", err)
	}
	b.complain(1)
	b.await("the second token", connected(2))
	if n := b.requests(); n != 2 {
		t.Errorf("%d token requests: the marks changed with the key", n)
	}
}
