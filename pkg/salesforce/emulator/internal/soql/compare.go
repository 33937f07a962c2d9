package soql

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// test compiles one comparison of a column with literals.
func (c *Plan) test(f *store.Field, e *comparison) (func(v any) bool, error) {
	switch e.op {
	case "like":
		return likeTest(f, e.values[0])
	case "in", "not in":
		return c.membership(f, e)
	}
	if e.values[0].is("null") {
		return nullTest(e)
	}
	if f.Kind == store.KindDatetime || f.Kind == store.KindDate {
		return c.timeTest(f, e)
	}
	want, err := literal(f, e.values[0])
	if err != nil {
		return nil, err
	}
	return orderTest(e.op, want, f), nil
}

func nullTest(e *comparison) (func(any) bool, error) {
	switch e.op {
	case "=":
		return func(v any) bool { return v == nil }, nil
	case "!=":
		return func(v any) bool { return v != nil }, nil
	}
	return nil, unexpectedToken(e.values[0])
}

// orderTest compares; null is unequal to everything and in no order.
func orderTest(op string, want any, f *store.Field) func(any) bool {
	want = folded(f, want)
	return func(v any) bool {
		if v == nil {
			return op == "!="
		}
		d := compareValues(folded(f, v), want)
		switch op {
		case "=":
			return d == 0
		case "!=":
			return d != 0
		case "<":
			return d < 0
		case "<=":
			return d <= 0
		case ">":
			return d > 0
		}
		return d >= 0
	}
}

// folded folds text and shortens ids, as store.IndexKey does.
func folded(f *store.Field, v any) any {
	if s, ok := v.(string); ok {
		return store.IndexKey(f, s)
	}
	return v
}

// compareValues orders two values of one kind; null comes first.
func compareValues(a, b any) int {
	switch x := a.(type) {
	case nil:
		if b == nil {
			return 0
		}
		return -1
	case string:
		if y, ok := b.(string); ok {
			return cmp.Compare(x, y)
		}
	case bool:
		y, _ := b.(bool)
		return cmp.Compare(boolNumber(x), boolNumber(y))
	case wire.Instant:
		if y, ok := b.(wire.Instant); ok {
			return cmp.Compare(x, y)
		}
	}
	if b == nil {
		return 1
	}
	return cmp.Compare(floatOf(a), floatOf(b))
}

func boolNumber(b bool) int {
	if b {
		return 1
	}
	return 0
}

func floatOf(v any) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return 0
}

// membership tests against a set, so that IN with thousands of values is one
// look-up per row.
func (c *Plan) membership(f *store.Field, e *comparison) (func(any) bool, error) {
	if f.Kind == store.KindDatetime {
		return nil, &filterError{"invalid operator on datetime field"} // [U]
	}
	if e.rows != nil {
		return c.semiJoin(f, e)
	}
	set, null := make(map[any]struct{}, len(e.values)), false
	for _, t := range e.values {
		if t.is("null") {
			null = true
			continue
		}
		v, err := literal(f, t)
		if err != nil {
			return nil, err
		}
		set[folded(f, v)] = struct{}{}
	}
	negate := e.op == "not in"
	return func(v any) bool {
		if v == nil {
			return null != negate
		}
		_, in := set[folded(f, v)]
		return in != negate
	}, nil
}

// literal reads a literal as the column's kind. The texts are [U].
func literal(f *store.Field, t token) (any, error) {
	quoted := t.kind == stringToken
	switch f.Kind {
	case store.KindBoolean:
		if t.is("true") || t.is("false") {
			return t.is("true"), nil
		}
		return nil, wrongLiteral(f, "boolean and should not be enclosed in quotes")
	case store.KindInt, store.KindDouble:
		if x, err := strconv.ParseFloat(t.text, 64); err == nil && !quoted {
			if f.Kind == store.KindInt && x == float64(int64(x)) {
				return int64(x), nil
			}
			return x, nil
		}
		return nil, wrongLiteral(f, f.Kind.String()+" and should not be enclosed in quotes")
	case store.KindDate:
		if _, err := time.Parse(time.DateOnly, t.text); err == nil && !quoted {
			return t.text, nil
		}
		return nil, wrongLiteral(f, "date and should not be enclosed in quotes")
	}
	if !quoted {
		return nil, wrongLiteral(f, f.Kind.String()+" and should be enclosed in quotes")
	}
	s, err := unescape(t.text, false)
	if err == nil && (f.Kind == store.KindReference || f.Kind == store.KindID) && !store.IsID(s) && s != "" {
		return nil, &filterError{"invalid ID field: " + s} // [R jsforce #684]
	}
	return s, err
}

