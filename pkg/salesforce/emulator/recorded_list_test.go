package emulator_test

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryRecordIsTested reads the list of what was recorded: each line must
// name a test that is there, and each recorded answer that is tested must be in
// the list.
func TestEveryRecordIsTested(t *testing.T) {
	t.Parallel()
	known := testFunctions(t)
	listed := map[string]bool{}
	for _, f := range facts() {
		if _, twice := known[f.name()]; twice {
			t.Errorf("two facts are called %q", f.name())
		}
		known[f.name()] = true
	}
	file, err := os.Open(filepath.Join("testdata", "recorded.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // it was only read
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		record, tests, _ := strings.Cut(line, " | ")
		if strings.TrimSpace(tests) == "" {
			t.Errorf("%s: no test", record)
		}
		for name := range strings.SplitSeq(tests, " ; ") {
			if !known[name] {
				t.Errorf("%s: there is no test %q", record, name)
			}
			listed[name] = true
		}
	}
	for _, f := range facts() {
		if !listed[f.name()] {
			t.Errorf("testdata/recorded.txt does not list %q", f.name())
		}
	}
}

// testFunctions are the names of the tests of this package.
func testFunctions(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("files %v: %v", files, err)
	}
	names := map[string]bool{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(text, -1) {
			names[string(match[1])] = true
		}
	}
	return names
}
