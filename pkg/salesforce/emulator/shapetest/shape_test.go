package shapetest_test

import (
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/shapetest"
)

// The comparison itself must be able to fail.
func TestLikeTellsAnswersApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		body, pattern string
		same          bool
	}{
		{`{"id":"005000000000001AAA","n":1}`, `{"id":"<id>","n":1}`, true},
		{`{"id":"005000000000001AAA","n":"1"}`, `{"id":"<id>","n":1}`, false},
		{`{"id":"005"}`, `{"id":"<id>"}`, false},
		{`{"a":1,"b":2}`, `{"a":1}`, false},
		{`{"a":1,"b":2}`, `{"a":1,"...":null}`, true},
		{`{}`, `{"a":1}`, false},
		{`{}`, `{"?a":1}`, true},
		{`{"a":2}`, `{"?a":1}`, false},
		{`{"a":"some text"}`, `{"a":"some <text>"}`, true},
		{`{"a":"other text"}`, `{"a":"some <text>"}`, false},
		{`{"a":""}`, `{"a":"<text>"}`, false},
		{`{"a":null}`, `{"a":"<any>"}`, true},
		{`{"a":null}`, `{"a":"<text>"}`, false},
		{`[1]`, `[1,2]`, false},
		{`<html>`, `{}`, false},
	} {
		if err := shapetest.Like(c.body, c.pattern); (err == nil) != c.same {
			t.Errorf("%s like %s: %v", c.body, c.pattern, err)
		}
	}
}
