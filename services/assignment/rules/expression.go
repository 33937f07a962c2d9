package rules

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
)

const (
	// maxExpressionBytes bounds one expression of the configuration.
	maxExpressionBytes = 8 << 10
	// costLimit bounds the evaluation of one expression for one person, in
	// CEL's units: a usual mapping costs below 100, a comprehension over a
	// thousand groups some ten thousand.
	costLimit = 1_000_000
)

// compiler compiles the configuration's expressions.
type compiler struct {
	env   *cel.Env
	shape *shape
	// sources are those that groups may be of, sorted.
	sources []string
	known   map[string]*expression
}

// expression is a compiled expression. It is safe for concurrent use.
type expression struct {
	text    string
	program cel.Program
	paths   []attributePath
	output  *cel.Type
}

func newCompiler(sources []string) (*compiler, error) {
	opts := []cel.EnvOption{
		cel.Variable(varPerson, cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable(varGroups, cel.ListType(cel.StringType)),
		cel.Variable(varRule, cel.StringType),
		cel.Variable(varCorrelationID, cel.StringType),
		ext.Strings(ext.StringsVersion(4)),
		cel.OptionalTypes(cel.OptionalTypesVersion(2)),
		cel.ParserExpressionSizeLimit(maxExpressionBytes),
	}
	env, err := cel.NewEnv(append(opts, functions()...)...)
	if err != nil {
		return nil, fmt.Errorf("prepare expressions: %w", err)
	}
	return &compiler{env: env, shape: personShape(), sources: sources, known: map[string]*expression{}}, nil
}

// condition compiles an expression that yields true or false.
func (c *compiler) condition(text string) (*expression, error) {
	e, err := c.compile(text)
	if err != nil {
		return nil, err
	}
	if !e.output.IsExactType(cel.BoolType) && !e.output.IsExactType(cel.DynType) {
		return nil, fmt.Errorf("yields %s, a condition must yield bool", e.output)
	}
	return e, nil
}

// field compiles an expression that yields a field's value.
func (c *compiler) field(text string) (*expression, error) {
	e, err := c.compile(text)
	if err != nil {
		return nil, err
	}
	if !isFieldType(e.output) {
		return nil, fmt.Errorf("yields %s, a field takes a string, bool, int, double or null", e.output)
	}
	return e, nil
}

func isFieldType(t *cel.Type) bool {
	if t.Kind() == types.OpaqueKind && t.TypeName() == "optional_type" && len(t.Parameters()) == 1 {
		t = t.Parameters()[0]
	}
	switch t.Kind() {
	case types.StringKind, types.BoolKind, types.IntKind, types.DoubleKind, types.NullTypeKind, types.DynKind:
		return true
	}
	return false
}

func (c *compiler) compile(text string) (*expression, error) {
	if e, ok := c.known[text]; ok {
		return e, nil
	}
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("is empty")
	}
	checked, issues := c.env.Compile(text)
	if err := issueErrors(issues); err != nil {
		return nil, err
	}
	paths := pathsOf(checked.NativeRep().Expr())
	faults := []error{checkGroupNames(checked.NativeRep().Expr(), c.sources)}
	for _, p := range paths {
		faults = append(faults, p.check(c.shape))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	program, err := c.env.Program(checked, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(costLimit))
	if err != nil {
		return nil, fmt.Errorf("cannot be prepared: %w", err)
	}
	e := &expression{text: text, program: program, paths: paths, output: checked.OutputType()}
	c.known[text] = e
	return e, nil
}

// issueErrors turns CEL's issues into one error each, with the column as an
// editor counts it.
func issueErrors(issues *cel.Issues) error {
	if issues == nil || issues.Err() == nil {
		return nil
	}
	var faults []error
	for _, e := range issues.Errors() {
		faults = append(faults, fmt.Errorf("line %d column %d: %s", e.Location.Line(), e.Location.Column()+1, explained(e.Message)))
	}
	return errors.Join(faults...)
}

// reads says whether the expression looks at a variable.
func (e *expression) reads(name string) bool {
	return slices.ContainsFunc(e.paths, func(p attributePath) bool { return p.root == name })
}

// test evaluates a condition.
func (e *expression) test(vars cel.Activation) (bool, error) {
	v, _, err := e.program.Eval(vars)
	if err != nil {
		return false, evalError(err)
	}
	b, ok := v.(types.Bool)
	if !ok {
		return false, fmt.Errorf("yields %s, a condition must yield bool", v.Type().TypeName())
	}
	return bool(b), nil
}

// value evaluates a field's value. Nil clears the field.
func (e *expression) value(vars cel.Activation) (any, error) {
	v, _, err := e.program.Eval(vars)
	if err != nil {
		return nil, evalError(err)
	}
	return fieldValue(v)
}

func fieldValue(v ref.Val) (any, error) {
	switch v := v.(type) {
	case *types.Optional:
		if !v.HasValue() {
			return nil, nil //nolint:nilnil // nil is a value: it clears the field
		}
		return fieldValue(v.GetValue())
	case types.String:
		if !utf8.ValidString(string(v)) {
			return nil, errors.New("yields text that is not UTF-8")
		}
		return string(v), nil
	case types.Bool:
		return bool(v), nil
	case types.Int:
		return int64(v), nil
	case types.Double:
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, errors.New("yields a number that is not finite")
		}
		return float64(v), nil
	case types.Null:
		return nil, nil //nolint:nilnil // nil is a value: it clears the field
	}
	return nil, fmt.Errorf("yields %s, a field takes a string, bool, int, double or null", v.Type().TypeName())
}

// evalError puts CEL's most frequent complaints into an admin's words.
func evalError(err error) error {
	text := err.Error()
	if key, ok := strings.CutPrefix(text, "no such key: "); ok {
		return fmt.Errorf("the person has no %s", key)
	}
	if strings.Contains(text, "actual cost limit exceeded") {
		return errors.New("takes too long to evaluate for this person")
	}
	if strings.HasPrefix(text, "no such overload") {
		return errors.New("is applied to a value of the wrong type")
	}
	return errors.New(text)
}

// explained adds what to do where CEL's own sentence does not help: both sides
// of a conditional must have one type, and null beside a text has not.
func explained(message string) string {
	if strings.Contains(message, "'_?_:_'") && strings.Contains(message, "null") {
		return message + ` (write dyn(null), or person.?title for "clear it where it is missing")`
	}
	return message
}
