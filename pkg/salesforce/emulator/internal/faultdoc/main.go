// Command faultdoc writes docs/emulator-faults.md from the presets.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

func main() {
	out := flag.String("o", "", "file to write")
	flag.Parse()
	if err := os.WriteFile(*out, []byte(page()), 0o644); err != nil { //nolint:gosec // a page for everybody
		fmt.Fprintln(os.Stderr, "faultdoc:", err)
		os.Exit(1)
	}
}

const head = "<!-- Generated from pkg/salesforce/emulator/internal/faults/preset.go by `make generate`; do not edit. -->\n" + `
# Refusals that one word plans

Each of these is an ` + "`effect`" + ` of a fault, beside those in [emulator.md](emulator.md#faults). The mark says how the text is
known: **R** recorded from a real org, **D** documented, **C** from working code, **S** second-hand, **U** assumed.
` + "`errorCode`, `message`, `fields` and `status`" + ` of the fault go before what is listed here.

` + "```json\n" + `{"effect": "license_limit_exceeded", "object": "User", "field": "Username", "value": "ada@people.example", "times": 1}
` + "```\n"

func page() string {
	var b strings.Builder
	b.WriteString(head)
	titles := map[emulator.Scope]string{
		emulator.ScopeCall:   "## Whole calls\nThe call is refused and nothing is applied. Without an `operation` they strike any data call.",
		emulator.ScopeRecord: "## Single records\nThe record is refused, alone, in a collection, in a composite or in a Bulk job; the others are applied.",
		emulator.ScopeToken:  "## Signing in\nThe token endpoint answers 400 with `error` and `error_description`.",
	}
	var scope emulator.Scope
	for _, p := range emulator.Presets() {
		if p.Scope != scope {
			scope = p.Scope
			fmt.Fprintf(&b, "\n%s\n\n| effect | answers | text | known |\n|---|---|---|---|\n", titles[scope])
		}
		fmt.Fprintf(&b, "| `%s` | %d `%s` | %s | %s: %s |\n", p.Name, p.Status, p.Code, strings.ReplaceAll(p.Message, "|", "\\|"), p.Mark, p.Source)
	}
	return b.String()
}
