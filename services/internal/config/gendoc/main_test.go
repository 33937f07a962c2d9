package main

import (
	"bytes"
	"os"
	"testing"
)

// A page that lags behind the struct sends people to keys that are refused.
func TestThePageIsUpToDate(t *testing.T) {
	t.Parallel()
	structs, err := parse("../config.go")
	if err != nil {
		t.Fatal(err)
	}
	want, err := render(structs)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.TrimSpace(got), bytes.TrimSpace(want)) {
		t.Error("docs/configuration.md is not what config.go says: run go generate ./services/internal/config")
	}
}
