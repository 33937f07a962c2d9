package main

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// asOthers are the keys whose default follows from something else, and what the
// page says of it.
func asOthers() map[string]string {
	return map[string]string{
		"nats.inboxPrefix":                 "_INBOX_<service>",
		"sources.<name>.sourceVersion":     "none",
		"orgs.<name>.connect.audience":     "https://login.salesforce.com",
		"orgs.<name>.connect.hostSuffixes": "Salesforce's own",
	}
}

// The page says of every key what it is where the file does not say; a default
// changed in defaults.go alone would leave it lying.
func TestThePageSaysEveryDefault(t *testing.T) {
	t.Parallel()
	structs, err := parse("../config.go")
	if err != nil {
		t.Fatal(err)
	}
	d := defaulted{t: t, structs: structs}
	d.compare("File", "", reflect.ValueOf(config.Default()))
	if d.seen < 20 {
		t.Errorf("%d defaults, the test does not see all", d.seen)
	}
}

type defaulted struct {
	t       *testing.T
	structs map[string][]field
	seen    int
}

var saidDefault = regexp.MustCompile(`Default (.+?)(\. |\.$|, and |, which )`)

func (d *defaulted) compare(name, path string, v reflect.Value) {
	for _, f := range d.structs[name] {
		at := strings.TrimPrefix(path+"."+f.key, ".")
		value, ok := byKey(v, f.key)
		switch {
		case !ok: // a kind of assignment: nothing is given by default
		case f.inner == "Org":
			d.compare(f.inner, at+".<name>", reflect.ValueOf(config.DefaultOrg()))
		case f.inner != "" && f.named:
			d.compare(f.inner, at+".<name>", reflect.Zero(value.Type().Elem()))
		case f.inner != "" && f.listed:
			d.compare(f.inner, at+"[]", reflect.Zero(value.Type().Elem()))
		case f.inner != "":
			d.compare(f.inner, at, value)
		default:
			d.leaf(at, f, value)
		}
	}
}

func (d *defaulted) leaf(at string, f field, v reflect.Value) {
	said := ""
	if m := saidDefault.FindStringSubmatch(f.doc); m != nil {
		said = m[1]
		d.seen++
	}
	want, other := asOthers()[at]
	switch {
	case other:
	case v.IsZero() && (said == "false" || said == "0"):
		return
	case v.IsZero():
		want = ""
	default:
		want = shown(v)
	}
	if took, err := time.ParseDuration(said); err == nil {
		said = took.String()
	}
	if said != want {
		d.t.Errorf("%s: the page says Default %q, and it is %q: correct the comment in config.go, or defaults.go", at, said, want)
	}
}

func byKey(v reflect.Value, key string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("koanf") == key {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func shown(v reflect.Value) string {
	switch v := v.Interface().(type) {
	case []string:
		return strings.Join(v, ", ")
	default:
		return fmt.Sprint(v)
	}
}
