package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// field is one key of the file.
type field struct {
	key, kind, doc string
	// inner is the struct the key holds, empty for a plain value.
	inner string
	// named says that the key holds a set of inner structs by name, listed that
	// it holds a list of them.
	named, listed bool
}

// parse reads the structs of a Go file, by name.
func parse(path string) (map[string][]field, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("read struct: %w", err)
	}
	structs := map[string][]field{}
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range gen.Specs {
			ts, ok := spec.(*ast.TypeSpec)
			if !ok {
				continue
			}
			if st, ok := ts.Type.(*ast.StructType); ok {
				structs[ts.Name.Name] = fields(st)
			}
		}
	}
	return structs, nil
}

// fields reads a struct. Fields that stand together share the comment above
// the first of them.
func fields(st *ast.StructType) []field {
	var out []field
	doc := ""
	for _, f := range st.Fields.List {
		if f.Doc != nil {
			doc = strings.Join(strings.Fields(f.Doc.Text()), " ")
		}
		tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`"))
		if tag.Get("koanf") == ",remain" {
			out = append(out, assignments()...)
			continue
		}
		one := field{key: tag.Get("koanf"), doc: doc}
		one.describe(f.Type)
		out = append(out, one)
	}
	return out
}

// assignments are the keys of a rule or grant that the table of assignment kinds
// has.
func assignments() []field {
	var out []field
	for _, k := range events.AssignmentKinds() {
		out = append(out, field{key: k.Key, kind: "list of text", doc: k.Names + "."})
	}
	return out
}

func (f *field) describe(t ast.Expr) {
	switch t := t.(type) {
	case *ast.Ident:
		f.plain(t.Name)
	case *ast.SelectorExpr:
		f.kind = "duration"
	case *ast.ArrayType:
		f.describe(t.Elt)
		f.kind, f.listed = "list of "+f.kind, true
	case *ast.MapType:
		f.describe(t.Value)
		f.kind, f.named = "by name: "+f.kind, true
	}
}

func (f *field) plain(name string) {
	switch name {
	case "string":
		f.kind = "text"
	case "bool":
		f.kind = "true/false"
	case "int":
		f.kind = "number"
	default:
		f.kind, f.inner = "keys", name
	}
}
