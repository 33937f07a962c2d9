package plan_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/test/chaos/plan"
)

func printed(o plan.Options) string {
	var b strings.Builder
	plan.Draw(o).Print(&b)
	return b.String()
}

// TestASeedIsAPlan: the same one the same, another one another.
func TestASeedIsAPlan(t *testing.T) {
	t.Parallel()
	o := plan.Options{Seed: 7, Length: 30 * time.Second, Manual: true}
	again, other, without := o, o, o
	other.Seed, without.Manual = 8, false
	if printed(o) != printed(again) {
		t.Error("one seed drew two plans")
	}
	for name, p := range map[string]string{"another seed": printed(other), "without changes by hand": printed(without)} {
		if p == printed(o) {
			t.Errorf("%s drew the same plan", name)
		}
	}
}

// TestEverythingIsPlanned: what may happen happens in some of fifty plans, in its
// order, and by hand only where that is asked for.
func TestEverythingIsPlanned(t *testing.T) {
	t.Parallel()
	for _, manual := range []bool{false, true} {
		seen := map[plan.Verb]int{}
		repeats := 0
		for seed := range uint64(50) {
			p := plan.Draw(plan.Options{Seed: seed, Length: 30 * time.Second, Manual: manual})
			for _, part := range [][]plan.Step{p.Story, p.Trouble} {
				if !slices.IsSortedFunc(part, func(a, b plan.Step) int { return int(a.At - b.At) }) {
					t.Fatalf("seed %d: steps are not in the order of their times", seed)
				}
				for _, s := range part {
					seen[s.Verb]++
					if s.Repeat {
						repeats++
					}
					if strings.HasPrefix(string(s.Verb), "hand") && s.Person == plan.Protected && s.Verb != plan.HandFlow {
						t.Errorf("seed %d: the protected user is changed by hand, and then it is not as before", seed)
					}
				}
			}
		}
		all := []plan.Verb{plan.Upsert, plan.Leave, plan.Remove, plan.Mute, plan.Group, plan.Bad, plan.Kill, plan.Freeze, plan.Rolling, plan.NATSKill, plan.NATSStop,
			plan.Readonly, plan.Gack, plan.Lock, plan.Lost, plan.Late, plan.LateKill, plan.Slow, plan.Seats, plan.Session, plan.Again, plan.HandPhone}
		hands := []plan.Verb{plan.HandTitle, plan.HandActivate, plan.HandDeactivate, plan.HandStrip, plan.HandFlow}
		for _, v := range append(all, hands...) {
			if want := manual || !slices.Contains(hands, v); (seen[v] > 0) != want {
				t.Errorf("changes by hand %t: %q is planned %d times in 50 plans", manual, v, seen[v])
			}
		}
		if repeats == 0 {
			t.Error("nothing is said twice")
		}
	}
}
