package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// house is where all modules of the tree are: a module's path is this and its folder.
const house = "github.com/rollcall-sync/rollcall/"

// inTree is where a path of the tree is.
func inTree(path string) string {
	return filepath.Join("..", "..", filepath.FromSlash(path))
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(inTree(path))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// listed are the files of a folder that git has, new ones too, deleted ones
// not, by their paths in it.
func listed(t *testing.T, dir string) []string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-co", "--exclude-standard", "-z")
	list.Dir = inTree(dir)
	out, err := list.Output()
	if err != nil {
		t.Fatalf("list the files of %s: %v", dir, err)
	}
	var there []string
	for path := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if _, err := os.Lstat(inTree(dir + "/" + path)); err == nil {
			there = append(there, path)
		}
	}
	return there
}

// workspace is what go.work says: the folders of all modules, and the version
// they ask each other for.
type workspace struct {
	modules []string
	version string
	stands  []*modfile.Replace // the folders that stand for the version
}

// public are the folders of the modules that people install or import.
func (w workspace) public() []string {
	return slices.DeleteFunc(slices.Clone(w.modules), func(dir string) bool { return strings.HasPrefix(dir, "test/") })
}

func readWorkspace(t *testing.T) workspace {
	t.Helper()
	file, err := modfile.ParseWork("go.work", read(t, "go.work"), nil)
	if err != nil {
		t.Fatal(err)
	}
	w := workspace{stands: file.Replace}
	for _, use := range file.Use {
		w.modules = append(w.modules, strings.TrimPrefix(use.Path, "./"))
	}
	if len(w.stands) == 0 {
		t.Fatal("go.work names no version that the modules ask each other for")
	}
	w.version = w.stands[0].Old.Version
	return w
}

func readModule(t *testing.T, dir string) *modfile.File {
	t.Helper()
	file, err := modfile.Parse(dir+"/go.mod", read(t, dir+"/go.mod"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
