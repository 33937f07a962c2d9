package assign

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryFileHasItsPlace: what the package comment says of where is what
// leaves no file out, and names none that is gone.
func TestEveryFileHasItsPlace(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(doc), "# Where is what")
	list, _, _ = strings.Cut(list, "# Committing")
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || file == "doc.go" {
			continue
		}
		named++
		if !strings.Contains(list, " "+file) {
			t.Errorf("%s is not in the list", file)
		}
	}
	if n := strings.Count(list, ".go"); n != named {
		t.Errorf("the list has %d files, the package %d", n, named)
	}
}
