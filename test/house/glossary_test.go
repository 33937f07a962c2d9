package house

import (
	"go/ast"
	"go/token"
	"path"
	"strings"
	"testing"
)

// The glossary names what is there: every word in its last column is declared,
// and every word in its first columns that looks like code.
func TestTheGlossaryNamesWhatIsThere(t *testing.T) {
	t.Parallel()
	names := declarations(t)
	rows := 0
	for line := range strings.Lines(string(read(t, "docs/glossary.md"))) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || strings.HasPrefix(line, "|---") || strings.Contains(line, "| in the code |") {
			continue
		}
		rows++
		for _, marked := range code.FindAllStringSubmatch(cells[1]+cells[2]+cells[4], -1) {
			if name := marked[1]; !names[name] {
				t.Errorf("docs/glossary.md: nothing is declared as %s (%s)", name, strings.TrimSpace(cells[1]))
			}
		}
	}
	if rows < 50 {
		t.Errorf("%d rows, the test does not see all", rows)
	}
}

// declarations are the names of all that Go declares, with their package and, of
// fields and methods, with and without their type; and the values of constants.
func declarations(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, root := range []string{"pkg", "services"} {
		for _, file := range listed(t, root) {
			if path.Ext(file) != ".go" || strings.Contains(file, "/testdata/") {
				continue
			}
			f := parsed(t, token.NewFileSet(), path.Join(root, file))
			declare(f, strings.TrimSuffix(f.Name.Name, "_test")+".", names)
		}
	}
	return names
}

func declare(f *ast.File, pkg string, names map[string]bool) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			names[pkg+d.Name.Name] = true
			if d.Recv != nil {
				names[pkg+receiver(d)+"."+d.Name.Name] = true
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				declareSpec(s, pkg, names)
			}
		}
	}
}

func declareSpec(s ast.Spec, pkg string, names map[string]bool) {
	switch s := s.(type) {
	case *ast.ValueSpec:
		for _, n := range s.Names {
			names[pkg+n.Name] = true
		}
		for _, v := range s.Values {
			if lit, ok := v.(*ast.BasicLit); ok {
				names[strings.Trim(lit.Value, `"`)] = true
			}
		}
	case *ast.TypeSpec:
		names[pkg+s.Name.Name] = true
		structure, ok := s.Type.(*ast.StructType)
		if !ok {
			return
		}
		for _, field := range structure.Fields.List {
			for _, n := range field.Names {
				names[pkg+s.Name.Name+"."+n.Name] = true
			}
		}
	}
}

// receiver is the name of a method's type.
func receiver(d *ast.FuncDecl) string {
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if generic, ok := t.(*ast.IndexExpr); ok {
		t = generic.X
	}
	name, _ := t.(*ast.Ident)
	if name == nil {
		return ""
	}
	return name.Name
}
