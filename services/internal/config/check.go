package config

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// check compares the file with the struct, key by key: what the decoder would
// say, but for all keys at once and with the line each stands on.
func check(data []byte) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) == 0 {
		return nil
	}
	c := checker{}
	c.value(doc.Content[0], reflect.TypeFor[File](), "")
	return errors.Join(c.faults...)
}

type checker struct{ faults []error }

func (c *checker) fault(n *yaml.Node, path, format string, args ...any) {
	if path == "" {
		path = "the file"
	}
	c.faults = append(c.faults, fmt.Errorf("  line %d: %s: %s", n.Line, path, fmt.Sprintf(format, args...)))
}

func (c *checker) value(n *yaml.Node, t reflect.Type, path string) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Tag == "!!null" {
		return // as if the key were not there
	}
	switch {
	case t == reflect.TypeFor[time.Duration]():
		c.duration(n, path)
	case t.Kind() == reflect.Struct:
		c.structure(n, t, path)
	case t.Kind() == reflect.Map:
		c.mapping(n, t, path)
	case t.Kind() == reflect.Slice:
		c.sequence(n, t, path)
	default:
		c.scalar(n, t, path)
	}
}

func (c *checker) structure(n *yaml.Node, t reflect.Type, path string) {
	fields := map[string]reflect.Type{}
	names := make([]string, 0, t.NumField())
	for f := range fieldsOf(t) {
		keys := []string{f.Tag.Get("koanf")}
		ft := f.Type
		if ft == reflect.TypeFor[Assignments]() {
			keys, ft = events.AssignmentKeys(), ft.Elem()
		}
		for _, key := range keys {
			fields[key] = ft
			names = append(names, key)
		}
	}
	for key, value := range c.pairs(n, path) {
		at := join(path, key.Value)
		if ft, ok := fields[key.Value]; ok {
			c.value(value, ft, at)
			continue
		}
		c.fault(key, at, "is not a key of this file%s", suggest(key.Value, names))
	}
}

func (c *checker) mapping(n *yaml.Node, t reflect.Type, path string) {
	for key, value := range c.pairs(n, path) {
		c.value(value, t.Elem(), join(path, key.Value))
	}
}

// pairs yields the keys and values of a mapping; a key that stands twice is a
// fault, because one of the two values would silently not count.
func (c *checker) pairs(n *yaml.Node, path string) func(func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if n.Kind != yaml.MappingNode {
			c.fault(n, path, "must hold keys, is %s", kindOf(n))
			return
		}
		seen := map[string]int{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if line, twice := seen[key.Value]; twice {
				c.fault(key, join(path, key.Value), "stands twice, first on line %d", line)
				continue
			}
			seen[key.Value] = key.Line
			if !yield(key, n.Content[i+1]) {
				return
			}
		}
	}
}

func (c *checker) sequence(n *yaml.Node, t reflect.Type, path string) {
	if n.Kind != yaml.SequenceNode {
		c.fault(n, path, "must be a list, is %s", kindOf(n))
		return
	}
	for i, item := range n.Content {
		c.value(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
	}
}

func (c *checker) scalar(n *yaml.Node, t reflect.Type, path string) {
	if n.Kind != yaml.ScalarNode {
		c.fault(n, path, "must be %s, is %s", nameOf(t), kindOf(n))
		return
	}
	want := map[reflect.Kind]string{reflect.Bool: "!!bool", reflect.Int: "!!int", reflect.String: "!!str"}[t.Kind()]
	if n.ShortTag() != want {
		c.fault(n, path, "must be %s, is %s%s", nameOf(t), kindOf(n), quoteHint(t))
	}
}

func (c *checker) duration(n *yaml.Node, path string) {
	if n.Kind != yaml.ScalarNode {
		c.fault(n, path, "must be a duration like 30s, is %s", kindOf(n))
		return
	}
	if _, err := time.ParseDuration(n.Value); err != nil {
		c.fault(n, path, "must be a duration like 30s or 50ms, is %s", strconv.Quote(n.Value))
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func nameOf(t reflect.Type) string {
	switch t.Kind() { // the struct has these kinds only, a test sees to it
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	}
	return "text"
}

func quoteHint(t reflect.Type) string {
	if t.Kind() == reflect.String {
		return " (put it in quotes)"
	}
	return ""
}

func kindOf(n *yaml.Node) string {
	switch n.Kind { // documents and aliases do not come here
	case yaml.MappingNode:
		return "a set of keys"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!bool":
		return "true or false"
	case "!!int", "!!float":
		return "a number"
	case "!!timestamp":
		return "a date"
	}
	return "text"
}

func fieldsOf(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}

// suggest names the key that was probably meant.
func suggest(key string, names []string) string {
	best, distance := "", 3
	for _, name := range names {
		if d := editDistance(strings.ToLower(key), strings.ToLower(name)); d < distance {
			best, distance = name, d
		}
	}
	if best == "" {
		return fmt.Sprintf(" (there are: %s)", strings.Join(names, ", "))
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}

// editDistance is Levenshtein's, on bytes: keys are ASCII.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
