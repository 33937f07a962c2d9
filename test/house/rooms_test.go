package house

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// What services/internal holds is shared: at least two of the services, the
// binary among them, need it, be it in their tests. What one alone needs lives
// with that one.
func TestWhatIsSharedIsShared(t *testing.T) {
	t.Parallel()
	packages := servicePackages(t)
	users := map[string]map[string]bool{} // package of services/internal to the rooms that need it
	for _, p := range packages {
		if room := p.room(); room != "internal" {
			for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
				mark(packages, users, imported, room)
			}
		}
	}
	for path, p := range packages {
		if p.room() != "internal" || p.Name == "main" {
			continue
		}
		if by := slices.Sorted(maps.Keys(users[path])); len(by) < 2 {
			t.Errorf("%s is needed by %v alone: it belongs there", strings.TrimPrefix(path, house), by)
		}
	}
}

// mark notes that a room needs a package of services/internal, and what that needs.
func mark(packages map[string]servicePackage, users map[string]map[string]bool, path, room string) {
	p, known := packages[path]
	if !known || p.room() != "internal" || users[path][room] {
		return
	}
	if users[path] == nil {
		users[path] = map[string]bool{}
	}
	users[path][room] = true
	for _, imported := range p.Imports {
		mark(packages, users, imported, room)
	}
}

// servicePackage is a package of a module in services, as go list has it.
type servicePackage struct {
	ImportPath, Name                   string
	Imports, TestImports, XTestImports []string
}

// room is the folder in services that the package is in.
func (p servicePackage) room() string {
	room, _, _ := strings.Cut(strings.TrimPrefix(p.ImportPath, house+"services/"), "/")
	return room
}

func servicePackages(t *testing.T) map[string]servicePackage {
	t.Helper()
	out := run(t, inTree("."), append(os.Environ(), "GOWORK="),
		"go", "list", "-json=ImportPath,Name,Imports,TestImports,XTestImports", "./services/...", "./services/rollcall/...")
	packages := map[string]servicePackage{}
	for each := json.NewDecoder(strings.NewReader(out)); ; {
		var p servicePackage
		if err := each.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages[p.ImportPath] = p
	}
}
