package main

import (
	"os"
	"strings"
	"testing"
)

func TestPageIsUpToDate(t *testing.T) {
	t.Parallel()
	names, err := readNames("../../subjects.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := render(names)
	if err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile("../../../../docs/contract.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != string(page) {
		t.Error("docs/contract.md is out of date: make generate")
	}
}

func TestRenderRefusesANameWithoutAReader(t *testing.T) {
	t.Parallel()
	for _, n := range []name{
		{ident: "StreamNew", value: "NEW", writer: "somebody"},
		{ident: "PersonSubject", isFunc: true, writer: "somebody"},
		{ident: "NewSubject", isFunc: true, writer: "somebody", reader: "somebody"},
	} {
		if _, err := render([]name{n}); err == nil || !strings.Contains(err.Error(), n.ident) {
			t.Errorf("%s: got %v", n.ident, err)
		}
	}
}
