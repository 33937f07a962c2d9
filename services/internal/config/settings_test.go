package config_test

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// setting is one key of the file, in a configuration whose one source is called hr
// and whose one org acme.
type setting struct {
	path  string
	value reflect.Value
}

// settings are all keys that hold one value.
func settings(f *config.File, source *config.Source, org *config.Org) []setting {
	return slices.Concat(settingsIn(reflect.ValueOf(f).Elem(), ""),
		settingsIn(reflect.ValueOf(source).Elem(), "sources.hr."), settingsIn(reflect.ValueOf(org).Elem(), "orgs.acme."))
}

func settingsIn(v reflect.Value, path string) []setting {
	var out []setting
	for i := range v.NumField() {
		at := path + v.Type().Field(i).Tag.Get("koanf")
		switch v.Field(i).Kind() {
		case reflect.Struct:
			out = append(out, settingsIn(v.Field(i), at+".")...)
		case reflect.Map, reflect.Slice:
		default:
			out = append(out, setting{at, v.Field(i)})
		}
	}
	return out
}

// A number that nobody bounds is one that a mistake of a digit or a sign makes
// into a loop without rest, or into nothing at all.
func TestEveryNumberIsBounded(t *testing.T) {
	t.Parallel()
	f, org := config.Default(), config.DefaultOrg()
	var source config.Source
	checked := 0
	for _, s := range settings(&f, &source, &org) {
		if !s.value.CanInt() {
			continue
		}
		was := s.value.Int()
		s.value.SetInt(-int64(time.Minute))
		f.Sources, f.Orgs = map[string]config.Source{"hr": source}, map[string]config.Org{"acme": org}
		if err := f.Validate(); err == nil || !strings.Contains(err.Error(), s.path+": ") {
			t.Errorf("%s may be %v", s.path, s.value)
		}
		s.value.SetInt(was)
		checked++
	}
	if checked < 8 {
		t.Errorf("%d numbers, the test does not see all", checked)
	}
}

// File names are relative to the configuration's folder, whoever adds one.
func TestEveryFileIsRelativeToTheConfiguration(t *testing.T) {
	t.Parallel()
	var f config.File
	var source config.Source
	var org config.Org
	named := map[string]any{}
	for _, s := range settings(&f, &source, &org) {
		if strings.HasSuffix(s.path, "File") {
			put(named, strings.Split(s.path, "."), "a")
		}
	}
	text, err := yaml.Marshal(named)
	if err != nil {
		t.Fatal(err)
	}
	f, err = config.Parse(text, "/etc/rollcall")
	if err == nil || strings.Contains(err.Error(), "line ") {
		t.Fatalf("error %v, want what else an org needs", err)
	}
	source, org = f.Sources["hr"], f.Orgs["acme"]
	for _, s := range settings(&f, &source, &org) {
		if strings.HasSuffix(s.path, "File") && s.value.String() != filepath.Join("/etc/rollcall", "a") {
			t.Errorf("%s: a is %q", s.path, s.value)
		}
	}
}

func put(in map[string]any, path []string, value string) {
	if len(path) == 1 {
		in[path[0]] = value
		return
	}
	below, ok := in[path[0]].(map[string]any)
	if !ok {
		below = map[string]any{}
		in[path[0]] = below
	}
	put(below, path[1:], value)
}
