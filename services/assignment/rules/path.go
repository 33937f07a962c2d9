package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// attributePath is one attribute an expression looks at: person.name.givenName.
// Steps after the first are names (string) or list positions (int64).
type attributePath struct {
	root  string
	steps []any
}

func (p attributePath) String() string {
	var b strings.Builder
	b.WriteString(p.root)
	for _, s := range p.steps {
		switch s := s.(type) {
		case int64:
			fmt.Fprintf(&b, "[%d]", s)
		case string:
			if strings.ContainsAny(s, ":$ ") {
				fmt.Fprintf(&b, "[%q]", s)
			} else {
				b.WriteString("." + s)
			}
		}
	}
	return b.String()
}

// check says whether the person can have such an attribute.
func (p attributePath) check(s *shape) error {
	if p.root != varPerson {
		return nil
	}
	for _, step := range p.steps {
		name, named := step.(string)
		if !named {
			continue
		}
		if s.any {
			return nil
		}
		next, ok := s.of[name]
		if !ok {
			return fmt.Errorf("%s: a person has no attribute %q", p, name)
		}
		s = next
	}
	return nil
}

// lookUp returns the attribute's value in vars.
func (p attributePath) lookUp(vars map[string]any) (any, bool) {
	at, ok := vars[p.root]
	for _, step := range p.steps {
		switch s := step.(type) {
		case string:
			if custom, isCustom := at.(map[string]string); isCustom {
				at, ok = look(custom, s)
				break
			}
			m, _ := at.(map[string]any)
			at, ok = m[s]
		case int64:
			list, _ := at.([]any)
			if s < 0 || s >= int64(len(list)) {
				return nil, false
			}
			at = list[s]
		}
		if !ok {
			return nil, false
		}
	}
	return at, ok
}

func look(m map[string]string, name string) (any, bool) {
	v, ok := m[name]
	return v, ok
}

const (
	shownValueRunes  = 60
	shownValuesRunes = 400
)

// show lists what an expression looked at, for the admin who has to see why it
// failed.
func show(paths []attributePath, vars map[string]any) string {
	parts := make([]string, 0, len(paths))
	for _, p := range paths {
		v, ok := p.lookUp(vars)
		switch text, isText := v.(string); {
		case !ok:
			parts = append(parts, p.String()+" is missing")
		case isText:
			parts = append(parts, p.String()+" = "+strconv.Quote(truncate(text, shownValueRunes)))
		default:
			parts = append(parts, p.String()+" = "+truncate(fmt.Sprint(v), shownValueRunes))
		}
	}
	return truncate(strings.Join(parts, ", "), shownValuesRunes)
}

// pathsOf returns the attributes an expression looks at, in the order in which
// they stand there.
func pathsOf(e ast.Expr) []attributePath {
	var out []attributePath
	seen := map[string]bool{}
	collectPaths(e, func(p attributePath) {
		if s := p.String(); !seen[s] {
			seen[s] = true
			out = append(out, p)
		}
	})
	return out
}

func collectPaths(e ast.Expr, found func(attributePath)) {
	if p, ok := pathOf(e); ok {
		found(p)
		return
	}
	for _, child := range children(e) {
		collectPaths(child, found)
	}
}

// pathOf takes an expression for a path where it is one as a whole.
func pathOf(e ast.Expr) (attributePath, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		name := e.AsIdent()
		return attributePath{root: name}, slices.Contains([]string{varPerson, varGroups, varRule, varCorrelationID}, name)
	case ast.SelectKind:
		p, ok := pathOf(e.AsSelect().Operand())
		return p.step(e.AsSelect().FieldName()), ok
	case ast.CallKind:
		call := e.AsCall()
		if !slices.Contains([]string{operators.Index, operators.OptIndex, operators.OptSelect}, call.FunctionName()) {
			return attributePath{}, false
		}
		args := call.Args()
		if len(args) != 2 || args[1].Kind() != ast.LiteralKind {
			return attributePath{}, false
		}
		p, ok := pathOf(args[0])
		switch lit := args[1].AsLiteral().(type) {
		case types.String:
			return p.step(string(lit)), ok
		case types.Int:
			return p.step(int64(lit)), ok
		}
	}
	return attributePath{}, false
}

func (p attributePath) step(s any) attributePath {
	return attributePath{root: p.root, steps: append(slices.Clip(p.steps), s)}
}

func children(e ast.Expr) []ast.Expr {
	switch e.Kind() {
	case ast.SelectKind:
		return []ast.Expr{e.AsSelect().Operand()}
	case ast.CallKind:
		call := e.AsCall()
		if call.IsMemberFunction() {
			return append([]ast.Expr{call.Target()}, call.Args()...)
		}
		return call.Args()
	case ast.ListKind:
		return e.AsList().Elements()
	case ast.MapKind:
		var out []ast.Expr
		for _, entry := range e.AsMap().Entries() {
			out = append(out, entry.AsMapEntry().Key(), entry.AsMapEntry().Value())
		}
		return out
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		return []ast.Expr{c.IterRange(), c.AccuInit(), c.LoopCondition(), c.LoopStep(), c.Result()}
	}
	return nil
}
