package emulator

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// hostility decides by seed which calls go wrong, without a plan.
type hostility struct {
	mu   sync.Mutex
	rng  *rand.Rand
	rate float64
}

func newHostility(seed uint64, rate float64) *hostility {
	return &hostility{rng: rand.New(rand.NewPCG(seed, 0x726f6c6c)), rate: rate}
}

// hostileEffects are the whole-call faults that a client must survive without
// an operator: each is transient.
func hostileEffects() []Effect {
	return []Effect{EffectSessionExpired, EffectConcurrentLimit, EffectUnavailable, EffectGack, EffectGackAfterCommit,
		EffectDropBefore, EffectDropAfter, EffectTorn, EffectSlow}
}

// SetHostility makes the server misbehave by itself from now on, as
// WithHostility does from the beginning; a rate of 0 ends it.
func (s *Server) SetHostility(seed uint64, rate float64) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.wild = nil
	if rate > 0 {
		s.faults.wild = newHostility(seed, rate)
	}
}

// adminHostility: {"seed":n,"rate":r} with r from 0 to 1; DELETE ends it.
func (c *call) adminHostility() {
	var body struct {
		Seed uint64  `json:"seed"`
		Rate float64 `json:"rate"`
	}
	switch c.method {
	case http.MethodDelete:
	case http.MethodPost:
		if !c.decodeBody(&body) {
			return
		}
	default:
		c.refuse(http.StatusMethodNotAllowed, fmt.Errorf("method %s", c.method))
		return
	}
	if body.Rate < 0 || body.Rate > 1 {
		c.refuse(http.StatusBadRequest, fmt.Errorf("rate %v: want 0 to 1", body.Rate))
		return
	}
	c.s.SetHostility(body.Seed, body.Rate)
	c.None(http.StatusNoContent)
}

const hostileDelayMillis = 20

// decide picks an effect for about rate of the data calls.
func (h *hostility) decide(c *call) *activeFault {
	if c.session == nil {
		return nil // sign-in stays as it is: its faults are planned
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rng.Float64() >= h.rate {
		return nil
	}
	effects := hostileEffects()
	effect := effects[h.rng.IntN(len(effects))]
	f := &activeFault{Fault: Fault{Effect: effect}, id: "hostility-" + string(effect)}
	if effect == EffectSlow {
		f.DelayMillis = hostileDelayMillis
	}
	return f
}

// decideRecord locks single rows, a tenth as often as calls go wrong.
func (h *hostility) decideRecord(id string) *wire.APIError {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rng.Float64() >= h.rate/10 {
		return nil
	}
	f := plannedFault{Fault: Fault{Effect: EffectLockRow}}
	return f.recordError(id)
}
