package events

import (
	"strings"
	"testing"
)

// TestTheTableOfAssignmentKindsIsWhole: a row that lacks something would make a
// kind that is read from configuration and never given.
func TestTheTableOfAssignmentKindsIsWhole(t *testing.T) {
	t.Parallel()
	ids, keys, fields := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, k := range AssignmentKinds() {
		for what, v := range map[string]string{"ID": k.ID, "Key": k.Key, "One": k.One, "Many": k.Many, "Names": k.Names, "Object": k.Object, "User": k.User} {
			if v == "" {
				t.Errorf("kind %q has no %s", k.ID, what)
			}
		}
		if strings.Contains(k.ID, "/") || ids[k.ID] || keys[k.Key] {
			t.Errorf("kind %q, key %q: not a name of its own", k.ID, k.Key)
		}
		ids[k.ID], keys[k.Key] = true, true
		if len(k.Targets) == 0 {
			t.Errorf("kind %q stands for nothing", k.ID)
		}
		for _, target := range k.Targets {
			if target.Object == "" || target.Name == "" || target.Field == "" || fields[target.Field] {
				t.Errorf("kind %q: target %+v lacks something, or its field is another's", k.ID, target)
			}
			fields[target.Field] = true
		}
		if s := k.Seats; s != nil && (len(k.Targets) != 1 || s.Label == "" || s.Total == "" || s.Used == "") {
			t.Errorf("kind %q: seats %+v of %d targets", k.ID, s, len(k.Targets))
		}
		if got, ok := AssignmentKindOf(k.ID); !ok || got.Key != k.Key {
			t.Errorf("kind %q is not found by its ID", k.ID)
		}
	}
	if _, ok := AssignmentKindOf("badge"); ok {
		t.Error("an unknown ID is a kind")
	}
}
