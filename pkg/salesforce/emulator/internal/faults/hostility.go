package faults

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Hostility is misbehaviour without a plan: a seed decides which calls go wrong.
type Hostility struct {
	Seed uint64 `json:"seed"`
	// Rate is the share of data calls, 0 to 1, that meet a transient fault; a
	// tenth as many records are locked.
	Rate float64 `json:"rate"`
	// LateRate is the share of calls that change something, 0 to 1, that get no
	// answer and are applied later.
	LateRate float64 `json:"lateRate"`
	// LateWithinMillis bounds how much later, up to 600,000, which is the default.
	LateWithinMillis int `json:"lateWithinMillis"`
}

func (h Hostility) check() error {
	if h.Rate < 0 || h.Rate > 1 || h.LateRate < 0 || h.LateRate > 1 {
		return fmt.Errorf("hostility: rate %v, lateRate %v: want 0 to 1", h.Rate, h.LateRate)
	}
	if h.LateWithinMillis < 0 || h.LateWithinMillis > maxLateMillis {
		return fmt.Errorf("hostility: lateWithinMillis %d: want 0 to %d", h.LateWithinMillis, maxLateMillis)
	}
	return nil
}

// LateWithin is the bound of lateness as a duration.
func (h Hostility) LateWithin() time.Duration {
	return time.Duration(h.LateWithinMillis) * time.Millisecond
}

// hostility decides by seed which calls go wrong, without a plan.
type hostility struct {
	Hostility
	mu   sync.Mutex
	rng  *rand.Rand
	late *rand.Rand // dice of its own: without lateness a seed decides what it always did
}

func newHostility(h Hostility) *hostility {
	if h.LateWithinMillis == 0 {
		h.LateWithinMillis = maxLateMillis
	}
	return &hostility{Hostility: h, rng: rand.New(rand.NewPCG(h.Seed, 0x726f6c6c)), late: rand.New(rand.NewPCG(h.Seed, 0x6c617465))}
}

// hostileEffects are the whole-call faults that a client must survive without
// an operator: each is transient.
func hostileEffects() []Effect {
	return []Effect{EffectSessionExpired, EffectConcurrentLimit, EffectUnavailable, EffectGack, EffectGackAfterCommit,
		EffectDropBefore, EffectDropAfter, EffectTorn, EffectSlow}
}

const delayMillis = 20

// SetHostility begins with a seed; rates of 0 end it.
func (p *Plan) SetHostility(h Hostility) error {
	if err := h.check(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wild = nil
	if h.Rate > 0 || h.LateRate > 0 {
		p.wild = newHostility(h)
	}
	return nil
}

// decide picks an effect for about rate of the data calls.
func (h *hostility) decide(s *Subject) *Active {
	if !s.SignedIn {
		return nil // sign-in stays as it is: its faults are planned
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.Writes && h.late.Float64() < h.LateRate {
		return &Active{Fault: Fault{ID: "hostility-late", Effect: EffectLate, LateMillis: 1 + h.late.IntN(h.LateWithinMillis)}}
	}
	if h.rng.Float64() >= h.Rate {
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
	if h.rng.Float64() >= h.Rate/10 {
		return nil
	}
	f := plannedFault{Fault: Fault{Effect: EffectLockRow}}
	return f.recordError(id)
}
