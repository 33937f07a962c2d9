package emulator

import (
	"net/url"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// about compares operation and org.
func (f *Fault) about(c *call) bool {
	if f.Operation != "" && f.Operation != "any" && f.Operation != c.entry.Operation && f.Operation != c.outer {
		return false
	}
	return f.Org == "" || c.org != nil && store.ShortID(f.Org) == store.ShortID(c.org.id)
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
func (f *Fault) mentions(c *call) bool {
	if f.Object == "" && f.Field == "" {
		return true
	}
	if c.entry.Operation == "token" {
		form, _ := url.ParseQuery(string(c.payload))
		return f.Object == "" && form.Get(f.Field) == f.Value
	}
	if f.Field == "" && pathMentions(c.path, f.Object) {
		return true
	}
	if soql := c.r.URL.Query().Get("q"); soql != "" {
		return f.inText(soql)
	}
	doc, err := c.document()
	if err != nil || doc == nil {
		return f.inText(c.r.URL.RawQuery + " " + c.path)
	}
	return f.inDocument(doc, objectInPath(c.path))
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

// document parses the body once.
func (c *call) document() (any, error) {
	if c.doc != nil || len(c.payload) == 0 {
		return c.doc, nil
	}
	doc, err := wire.ReadJSON(c.payload)
	if err != nil {
		return nil, err
	}
	c.doc = doc
	return doc, nil
}
