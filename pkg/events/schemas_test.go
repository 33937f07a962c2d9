package events_test

import (
	"bytes"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

const urn = "urn:rollcall:events:"

// compiler knows every schema of the package and asserts formats.
func compiler(t testing.TB) *jsonschema.Compiler {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	files, err := fs.Glob(events.Schemas(), "*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no schemas: %v", err)
	}
	for _, file := range files {
		doc := schemaDoc(t, file)
		id := urn + strings.TrimSuffix(file, ".json")
		if doc["$id"] != id || doc["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
			t.Errorf("%s says it is %v in %v", file, doc["$id"], doc["$schema"])
		}
		if err := c.AddResource(id, doc); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func schemaDoc(t testing.TB, file string) map[string]any {
	t.Helper()
	data, err := fs.ReadFile(events.Schemas(), file)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return doc.(map[string]any)
}

// schemaAllows says whether the schema of a type accepts an event; the
// envelope's is asked where the type is none of ours.
func schemaAllows(t testing.TB, c *jsonschema.Compiler, eventType string, body []byte) bool {
	t.Helper()
	name := "cloudevent.v1"
	if events.Kind(eventType) != "" {
		name = strings.TrimPrefix(eventType, "io.github.rollcall-sync.")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	return err == nil && c.MustCompile(urn+name).Validate(doc) == nil
}

// valid asks the schema of the type that an event names somewhere: a bad event
// may be too broken to be read for it.
func valid(t *testing.T, c *jsonschema.Compiler, body string) bool {
	t.Helper()
	for _, eventType := range events.EventTypes() {
		if strings.Contains(body, `"`+eventType+`"`) {
			return schemaAllows(t, c, eventType, []byte(body))
		}
	}
	return schemaAllows(t, c, "", []byte(body))
}

func TestSchemasAgreeWithDecodeEvent(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	for _, good := range goodEvents() {
		if !valid(t, c, good.body) {
			t.Errorf("%s: the schema refuses what DecodeEvent accepts", good.name)
		}
	}
	for _, bad := range badEvents() {
		if !bad.beyondSchema && valid(t, c, bad.body) {
			t.Errorf("%s: the schema accepts what DecodeEvent refuses", bad.name)
		}
	}
	for name, sample := range sampleEvents() {
		body, err := events.EncodeEvent(sample)
		if err != nil {
			t.Fatal(err)
		}
		if !valid(t, c, string(body)) {
			t.Errorf("%s: the schema refuses the golden event", name)
		}
	}
}

// TestSchemasNameEveryAttribute compares schemas and Go types, so that neither
// gains an attribute the other does not know.
func TestSchemasNameEveryAttribute(t *testing.T) {
	t.Parallel()
	envelope := jsonNames(reflect.TypeFor[events.Event]())
	envelope["data"] = nil
	sameNames(t, "cloudevent", schemaDoc(t, "cloudevent.v1.json"), envelope)
	for file, goType := range map[string]reflect.Type{
		"person.v1.json": reflect.TypeFor[events.Person](), "group.v1.json": reflect.TypeFor[events.Group](),
	} {
		doc := schemaDoc(t, file)
		defs, _ := doc["$defs"].(map[string]any)
		walkNames(t, file, doc, defs, goType)
	}
}

func walkNames(t *testing.T, path string, schema, defs map[string]any, goType reflect.Type) {
	t.Helper()
	names := jsonNames(goType)
	sameNames(t, path, schema, names)
	if schema["additionalProperties"] != false {
		t.Errorf("%s lets unknown attributes pass", path)
	}
	for name, fieldType := range names {
		sub, _ := schema["properties"].(map[string]any)[name].(map[string]any)
		if items, ok := sub["items"].(map[string]any); ok {
			sub, fieldType = items, fieldType.Elem()
		}
		if ref, ok := sub["$ref"].(string); ok {
			sub, _ = defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		}
		if fieldType.Kind() == reflect.Pointer {
			fieldType = fieldType.Elem()
		}
		if fieldType.Kind() == reflect.Struct && sub != nil {
			walkNames(t, path+"/"+name, sub, defs, fieldType)
		}
	}
}

func sameNames(t *testing.T, path string, schema map[string]any, names map[string]reflect.Type) {
	t.Helper()
	properties, _ := schema["properties"].(map[string]any)
	inSchema, inGo := slices.Sorted(maps.Keys(properties)), slices.Sorted(maps.Keys(names))
	if !slices.Equal(inSchema, inGo) {
		t.Errorf("%s: the schema names %q, the Go type %q", path, inSchema, inGo)
	}
}

// jsonNames returns the JSON names of a struct's fields.
func jsonNames(goType reflect.Type) map[string]reflect.Type {
	names := map[string]reflect.Type{}
	for i := range goType.NumField() {
		name, _, _ := strings.Cut(goType.Field(i).Tag.Get("json"), ",")
		if name != "-" {
			names[name] = goType.Field(i).Type
		}
	}
	return names
}
