package emulator_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The page lists every object there is, and no other: whoever writes a test
// against the emulator looks there first.
func TestThePageListsEveryObject(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/emulator.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(page), "\nObjects: ")
	list, _, _ = strings.Cut(list, "\n\n")
	list = regexp.MustCompile(`\([^)]*\)|,? so that .*`).ReplaceAllString(strings.ReplaceAll(list, "\n", " "), "")
	told := regexp.MustCompile(`[A-Z]\w+`).FindAllString(list, -1)
	r := newRig(t, nil)
	var there []string
	for _, o := range r.do("GET", version+"/sobjects", "").object(t)["sobjects"].([]any) {
		there = append(there, o.(map[string]any)["name"].(string))
	}
	slices.Sort(told)
	slices.Sort(there)
	if !slices.Equal(told, there) {
		t.Errorf("docs/emulator.md lists\n%v\nand there are\n%v", told, there)
	}
}
