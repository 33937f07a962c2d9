package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// groupNames lists the groups a person is in, sorted, as expressions know them:
// source/name. Two sources may each have a group of one name, and who is in the
// one is not in the other.
func groupNames(state *events.PersonState) []string {
	names := make([]string, 0, len(state.Groups))
	for _, m := range state.Groups {
		if !m.Left {
			names = append(names, m.Source+"/"+m.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// checkGroupNames refuses a text that is compared with groups and can be the name
// of none: a rule that nobody fits would take from everybody what it gave.
func checkGroupNames(e ast.Expr, sources []string) error {
	var faults []error
	for _, named := range groupsNamed(e) {
		if len(sources) > 0 && !slices.ContainsFunc(sources, named.isOf) {
			faults = append(faults, noGroup(named.text, sources))
		}
	}
	return errors.Join(faults...)
}

func noGroup(name string, sources []string) error {
	if len(sources) == 1 {
		return fmt.Errorf("%q is no group's name: the name of its source stands before it, write %q", name, sources[0]+"/"+name)
	}
	return fmt.Errorf("%q is no group's name: the name of the source that publishes it (one of %s) stands before it, as in %q",
		name, strings.Join(sources, ", "), sources[0]+"/"+name)
}

// namedGroup is a text that an expression compares with the name of a group, or
// with how it starts.
type namedGroup struct {
	text  string
	start bool
}

// isOf says whether it can be a group of the source.
func (n namedGroup) isOf(source string) bool {
	return strings.HasPrefix(n.text, source+"/") || n.start && strings.HasPrefix(source+"/", n.text)
}

// groupsNamed are the texts that an expression compares with groups: those looked
// for in the list, and those that one of the list is compared with.
func groupsNamed(e ast.Expr) []namedGroup {
	var names []namedGroup
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.In && isVariable(e.AsCall().Args()[1], varGroups) {
		names = texts(false, e.AsCall().Args()[0])
	}
	if e.Kind() == ast.ComprehensionKind && isVariable(e.AsComprehension().IterRange(), varGroups) {
		names = comparedWith(e.AsComprehension().LoopStep(), e.AsComprehension().IterVar())
	}
	for _, child := range children(e) {
		names = append(names, groupsNamed(child)...)
	}
	return names
}

// comparedWith are the texts that a variable is compared with.
func comparedWith(e ast.Expr, variable string) []namedGroup {
	var names []namedGroup
	if e.Kind() == ast.CallKind {
		names = comparedBy(e.AsCall(), variable)
	}
	for _, child := range children(e) {
		names = append(names, comparedWith(child, variable)...)
	}
	return names
}

func comparedBy(call ast.CallExpr, variable string) []namedGroup {
	args := call.Args()
	switch call.FunctionName() {
	case operators.Equals, operators.NotEquals:
		if isVariable(args[0], variable) || isVariable(args[1], variable) {
			return texts(false, args...)
		}
	case operators.In:
		if isVariable(args[0], variable) && args[1].Kind() == ast.ListKind {
			return texts(false, args[1].AsList().Elements()...)
		}
	case "startsWith":
		if call.IsMemberFunction() && isVariable(call.Target(), variable) {
			return texts(true, args...)
		}
	}
	return nil
}

func isVariable(e ast.Expr, name string) bool {
	return e.Kind() == ast.IdentKind && e.AsIdent() == name
}

// texts are those of the expressions that are written out.
func texts(start bool, all ...ast.Expr) []namedGroup {
	var out []namedGroup
	for _, e := range all {
		if e.Kind() != ast.LiteralKind {
			continue
		}
		if s, ok := e.AsLiteral().(types.String); ok {
			out = append(out, namedGroup{string(s), start})
		}
	}
	return out
}
