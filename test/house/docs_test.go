package house

import (
	"go/doc/comment"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every package says what it is, and where it lists its files ("where is
// what"), it lists them all and no other.
func TestPackagesSayWhatIsWhere(t *testing.T) {
	t.Parallel()
	for at, files := range packages(t, "pkg", "services") {
		dir, text := strings.TrimSuffix(at, "/"), packageComment(t, at, files)
		if text == "" {
			t.Errorf("%s has no package comment", dir)
		}
		told := filesTold(text)
		if len(told) == 0 {
			continue
		}
		there := slices.DeleteFunc(slices.Clone(files), func(name string) bool { return name == "doc.go" })
		for _, name := range there {
			if !slices.Contains(told, name) {
				t.Errorf("%s: the package comment does not say what %s is for", dir, name)
			}
		}
		for i, name := range told {
			if !slices.Contains(there, name) {
				t.Errorf("%s: the package comment tells of %s, which is not there", dir, name)
			}
			if slices.Contains(told[:i], name) {
				t.Errorf("%s: the package comment tells of %s twice", dir, name)
			}
		}
	}
}

// packages are the folders with Go files below others, and the names of the
// files that are no tests.
func packages(t *testing.T, below ...string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, root := range below {
		for _, file := range listed(t, root) {
			dir, name := path.Split(path.Join(root, file))
			if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && !strings.Contains(dir, "/testdata/") {
				found[dir] = append(found[dir], name)
			}
		}
	}
	return found
}

func packageComment(t *testing.T, dir string, files []string) string {
	t.Helper()
	var text strings.Builder
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), inTree(dir+name), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if file.Doc != nil {
			text.WriteString(file.Doc.Text() + "\n")
		}
	}
	return text.String()
}

// told begins an item of a list that says what files are for: "a.go, b.go: …".
var (
	told     = regexp.MustCompile(`^([a-z0-9_]+\.go,?\s*)+:`)
	fileName = regexp.MustCompile(`[a-z0-9_]+\.go`)
)

// filesTold are the files of a package comment's lists, in their order.
func filesTold(text string) []string {
	var names []string
	for _, block := range new(comment.Parser).Parse(text).Content {
		list, is := block.(*comment.List)
		if !is {
			continue
		}
		for _, item := range list.Items {
			names = append(names, fileName.FindAllString(told.FindString(plain(item)), -1)...)
		}
	}
	return names
}

func plain(item *comment.ListItem) string {
	var text strings.Builder
	for _, block := range item.Content {
		if paragraph, is := block.(*comment.Paragraph); is {
			for _, part := range paragraph.Text {
				if words, is := part.(comment.Plain); is {
					text.WriteString(string(words))
				}
			}
		}
	}
	return text.String()
}

// folder begins a row of the README's table of folders.
var folder = regexp.MustCompile("(?m)^\\| \\[?`([a-z0-9/-]+)`[^|]*\\| ")

// The README's table of folders is complete: where it names one, it names those
// beside it.
func TestReadmeNamesEveryFolder(t *testing.T) {
	t.Parallel()
	_, table, found := strings.Cut(string(read(t, "README.md")), "\n## Where is what\n")
	if !found {
		t.Fatal("the README does not say where is what")
	}
	table, _, _ = strings.Cut(table, "\n## ")
	named := map[string]bool{}
	parents := map[string]bool{".": true}
	for _, row := range folder.FindAllStringSubmatch(table, -1) {
		named[row[1]] = true
		parents[path.Dir(row[1])] = true
		if info, err := os.Stat(inTree(row[1])); err != nil || !info.IsDir() {
			t.Errorf("the README names %s, which is no folder", row[1])
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(folders(t))) {
		if parents[path.Dir(dir)] && !named[dir] && !parents[dir] {
			t.Errorf("the README's table of folders does not name %s", dir)
		}
	}
}

// folders are those that git has, but what Go and git keep for themselves.
func folders(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, file := range listed(t, ".") {
		for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
			if name := path.Base(dir); name != "testdata" && !strings.HasPrefix(name, ".") {
				found[dir] = true
			}
		}
	}
	return found
}
