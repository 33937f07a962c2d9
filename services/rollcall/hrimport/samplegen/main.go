// Command samplegen writes the demo's HR export: about two hundred made-up
// people, the same at every run, with the dirt that real exports have.
package main

//go:generate go run . -o ../../demo/workers.csv

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	out := flag.String("o", "", "file to write; standard output if empty")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "samplegen:", err)
		os.Exit(1)
	}
}

func run(path string) error {
	data, err := export()
	if err != nil {
		return err
	}
	if path == "" {
		_, err := os.Stdout.Write(data)
		return err
	}
	return os.WriteFile(path, data, 0o644) //nolint:gosec // a sample anybody may read
}
