package assign

import (
	"strings"
	"unicode"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"golang.org/x/text/unicode/norm"
)

// functions are what expressions have beyond CEL's standard, its strings
// extension and its optional values.
func functions() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Function("truncate",
			cel.Overload("truncate_string_int", []*cel.Type{cel.StringType, cel.IntType}, cel.StringType,
				cel.BinaryBinding(celTruncate))),
		cel.Function("ascii",
			cel.Overload("ascii_string", []*cel.Type{cel.StringType}, cel.StringType,
				cel.UnaryBinding(onText(ascii)))),
		cel.Function("slug",
			cel.Overload("slug_string", []*cel.Type{cel.StringType}, cel.StringType,
				cel.UnaryBinding(onText(slug)))),
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

// ascii writes a text in ASCII: accents are taken off, letters that are no
// accented ASCII letters are spelt as usual, and what has no spelling is left
// out.
func ascii(s string) string {
	if isASCII(s) {
		return s
	}
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		switch {
		case r < unicode.MaxASCII:
			b.WriteRune(r)
		default:
			b.WriteString(spelling(r))
		}
	}
	return b.String()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// spelling covers the Latin letters that Unicode does not take apart.
func spelling(r rune) string {
	switch r {
	case 'ß':
		return "ss"
	case 'ẞ':
		return "SS"
	case 'æ':
		return "ae"
	case 'Æ':
		return "AE"
	case 'œ':
		return "oe"
	case 'Œ':
		return "OE"
	case 'ø':
		return "o"
	case 'Ø':
		return "O"
	case 'đ', 'ð':
		return "d"
	case 'Đ', 'Ð':
		return "D"
	case 'ł':
		return "l"
	case 'Ł':
		return "L"
	case 'þ':
		return "th"
	case 'Þ':
		return "TH"
	case 'ı':
		return "i"
	case '’', '‘':
		return "'"
	case '‐', '‑', '–', '—':
		return "-"
	}
	return ""
}

// slug writes a text in lower-case ASCII letters and digits, with one hyphen
// for whatever stands between them.
func slug(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(ascii(s)) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
			continue
		}
		gap = true
	}
	return b.String()
}
