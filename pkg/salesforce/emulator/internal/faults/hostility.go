package faults

import (
	"math/rand/v2"
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

const delayMillis = 20

// SetHostility begins with a seed; a rate of 0 ends it.
func (p *Plan) SetHostility(seed uint64, rate float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wild = nil
	if rate > 0 {
		p.wild = newHostility(seed, rate)
	}
}

// decide picks an effect for about rate of the data calls.
func (h *hostility) decide(s *Subject) *Active {
	if !s.SignedIn {
		return nil // sign-in stays as it is: its faults are planned
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rng.Float64() >= h.rate {
		return nil
	}
	effects := hostileEffects()
	effect := effects[h.rng.IntN(len(effects))]
	f := &Active{Fault: Fault{ID: "hostility-" + string(effect), Effect: effect}}
	if effect == EffectSlow {
		f.DelayMillis = delayMillis
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
