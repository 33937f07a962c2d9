package house

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// configuration is where the struct of the configuration file stands.
const configuration = "services/internal/config"

// A key that is read from the file, documented, and used by no service is one
// that people set in vain. That it is checked or made a path of is no use.
func TestEverySettingIsUsed(t *testing.T) {
	t.Parallel()
	built := builtPackages(t)
	used := map[int]bool{}
	for _, p := range built {
		if p.ImportPath == house+configuration || slices.Contains(p.Imports, house+configuration) {
			usedSettings(t, built, p, used)
		}
	}
	keys := configurationKeys(t)
	if len(keys) < 60 {
		t.Errorf("%d keys, the test does not see all", len(keys))
	}
	for line, key := range keys {
		if !used[line] {
			t.Errorf("%s/config.go:%d: no service uses %s", configuration, line, key)
		}
	}
}

// builtPackage is a package of the services or of what they need, with the file
// in which the compiler left what it exports.
type builtPackage struct {
	ImportPath, Dir, Export string
	GoFiles, Imports        []string
}

func builtPackages(t *testing.T) map[string]builtPackage {
	t.Helper()
	out := run(t, inTree("."), append(os.Environ(), "GOWORK="), "go", "list", "-export", "-deps",
		"-json=ImportPath,Dir,Export,GoFiles,Imports", "./services/...", "./services/rollcall/...")
	built := map[string]builtPackage{}
	for each := json.NewDecoder(strings.NewReader(out)); ; {
		var p builtPackage
		if err := each.Decode(&p); errors.Is(err, io.EOF) {
			return built
		} else if err != nil {
			t.Fatal(err)
		}
		built[p.ImportPath] = p
	}
}

// usedSettings notes the lines of config.go whose fields a package uses.
func usedSettings(t *testing.T, built map[string]builtPackage, p builtPackage, used map[int]bool) {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	info := types.Info{Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(built[path].Export)
	})}
	if _, err := conf.Check(p.ImportPath, fset, files, &info); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if f, ok := n.(*ast.FuncDecl); ok && checks(p, f.Name.Name) {
				return false
			}
			id, ok := n.(*ast.Ident)
			if field, isVar := info.Uses[id].(*types.Var); ok && isVar && field.IsField() {
				if at := fset.Position(field.Pos()); strings.HasSuffix(at.Filename, configuration+"/config.go") {
					used[at.Line] = true
				}
			}
			return true
		})
	}
}

// checks says whether a function of the configuration only looks at values.
func checks(p builtPackage, name string) bool {
	return p.ImportPath == house+configuration &&
		(strings.HasPrefix(strings.ToLower(name), "validate") || name == "resolve" || name == "paths")
}

// configurationKeys are the keys of all structs of the file, by their lines.
func configurationKeys(t *testing.T) map[int]string {
	t.Helper()
	keys, fset := map[int]string{}, token.NewFileSet()
	ast.Inspect(parsed(t, fset, configuration+"/config.go"), func(n ast.Node) bool {
		f, ok := n.(*ast.Field)
		if !ok || f.Tag == nil {
			return true
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		if key := reflect.StructTag(tag).Get("koanf"); err == nil && key != "" {
			keys[fset.Position(f.Pos()).Line] = key
		}
		return true
	})
	return keys
}
