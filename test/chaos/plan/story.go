package plan

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// story is what HR and the directory say while it is written.
type story struct {
	plan    *Plan
	dice    *rand.Rand
	version int
	steps   []Step
}

func newStory(p *Plan, dice *rand.Rand) *story {
	return &story{plan: p, dice: dice}
}

// hired is the part of the time in which everybody is hired.
const hired = 0.3

// write tells the whole of it: first everybody is hired, by and by, and then there
// are as many changes as there are people times three.
func (s *story) write() {
	length := s.plan.Length
	actors := len(s.plan.People) - s.plan.Steady
	at := func(i, n int, from, to float64) time.Duration {
		share := from + (to-from)*float64(i)/float64(n)
		return time.Duration(share * float64(length)).Round(time.Millisecond)
	}
	// Those who are changed last are hired first, and then left alone.
	for i := range s.plan.Steady {
		s.record(Upsert, actors+i, 0)
	}
	s.group(0, 0)
	s.group(1, 0)
	for i := range actors {
		s.record(Upsert, i, at(i, actors, 0, hired))
		s.steps[len(s.steps)-1].Load = i%3 > 0
	}
	for i, n := 0, 3*actors; i < n; i++ {
		s.change(at(i, n, hired/2, 1))
	}
}

// overtaken says something of the person whose call is to be late, and something
// else before it is applied: whoever takes over from the killed sender acts on the
// latter.
func (s *story) overtaken(late Step) {
	s.record(Upsert, late.Person, late.At+20*time.Millisecond)
	s.record([]Verb{Leave, Upsert}[s.dice.IntN(2)], late.Person, late.At+800*time.Millisecond)
}

// inOrder gives the steps in the order of their times, with versions that grow by
// it; what is said again keeps the version of the first time.
func (s *story) inOrder() []Step {
	steps, versions := sorted(s.steps), map[int]int{}
	for _, one := range steps {
		if one.Version > 0 && !one.Repeat {
			versions[one.Version] = len(versions) + 1
		}
	}
	for i := range steps {
		if v := versions[steps[i].Version]; v > 0 {
			steps[i].Version, steps[i].Title = v, fmt.Sprintf("Title %d", v)
		}
	}
	return steps
}

// change is one more thing that is said of somebody.
func (s *story) change(at time.Duration) {
	who := s.dice.IntN(len(s.plan.People) - s.plan.Steady)
	switch roll := s.dice.IntN(100); {
	case roll < 45:
		s.record(Upsert, who, at)
	case roll < 50:
		s.record(Mute, who, at)
	case roll < 66:
		s.record(Leave, who, at)
	case roll < 72:
		s.record(Remove, who, at)
	case roll < 88:
		s.repeat(at)
	case roll < 97:
		s.group(s.dice.IntN(len(s.plan.Groups)), at)
	default:
		s.add(Step{At: at, Verb: Bad, Group: s.dice.IntN(4)})
	}
}

func (s *story) record(verb Verb, who int, at time.Duration) {
	s.version++
	step := Step{At: at, Verb: verb, Person: who, Version: s.version, Title: fmt.Sprintf("Title %d", s.version), Department: Sales}
	if s.dice.IntN(2) == 0 {
		step.Department = Support
	}
	s.add(step)
}

func (s *story) group(which int, at time.Duration) {
	var members []int
	for i := range s.plan.People[:len(s.plan.People)-s.plan.Steady] {
		if s.dice.IntN(3) == 0 {
			members = append(members, i)
		}
	}
	s.add(Step{At: at, Verb: Group, Group: which, Members: members})
}

// repeat says something again that was said before, with the version it had: an old
// export, or a message that a publisher sent twice.
func (s *story) repeat(at time.Duration) {
	for range 20 {
		again := s.steps[s.dice.IntN(len(s.steps))]
		if again.Verb != Bad && !again.Repeat {
			again.At, again.Repeat = max(at, again.At), true
			s.add(again)
			return
		}
	}
}

func (s *story) add(step Step) { s.steps = append(s.steps, step) }

// last is said in the calm: everybody who was left alone is changed once, after a
// bad event and a bad group.
func last(p *Plan) []Step {
	steps := []Step{{Verb: Bad}, {Verb: Bad, Group: 3}}
	for i := range p.Steady {
		who := len(p.People) - p.Steady + i
		version := 1_000_000 + i
		steps = append(steps, Step{Verb: Upsert, Person: who, Version: version, Title: fmt.Sprintf("Title %d", version), Department: Sales})
	}
	return steps
}
