package rules

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/rollcall-sync/rollcall/services/internal/latin"
)

// functions are what expressions have beyond CEL's standard, its strings
// extension and its optional values. They yield dyn, so that one may stand
// beside null in a conditional.
func functions() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Function("truncate",
			cel.Overload("truncate_string_int", []*cel.Type{cel.StringType, cel.IntType}, cel.DynType,
				cel.BinaryBinding(celTruncate))),
		cel.Function("ascii",
			cel.Overload("ascii_string", []*cel.Type{cel.StringType}, cel.DynType,
				cel.UnaryBinding(onText(latin.ASCII)))),
		cel.Function("slug",
			cel.Overload("slug_string", []*cel.Type{cel.StringType}, cel.DynType,
				cel.UnaryBinding(onText(latin.Slug)))),
		cel.Function("require",
			cel.Overload("require_dyn", []*cel.Type{cel.DynType}, cel.DynType,
				cel.UnaryBinding(require))),
	}
}

func onText(f func(string) string) func(ref.Val) ref.Val {
	return func(v ref.Val) ref.Val {
		s, ok := v.(types.String)
		if !ok {
			return types.MaybeNoSuchOverloadErr(v)
		}
		return types.String(f(string(s)))
	}
}

func celTruncate(text, limit ref.Val) ref.Val {
	s, okText := text.(types.String)
	n, okLimit := limit.(types.Int)
	if !okText || !okLimit {
		return types.MaybeNoSuchOverloadErr(text)
	}
	if n < 0 {
		return types.NewErr("truncate: the length is negative")
	}
	return types.String(truncate(string(s), int(n)))
}

// truncate cuts a text to at most n characters.
func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// require fails for what is not there: null, an empty text, an absent optional.
func require(v ref.Val) ref.Val {
	if opt, ok := v.(*types.Optional); ok {
		if !opt.HasValue() {
			return types.NewErr("a required value is missing")
		}
		v = opt.GetValue()
	}
	if s, ok := v.(types.String); ok && strings.TrimSpace(string(s)) == "" {
		return types.NewErr("a required value is empty")
	}
	if v == types.NullValue {
		return types.NewErr("a required value is null")
	}
	return v
}
