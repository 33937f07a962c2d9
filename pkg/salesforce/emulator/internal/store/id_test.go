package store

import "testing"

func TestIDs(t *testing.T) {
	t.Parallel()
	// A published pair of the short and the long form. [D]
	if got := LongID("001A0000006Vm9r"); got != "001A0000006Vm9rIAC" {
		t.Fatalf("long id %s", got)
	}
	if IsID("001A0000006Vm9rIA") || IsID("001A0000006Vm9!") || !IsID("001A0000006Vm9r") {
		t.Fatal("IsID")
	}
}
