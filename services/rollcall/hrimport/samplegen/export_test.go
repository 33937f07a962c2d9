package main

import (
	"bytes"
	"os"
	"testing"
)

func TestTheCheckedInSampleIsCurrent(t *testing.T) {
	t.Parallel()
	want, err := export()
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../../demo/workers.csv")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Error("workers.csv is not what samplegen writes: run go generate ./hrimport/samplegen")
	}
}
