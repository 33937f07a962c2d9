package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// subjects matches text that begins like one of the subjects of the contract.
func subjects(t *testing.T) *regexp.Regexp {
	t.Helper()
	contract, err := os.ReadFile(inTree("pkg/events/subjects.go"))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, m := range regexp.MustCompile(`"rollcall\.([a-z]+)\.`).FindAllStringSubmatch(string(contract), -1) {
		kinds = append(kinds, m[1])
	}
	if slices.Sort(kinds); len(slices.Compact(kinds)) < 15 {
		t.Fatalf("read the subjects %v", kinds)
	}
	return regexp.MustCompile(`^"?([a-z]+ )?rollcall\.(` + strings.Join(kinds, "|") + `)\.`)
}

// Subjects are built in pkg/events and nowhere else: a literal one goes wrong
// without a word where the contract changes.
func TestSubjectsStandInTheContractOnly(t *testing.T) {
	t.Parallel()
	subject := subjects(t)
	for at, files := range packages(t, "services") {
		for _, name := range files {
			fset := token.NewFileSet()
			ast.Inspect(parsed(t, fset, at+name), func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && namesMetric(call) {
					return false // names of metrics look alike
				}
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && subject.MatchString(lit.Value) {
					t.Errorf("%s:%d: %s is a subject: say it in pkg/events", at+name, fset.Position(lit.Pos()).Line, lit.Value)
				}
				return true
			})
		}
	}
}

func namesMetric(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	return ok && (strings.HasPrefix(f.Sel.Name, "Int64") || strings.HasPrefix(f.Sel.Name, "Float64"))
}

// A cause that is in the list, has its policy and its text, and that nobody ever
// reports is a promise to operators that is not kept.
func TestEveryCauseIsReported(t *testing.T) {
	t.Parallel()
	causes := declaredCauses(t)
	if len(causes) < 20 {
		t.Fatalf("read %d causes: %v", len(causes), causes)
	}
	reported := map[string]bool{}
	for at, files := range packages(t, "services") {
		for _, name := range files {
			if !reports(at + name) {
				continue
			}
			ast.Inspect(parsed(t, token.NewFileSet(), at+name), func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(s.Sel.Name, "Cause") {
					reported[s.Sel.Name] = true
				}
				return true
			})
		}
	}
	for _, c := range causes {
		if !reported[c] {
			t.Errorf("events.%s has a policy, and no service ever reports it", c)
		}
	}
}

// reports says whether a file is one that finds causes, rather than one that
// says what to do about them or shows them.
func reports(file string) bool {
	return !strings.Contains(file, "retry-scheduler/retry/policy") && !strings.HasPrefix(file, "services/rollcall/") &&
		!strings.HasPrefix(file, "services/internal/doctor/")
}

// declaredCauses are the constants of type Cause; each has to be in Causes(), and
// what is in Causes() has to be one.
func declaredCauses(t *testing.T) []string {
	t.Helper()
	file := parsed(t, token.NewFileSet(), "pkg/events/failure.go")
	var declared, listed []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			if id, ok := n.Type.(*ast.Ident); ok && id.Name == "Cause" {
				declared = append(declared, n.Names[0].Name)
			}
		case *ast.FuncDecl:
			if n.Name.Name == "Causes" {
				ast.Inspect(n.Body, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok && strings.HasPrefix(id.Name, "Cause") && id.Name != "Cause" {
						listed = append(listed, id.Name)
					}
					return true
				})
			}
		}
		return true
	})
	for _, c := range declared {
		if !slices.Contains(listed, c) {
			t.Errorf("events.%s is not in Causes()", c)
		}
	}
	for _, c := range listed {
		if !slices.Contains(declared, c) {
			t.Errorf("events.%s is in Causes(), and its constant is not of type Cause", c)
		}
	}
	return declared
}

func parsed(t *testing.T, fset *token.FileSet, file string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(fset, inTree(file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
