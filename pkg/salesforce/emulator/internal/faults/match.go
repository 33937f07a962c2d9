package faults

import (
	"net/url"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Subject is what a plan looks at of a call.
type Subject struct {
	Operation string
	Outer     string // the operation it is a part of
	Org       string // empty while no org is known
	SignedIn  bool
	Writes    bool // it is to change something
	Records   int  // of the transaction
	Path      string
	URL       *url.URL
	Payload   []byte
	Body      documented
}

// documented gives the parsed body, nil when there is none.
type documented interface{ Document() (any, error) }

// named compares the operation.
func (f *Fault) named(s *Subject) bool {
	switch f.Operation {
	case "", "any", s.Operation, s.Outer:
		return true
	}
	return f.Operation == "mutating" && s.Writes
}

// about compares operation and org.
func (f *Fault) about(s *Subject) bool {
	if !f.named(s) || f.Effect == EffectLate && !s.Writes {
		return false
	}
	return f.Org == "" || s.Org != "" && store.ShortID(f.Org) == store.ShortID(s.Org)
}

// picks compares object and field of one record.
func (f *Fault) picks(o *store.Object, id string, in store.Input) bool {
	if f.Object != "" && !strings.EqualFold(f.Object, o.Name) {
		return false
	}
	if f.Field == "" {
		return true
	}
	if strings.EqualFold(f.Field, "Id") {
		return id != "" && store.ShortID(id) == store.ShortID(f.Value)
	}
	v, ok := in.Value(f.Field)
	return ok && strings.EqualFold(wire.PlainValue(v), f.Value)
}

// mentions looks for the fault's object and record anywhere in a call. It
// reads the body loosely: a whole-call fault strikes when one record of the
// call is the one looked for.
func (f *Fault) mentions(s *Subject) bool {
	if f.Object == "" && f.Field == "" {
		return true
	}
	if s.Operation == "token" {
		form, _ := url.ParseQuery(string(s.Payload))
		return f.Object == "" && form.Get(f.Field) == f.Value
	}
	if f.Field == "" && pathMentions(s.Path, f.Object) {
		return true
	}
	if soql := s.URL.Query().Get("q"); soql != "" {
		return f.inText(soql)
	}
	doc, err := s.Body.Document()
	if err != nil || doc == nil {
		return f.inText(s.URL.RawQuery + " " + s.Path)
	}
	return f.inDocument(doc, objectInPath(s.Path))
}

func pathMentions(path, object string) bool {
	return strings.EqualFold(objectInPath(path), object)
}

// objectInPath gives the X of .../sobjects/X/... or "".
func objectInPath(path string) string {
	_, rest, ok := strings.Cut(path, "/sobjects/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

func (f *Fault) inText(s string) bool {
	s = strings.ToLower(s)
	return (f.Object == "" || strings.Contains(s, "from "+strings.ToLower(f.Object))) &&
		(f.Field == "" || strings.Contains(s, strings.ToLower(f.Value)))
}

// inDocument searches objects of a JSON body; kind is the object type that
// records without attributes have.
func (f *Fault) inDocument(doc any, kind string) bool {
	switch doc := doc.(type) {
	case []any:
		for _, v := range doc {
			if f.inDocument(v, kind) {
				return true
			}
		}
	case *wire.Object:
		return f.inObject(doc, kind)
	}
	return false
}

func (f *Fault) inObject(obj *wire.Object, kind string) bool {
	if attrs, ok := obj.Get("attributes"); ok {
		if a, ok := attrs.(*wire.Object); ok {
			kind = a.Text("type")
		}
	}
	if u := obj.Text("url"); u != "" {
		kind = objectInPath(u)
	}
	right := f.Object == "" || strings.EqualFold(kind, f.Object)
	if right && f.Field == "" && kind != "" {
		return true
	}
	if v, ok := obj.Get(f.Field); right && ok && f.Field != "" && strings.EqualFold(wire.PlainValue(v), f.Value) {
		return true
	}
	for _, m := range obj.Members {
		if m.Name != "attributes" && f.inDocument(m.Value, kind) {
			return true
		}
	}
	return false
}
