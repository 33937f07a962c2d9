package house

import (
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The page for contributors sends nobody to a file, a test or a command that is
// not there.
func TestContributingNamesWhatIsThere(t *testing.T) {
	t.Parallel()
	page := contributing{targets: makeTargets(t), tests: map[string]bool{}, words: map[string]bool{}}
	page.readGo(t)
	names := map[string]int{}
	for section := range strings.SplitSeq(fence.ReplaceAllString(string(read(t, "CONTRIBUTING.md")), ""), "\n## ") {
		title, _, _ := strings.Cut(section, "\n")
		page.below = ""
		for _, at := range code.FindAllStringSubmatchIndex(section, -1) {
			name := section[at[2]:at[3]]
			kind := page.kind(name)
			names[kind]++
			if kind == "" {
				t.Errorf("CONTRIBUTING.md, %s: there is no %s", title, name)
			}
			if kind == "file" && strings.HasSuffix(section[:at[0]], "below ") {
				page.below = name
			}
		}
	}
	for _, kind := range []string{"file", "test", "target", "folder", "word"} {
		if names[kind] < 5 {
			t.Errorf("%d of kind %s, the test does not see all", names[kind], kind)
		}
	}
}

// fence is a block of code: its commands are tried by whoever sets up.
var fence = regexp.MustCompile("(?s)\n```.*?\n```\n")

// contributing is what the page may name.
type contributing struct {
	targets, tests, words map[string]bool
	// below is the folder that the section's paths are in, beside that of the
	// last one named.
	below, beside string
}

var (
	variable = regexp.MustCompile(` [A-Z]+=\S+`) // of make, as in VERSION=v1.0.0
	testName = regexp.MustCompile(`^Test[A-Z]\w+$`)
	goTest   = regexp.MustCompile(`^cd (\S+) && go test .*?(\.\S*)?$`)
	pathName = regexp.MustCompile(`^[\w.-]*/[\w./-]+$|^[\w-]+\.(go|mk|md|yaml|yml|json|txt|work)$`)
)

// kind says what a name of the page is, nothing where there is no such thing.
func (c *contributing) kind(name string) string {
	targets, isMake := strings.CutPrefix(name, "make ")
	command := goTest.FindStringSubmatch(name)
	switch {
	case isMake && all(strings.Fields(variable.ReplaceAllString(targets, "")), c.targets):
		return "target"
	case command != nil && exists(path.Join(command[1], strings.TrimSuffix(command[2], "..."))):
		return "folder"
	case testName.MatchString(name) && c.tests[name]:
		return "test"
	case pathName.MatchString(name) && c.found(name):
		return "file"
	case !pathName.MatchString(name) && !isMake && !testName.MatchString(name) && all(regexp.MustCompile(`\w+`).FindAllString(name, -1), c.words):
		return "word"
	}
	return ""
}

func (c *contributing) found(name string) bool {
	for _, folder := range []string{".", c.below, c.beside} {
		if at := path.Join(folder, name); folder != "" && exists(at) {
			if c.beside = at; path.Ext(at) != "" {
				c.beside = path.Dir(at)
			}
			return true
		}
	}
	return false
}

func all(names []string, in map[string]bool) bool {
	return !slices.ContainsFunc(names, func(n string) bool { return !in[n] })
}

func exists(at string) bool {
	_, err := os.Stat(inTree(at))
	return err == nil
}

// readGo notes every test there is, and every word of the code.
func (c *contributing) readGo(t *testing.T) {
	t.Helper()
	word, test := regexp.MustCompile(`\w+`), regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, file := range listed(t, ".") {
		if path.Ext(file) != ".go" {
			continue
		}
		text := string(read(t, file))
		for _, w := range word.FindAllString(text, -1) {
			c.words[w] = true
		}
		if strings.HasSuffix(file, "_test.go") {
			for _, m := range test.FindAllStringSubmatch(text, -1) {
				c.tests[m[1]] = true
			}
		}
	}
}

// makeTargets are those of the Makefile and what it includes.
func makeTargets(t *testing.T) map[string]bool {
	t.Helper()
	targets := map[string]bool{}
	for _, file := range listed(t, ".") {
		if file == "Makefile" || path.Ext(file) == ".mk" {
			for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(string(read(t, file)), -1) {
				targets[m[1]] = true
			}
		}
	}
	if len(targets) < 20 {
		t.Fatalf("make has %v", slices.Sorted(maps.Keys(targets)))
	}
	return targets
}
