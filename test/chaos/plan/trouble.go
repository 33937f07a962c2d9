package plan

import (
	"math/rand/v2"
	"time"
)

// Services of a run, with how many replicas each has.
func Services() map[string]int {
	return map[string]int{"assignment": 2, "salesforce-pusher": 2, "retry-scheduler": 2, "token-refresher": 1}
}

// victims has the services by how often trouble befalls them.
func victims() []string {
	return []string{"salesforce-pusher", "salesforce-pusher", "salesforce-pusher", "assignment", "assignment", "retry-scheduler", "token-refresher"}
}

// every is how much time there is between two troubles, on average.
const every = 900 * time.Millisecond

// trouble draws what befalls the system, until shortly before hostility ends.
func trouble(p *Plan, dice *rand.Rand) []Step {
	var steps []Step
	for at := every; at < p.Length-every; at += time.Duration(float64(every) * (0.5 + dice.Float64())) {
		s := one(p, dice)
		s.At = at.Round(time.Millisecond)
		steps = append(steps, s)
	}
	return sorted(steps)
}

func one(p *Plan, dice *rand.Rand) Step {
	between := func(from, to time.Duration) time.Duration {
		return (from + time.Duration(dice.Int64N(int64(to-from)))).Round(time.Millisecond)
	}
	s := Step{Org: Acme, Person: dice.IntN(len(p.People) - p.Steady), Times: 1 + dice.IntN(2), For: between(300*time.Millisecond, 2*time.Second)}
	if dice.IntN(4) == 0 {
		s.Org = Bravo
	}
	s.Service = victims()[dice.IntN(len(victims()))]
	s.Replica = dice.IntN(Services()[s.Service])
	roll := dice.IntN(100)
	if p.Manual && roll < 25 && s.Person != Protected {
		s.Verb = []Verb{HandTitle, HandActivate, HandDeactivate, HandStrip, HandFlow}[dice.IntN(5)]
		return s
	}
	switch roll = dice.IntN(100); {
	case roll < 26:
		s.Verb, s.For = Kill, between(50*time.Millisecond, time.Second)
	case roll < 38:
		s.Verb, s.For = Freeze, between(500*time.Millisecond, 6*time.Second)
	case roll < 44:
		s.Verb = Rolling
	case roll < 49:
		s.Verb = NATSKill
	case roll < 52:
		s.Verb = NATSStop
	case roll < 58:
		s.Verb = Readonly
	case roll < 66:
		s.Verb = Gack
	case roll < 72:
		s.Verb, s.Times = Lock, 1+dice.IntN(3)
	case roll < 77:
		s.Verb = Lost
	case roll < 81:
		s.Verb, s.For = Late, between(200*time.Millisecond, LateWithin)
	case roll < 86:
		s.Verb, s.For, s.Times, s.Org = LateKill, between(LateWithin-time.Second, LateWithin), 1, Acme
	case roll < 89:
		s.Verb, s.For, s.Times = Slow, between(500*time.Millisecond, 3*time.Second), 3
	case roll < 92:
		s.Verb, s.For = Seats, between(time.Second, 3*time.Second)
	case roll < 94:
		s.Verb = Session
	case roll < 96, s.Person == Protected:
		s.Verb = Again
	default:
		s.Verb = HandPhone
	}
	return s
}

// LateWithin is how much later than it came a call may be applied. What the
// services of a run expect is more: the machine may be busy.
const LateWithin = 4500 * time.Millisecond
