package up

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

const (
	// gcPercent is half of Go's default: most of the heap is the NATS server's
	// index of subjects, which stays, so a collection frees little but the
	// garbage of the last batches.
	gcPercent = 50
	// returnEvery is how often memory that a burst left behind is given back.
	returnEvery = 30 * time.Second
	// returnAbove is the least worth a collection.
	returnAbove = 128 << 20
)

// keepSmall keeps the process small beside others on one machine: a first load
// of a hundred thousand people needs memory for minutes, not for good. Whoever
// sets GOGC or GOMEMLIMIT knows better.
func keepSmall(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(gcPercent)
	tick := time.NewTicker(returnEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if m.HeapSys-m.HeapReleased > returnAbove {
			debug.FreeOSMemory()
		}
	}
}
