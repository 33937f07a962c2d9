// Gendoc writes docs/configuration.md from the comments of the configuration's
// struct, so that the page cannot say what the program does not read.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	in := flag.String("in", "config.go", "Go `file` with the struct")
	out := flag.String("out", "", "Markdown `file` to write")
	flag.Parse()
	if err := run(*in, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gendoc:", err)
		os.Exit(1)
	}
}

func run(in, out string) error {
	structs, err := parse(in)
	if err != nil {
		return err
	}
	page, err := render(structs)
	if err != nil {
		return err
	}
	if err := os.WriteFile(out, page, 0o644); err != nil { //nolint:gosec // a page of documentation
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}
