package wire

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// plainJSON turns what ReadJSON gives into what encoding/json gives.
func plainJSON(v any) any {
	switch v := v.(type) {
	case Number:
		return json.Number(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plainJSON(v[i])
		}
		return out
	case *Object:
		out := map[string]any{}
		for _, m := range v.Members {
			out[m.Name] = plainJSON(m.Value)
		}
		return out
	}
	return v
}

// FuzzReadJSON holds the reader to encoding/json: what it takes must be JSON,
// and must mean the same.
func FuzzReadJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e3,true,null,"\u00e9\n\ud83d\ude00"],"b":{}}`, `[]`, `"x`, `{"a" 1}`, `01`, `1.`, `-`, `tru`, `[1,]`, "\"\x01\"", `"\ud800"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		got, err := ReadJSON(src)
		if !utf8.Valid(src) {
			return // encoding/json repairs, this reader refuses
		}
		dec := json.NewDecoder(bytes.NewReader(src))
		dec.UseNumber()
		var want any
		valid := json.Valid(src)
		if err != nil {
			return // stricter is fine: depth
		}
		if !valid {
			t.Fatalf("took %q, which is not JSON", src)
		}
		if derr := dec.Decode(&want); derr != nil {
			t.Fatalf("%q: %v", src, derr)
		}
		if a, b := Encode(plainJSON(got)), Encode(want); !bytes.Equal(a, b) {
			t.Fatalf("%q\n got %s\nwant %s", src, a, b)
		}
	})
}

func TestReadJSONTakesWhatIsJSON(t *testing.T) {
	t.Parallel()
	for _, src := range []string{`{"a":[1,-2.5e3,true,false,null,"\u00e9\n\ud83d\ude00"],"b":{}}`, ` [ ] `, `0`, `-0.5E+10`, `""`} {
		if _, err := ReadJSON([]byte(src)); err != nil {
			t.Errorf("%s: %v", src, err)
		}
	}
}
