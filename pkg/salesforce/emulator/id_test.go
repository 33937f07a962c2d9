package emulator

import "testing"

func TestIDs(t *testing.T) {
	t.Parallel()
	// A published pair of the short and the long form. [D]
	if got := longID("001A0000006Vm9r"); got != "001A0000006Vm9rIAC" {
		t.Fatalf("long id %s", got)
	}
	if isID("001A0000006Vm9rIA") || isID("001A0000006Vm9!") || !isID("001A0000006Vm9r") {
		t.Fatal("isID")
	}
}
