package events

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// checkShape walks the tokens once: size, UTF-8, syntax, duplicate keys (all
// refused by jsontext), depth, keys that differ only in case, and null where an
// element of a list should be.
func checkShape(data []byte) error {
	if len(data) > MaxEventBytes {
		return &EventError{Reason: fmt.Sprintf("is %d bytes, the limit is %d", len(data), MaxEventBytes)}
	}
	if !utf8.Valid(data) {
		return &EventError{Reason: "is not UTF-8"}
	}
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	names := nameStack{}
	for {
		parent, n := dec.StackIndex(dec.StackDepth())
		tok, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return explain(err)
		}
		if dec.StackDepth() > MaxEventDepth {
			return &EventError{Reason: fmt.Sprintf("is nested deeper than %d", MaxEventDepth)}
		}
		if tok.Kind() == 'n' && parent == '[' {
			return faultAt(dec, "must not be null")
		}
		isName := parent == '{' && n%2 == 0 && tok.Kind() == '"'
		if isName && !names.add(dec.StackDepth(), tok.String()) {
			return faultAt(dec, "stands twice, in different case")
		}
		if tok.Kind() == '{' {
			names.forget(dec.StackDepth())
		}
	}
}

func faultAt(dec *jsontext.Decoder, reason string) *EventError {
	return &EventError{Where: clip(string(dec.StackPointer())), Reason: reason}
}

// nameStack holds, by depth, the case-folded names of the object being read.
type nameStack map[int]map[string]struct{}

func (s nameStack) forget(depth int) { clear(s[depth]) }

// add says whether the name is new at this depth.
func (s nameStack) add(depth int, name string) bool {
	if s[depth] == nil {
		s[depth] = make(map[string]struct{}, 8)
	}
	folded := fold(name)
	_, dup := s[depth][folded]
	s[depth][folded] = struct{}{}
	return !dup
}

// fold makes equal what a reader that ignores case takes for equal. Upper, then
// lower: such readers fold the long s to s and the Kelvin sign to k, which
// neither does alone. For ASCII lower is enough, and cheaper.
func fold(name string) string {
	if strings.IndexFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) < 0 {
		return strings.ToLower(name)
	}
	return strings.ToLower(strings.ToUpper(name))
}
