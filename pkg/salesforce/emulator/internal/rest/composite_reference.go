package rest

import (
	"strconv"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// resolve replaces @{ref.field} in address and body.
func (run *compositeRun) resolve(sub subrequest) (body any, address string, err *wire.APIError) {
	replace := func(s string) string {
		out, e := run.expand(s)
		if e != nil && err == nil {
			err = e
		}
		return out
	}
	address = replace(sub.url)
	body = mapStrings(sub.body, replace)
	return body, address, err
}

// mapStrings copies a document with every string value changed.
func mapStrings(v any, change func(string) string) any {
	switch v := v.(type) {
	case string:
		return change(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = mapStrings(v[i], change)
		}
		return out
	case *wire.Object:
		out := &wire.Object{Pos: v.Pos, Members: make([]wire.Member, len(v.Members))}
		for i, m := range v.Members {
			m.Value = mapStrings(m.Value, change)
			out.Members[i] = m
		}
		return out
	}
	return v
}

func (run *compositeRun) expand(s string) (string, *wire.APIError) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "@{")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return "", errReference(name)
		}
		v, err := run.reference(name)
		if err != nil {
			return "", err
		}
		b.WriteString(v)
		s = after
	}
}

func errReference(name string) *wire.APIError { // [U] text
	return wire.PlatformError(400, "PROCESSING_HALTED", "Invalid reference specified. No value for "+name+" found")
}

// reference reads ref.field or ref.records[0].Id from an earlier answer.
func (run *compositeRun) reference(name string) (string, *wire.APIError) {
	ref, path, _ := strings.Cut(name, ".")
	base, index, _ := strings.Cut(ref, "[")
	if status, ran := run.done[base]; ran && status >= 300 {
		return "", errHalted()
	}
	v, ok := run.answers[base]
	if !ok {
		return "", errReference(name)
	}
	if index != "" {
		path = "[" + index + "." + path
	}
	for step := range strings.SplitSeq(path, ".") {
		if v, ok = follow(v, step); !ok {
			return "", errReference(name)
		}
	}
	return wire.PlainValue(v), nil
}

// follow takes one step: a member, an index, or both as in records[0].
func follow(v any, step string) (any, bool) {
	name, index, indexed := strings.Cut(step, "[")
	if name != "" {
		obj, ok := v.(*wire.Object)
		if !ok {
			return nil, false
		}
		if v, ok = obj.Get(name); !ok {
			return nil, false
		}
	}
	if !indexed {
		return v, true
	}
	list, ok := v.([]any)
	n, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
	if !ok || err != nil || n < 0 || n >= len(list) {
		return nil, false
	}
	return list[n], true
}
