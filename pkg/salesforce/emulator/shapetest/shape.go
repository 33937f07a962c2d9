// Package shapetest compares answers with recorded ones: key for key, type for
// type, text for text.
package shapetest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Like compares an answer with a pattern: the same keys, the same types, the
// same texts. A pattern's string may hold "<id>" for any record id, "<text>"
// for any text, and "<any>" alone for any value; a key that begins with "?"
// may be missing. Objects have no other keys, unless "..." is one of them.
func Like(body, pattern string) error {
	var got, want any
	if err := json.Unmarshal([]byte(pattern), &want); err != nil {
		return fmt.Errorf("pattern: %w", err)
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		return fmt.Errorf("%.300q is no JSON: %w", body, err)
	}
	return compare("", got, want)
}

func compare(at string, got, want any) error {
	switch want := want.(type) {
	case string:
		return compareText(at, got, want)
	case map[string]any:
		return compareObject(at, got, want)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Errorf("%s: %v, want a list of %d", at, got, len(want))
		}
		for i := range want {
			if err := compare(fmt.Sprintf("%s[%d]", at, i), list[i], want[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if got != want {
		return fmt.Errorf("%s: %v, want %v", at, got, want)
	}
	return nil
}

func compareText(at string, got any, want string) error {
	if want == "<any>" {
		return nil
	}
	text, ok := got.(string)
	if !ok {
		return fmt.Errorf("%s: %v, want a text", at, got)
	}
	rule := regexp.QuoteMeta(want)
	rule = strings.ReplaceAll(rule, "<id>", "[0-9A-Za-z]{15}([0-9A-Za-z]{3})?")
	rule = strings.ReplaceAll(rule, "<text>", "(?s).+")
	if !regexp.MustCompile("^" + rule + "$").MatchString(text) {
		return fmt.Errorf("%s: %q, want %q", at, text, want)
	}
	return nil
}

func compareObject(at string, got any, want map[string]any) error {
	object, ok := got.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: %v, want an object", at, got)
	}
	var known []string
	for key, value := range want {
		key, optional := strings.CutPrefix(key, "?")
		known = append(known, key)
		have, there := object[key]
		if !there && !optional && key != "..." {
			return fmt.Errorf("%s: no %q in %v", at, key, object)
		}
		if !there {
			continue
		}
		if err := compare(at+"."+key, have, value); err != nil {
			return err
		}
	}
	for key := range object {
		if !slices.Contains(known, key) && !slices.Contains(known, "...") {
			return fmt.Errorf("%s: an unexpected %q", at, key)
		}
	}
	return nil
}
