package house

import (
	"path"
	"strings"
	"testing"
)

// A page that its folder's list does not name is one that nobody finds.
func TestEveryPageIsListed(t *testing.T) {
	t.Parallel()
	list := map[string]string{}
	for _, file := range listed(t, "docs") {
		dir, name := path.Split(path.Join("docs", file))
		if path.Ext(name) != ".md" || name == "README.md" {
			continue
		}
		if list[dir] == "" {
			list[dir] = string(read(t, dir+"README.md"))
		}
		if !strings.Contains(list[dir], "]("+name+")") {
			t.Errorf("%sREADME.md does not list %s", dir, name)
		}
	}
}
