// Command doctordoc writes docs/doctor.md from the table of checks.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/rollcall-sync/rollcall/services/internal/doctor"
)

func main() {
	out := flag.String("o", "", "file to write")
	flag.Parse()
	err := os.WriteFile(*out, []byte(doctor.Markdown()), 0o644) //nolint:gosec // a page for everybody
	if err != nil {
		fmt.Fprintln(os.Stderr, "doctordoc:", err)
		os.Exit(1)
	}
}
