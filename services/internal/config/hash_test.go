package config_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/services/internal/config"
)

func hashed() config.File {
	return config.File{
		Sources:    map[string]config.Source{"hr": {Correlate: "externalId"}},
		Precedence: map[string][]string{"*": {"hr"}},
		Orgs: map[string]config.Org{"acme": {Assign: config.Assign{
			Rules:  []config.Rule{{Name: "a", When: "true", Profile: "P", Assignments: config.Assignments{"groups": {"G"}}, Fields: map[string]string{"Title": "''"}}, {Name: "b", When: "true"}},
			Grants: []config.Grant{{When: "true", Assignments: config.Assignments{"groups": {"H"}}}}, Fields: map[string]string{"Title": "'x'"}, Match: []string{"username"},
		}}},
	}
}

// Every key of the file counts, but for those that no wish hangs on: what is
// added to the file counts until somebody says that it does not.
func TestTheHashIsOfAllThatWishesHangOn(t *testing.T) {
	t.Parallel()
	not := []string{"deployment.", "nats.", "serve.", "log.", "tokens.", "callback.", "orgs.acme.connect.", "orgs.acme.push."}
	f := hashed()
	source, org, was := f.Sources["hr"], f.Orgs["acme"], f.Hash()
	for _, s := range settings(&f, &source, &org) {
		value := reflect.ValueOf(s.value.Interface())
		change(s.value)
		f.Sources["hr"], f.Orgs["acme"] = source, org
		counts := true
		for _, prefix := range not {
			counts = counts && !strings.HasPrefix(s.path, prefix)
		}
		if changed := f.Hash() != was; changed != counts {
			t.Errorf("%s: counts for the hash is %v, want %v", s.path, changed, counts)
		}
		s.value.Set(value)
		f.Sources["hr"], f.Orgs["acme"] = source, org
	}
}

func change(v reflect.Value) {
	switch {
	case v.CanInt():
		v.SetInt(v.Int() + 1)
	case v.CanFloat():
		v.SetFloat(v.Float() + 1)
	case v.Kind() == reflect.Bool:
		v.SetBool(!v.Bool())
	default:
		v.SetString(v.String() + "x")
	}
}

func TestTheHashIsOfEveryRule(t *testing.T) {
	t.Parallel()
	same, again := hashed(), hashed()
	was := same.Hash()
	if again.Hash() != was {
		t.Error("equal configurations, different hashes")
	}
	for name, edit := range map[string]func(*config.File, *config.Assign){
		"a source more":     func(f *config.File, _ *config.Assign) { f.Sources["directory"] = config.Source{} },
		"an authority":      func(f *config.File, _ *config.Assign) { f.Authority = []string{"hr"} },
		"another order":     func(f *config.File, _ *config.Assign) { f.Precedence["*"] = []string{"directory", "hr"} },
		"an org more":       func(f *config.File, _ *config.Assign) { f.Orgs["sub"] = config.Org{} },
		"a condition":       func(_ *config.File, a *config.Assign) { a.Rules[0].When = "false" },
		"the rules' order":  func(_ *config.File, a *config.Assign) { a.Rules[0], a.Rules[1] = a.Rules[1], a.Rules[0] },
		"a rule's group":    func(_ *config.File, a *config.Assign) { a.Rules[0].Assignments["groups"] = []string{"I"} },
		"a rule's field":    func(_ *config.File, a *config.Assign) { a.Rules[0].Fields["Title"] = "'z'" },
		"a grant":           func(_ *config.File, a *config.Assign) { a.Grants[0].When = "false" },
		"a field":           func(_ *config.File, a *config.Assign) { a.Fields["Title"] = "'y'" },
		"how users matched": func(_ *config.File, a *config.Assign) { a.Match = []string{"federation_id"} },
	} {
		f := hashed()
		org := f.Orgs["acme"]
		edit(&f, &org.Assign)
		f.Orgs["acme"] = org
		if f.Hash() == was {
			t.Errorf("%s: the hash is the same", name)
		}
	}
}
