// Command failuresdoc writes docs/failures.md from the policy table.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/rollcall-sync/rollcall/services/retry-scheduler/retry"
)

func main() {
	out := flag.String("o", "", "file to write")
	flag.Parse()
	err := os.WriteFile(*out, []byte(retry.Markdown()), 0o644) //nolint:gosec // a page for everybody
	if err != nil {
		fmt.Fprintln(os.Stderr, "failuresdoc:", err)
		os.Exit(1)
	}
}
