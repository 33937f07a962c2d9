package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gendoc:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("gendoc", flag.ContinueOnError)
	in := flags.String("in", "subjects.go", "the file whose comments are read")
	out := flags.String("out", "", "the file to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	names, err := readNames(*in)
	if err != nil {
		return err
	}
	page, err := render(names)
	if err != nil {
		return err
	}
	return os.WriteFile(*out, page, 0o644) //nolint:gosec // documentation is for everybody to read
}