// filterError is a condition that its field cannot have: code [R restforce
// #557], for ids.
type filterError struct{ message string }

func (e *filterError) Error() string { return e.message }

func wrongLiteral(f *store.Field, rest string) error {
	return fmt.Errorf("value of filter criterion for field '%s' must be of type %s", f.Name, rest)
}

// timeTest compares with an instant, a day, or a word such as TODAY.
func (c *Plan) timeTest(f *store.Field, e *comparison) (func(any) bool, error) {
	from, to, err := c.timeRange(f, e.values[0])
	if err != nil {
		return nil, err
	}
	op := e.op
	return func(v any) bool {
		at, ok := instantIn(v)
		if !ok {
			return op == "!="
		}
		switch op {
		case "=":
			return at >= from && at < to
		case "!=":
			return at < from || at >= to
		case "<":
			return at < from
		case "<=":
			return at < to
		case ">":
			return at >= to
		}
		return at >= from
	}, nil
}

func instantIn(v any) (wire.Instant, bool) {
	switch v := v.(type) {
	case wire.Instant:
		return v, true
	case string:
		t, err := time.Parse(time.DateOnly, v)
		return wire.InstantOf(t), err == nil
	}
	return 0, false
}

// timeRange gives the half-open range that a literal stands for.
func (c *Plan) timeRange(f *store.Field, t token) (from, to wire.Instant, err error) {
	if t.kind == numberToken {
		if day, err := time.Parse(time.DateOnly, t.text); err == nil && f.Kind == store.KindDate {
			return wire.InstantOf(day), wire.InstantOf(day.AddDate(0, 0, 1)), nil
		}
		if at, ok := wire.ParseInstant(t.text); ok && f.Kind == store.KindDatetime {
			return at, at + 1, nil
		}
	}
	if t.kind != nameToken {
		return 0, 0, wrongLiteral(f, f.Kind.String()+" and should not be enclosed in quotes")
	}
	today := c.data.Now().UTC().Truncate(24 * time.Hour)
	word, count, _ := strings.Cut(strings.ToUpper(t.text), ":")
	n, _ := strconv.Atoi(count)
	days := map[string][2]int{"TODAY": {0, 1}, "YESTERDAY": {-1, 0}, "TOMORROW": {1, 2},
		"LAST_N_DAYS": {-n, 1}, "NEXT_N_DAYS": {1, n + 1}}
	span, ok := days[word]
	if !ok {
		return 0, 0, unexpectedToken(t)
	}
	return wire.InstantOf(today.AddDate(0, 0, span[0])), wire.InstantOf(today.AddDate(0, 0, span[1])), nil
}

// likeTest compiles % and _ wildcards, without case. [D]
func likeTest(f *store.Field, t token) (func(any) bool, error) {
	if t.kind != stringToken || f.Kind == store.KindBoolean || f.Kind == store.KindInt || f.Kind == store.KindDatetime || f.Kind == store.KindID || f.Kind == store.KindReference {
		return nil, &filterError{"invalid operator on " + f.Kind.String() + " field"} // [R LightningFlowComponents #255]
	}
	text, err := unescape(t.text, true)
	if err != nil {
		return nil, err
	}
	pattern := []rune(strings.ToLower(text))
	return func(v any) bool {
		s, ok := v.(string)
		return ok && like([]rune(strings.ToLower(s)), pattern)
	}, nil
}

// like matches with one step of backtracking per %, never exponentially.
func like(s, p []rune) bool {
	i, j, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case j < len(p) && p[j] == '%':
			star, mark = j, i
			j++
			continue
		case j < len(p) && p[j] == '_':
			i, j = i+1, j+1
			continue
		case j+1 < len(p) && p[j] == '\\' && p[j+1] == s[i]:
			i, j = i+1, j+2
			continue
		case j < len(p) && p[j] != '\\' && p[j] == s[i]:
			i, j = i+1, j+1
			continue
		}
		if star < 0 {
			return false
		}
		mark++
		i, j = mark, star+1
	}
	for j < len(p) && p[j] == '%' {
		j++
	}
	return j == len(p)
}
