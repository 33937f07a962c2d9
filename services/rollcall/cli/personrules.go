package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/rollcall-sync/rollcall/services/assignment/rules"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/inforce"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
	"github.com/rollcall-sync/rollcall/services/rollcall/plan"
)

// personShown is what `rollcall person show` prints: the story, and by which rule
// of each org the person is covered, whether or not anything came of it.
type personShown struct {
	operator.PersonView
	Rules []rules.Coverage `json:"rules,omitempty"`
	// RulesNote says why the rules are not known, or not those in force.
	RulesNote string `json:"rulesNote,omitempty"`
}

// cover adds by which rules a person is covered, as the configuration at hand has
// it. It asks no org, so a held one does not matter.
func (n *connection) cover(ctx context.Context, b *bus.Bus, v operator.PersonView) personShown {
	out := personShown{PersonView: v}
	if v.Person == nil {
		return out
	}
	file, faults, err := n.read()
	if err == nil {
		err = faults
	}
	if err != nil {
		out.RulesNote = fmt.Sprintf("which rule matches is not known: %s", err)
		return out
	}
	if len(file.Orgs) == 0 {
		out.RulesNote = "which rule matches is not known: the configuration here names no org; give assignment's with --config"
		return out
	}
	compiled, err := rules.Compile(file)
	if err == nil {
		out.Rules, err = compiled.Cover(v.Person)
	}
	if err != nil {
		out.RulesNote = fmt.Sprintf("which rule matches is not known: %s", err)
		return out
	}
	if is, err := inforce.Read(ctx, b); err == nil && is.Generation > 0 && is.Hash != file.Hash() {
		out.RulesNote = fmt.Sprintf("the rules are those of the configuration here (%s); in force is another one (%s)", file.Hash(), is.Hash)
	}
	return out
}

func (p *personShown) print(w io.Writer) {
	printPerson(w, p.PersonView)
	plan.PrintCoverage(w, p.Rules, widthOf(w))
	if p.RulesNote != "" {
		_, _ = fmt.Fprintf(w, "\nRules: %s\n", p.RulesNote)
	}
}
