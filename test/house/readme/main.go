// Command readme writes the example of a package into its README, as a program
// that one can copy: the package's Example is compiled and run by go test, so
// the README cannot say something else.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/doc"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
)

// What stands between them is written anew.
const (
	begin = "<!-- Generated from the package's Example by `make generate`. -->\n"
	end   = "<!-- End of what is generated. -->\n"
)

func main() {
	for _, dir := range os.Args[1:] {
		if err := write(dir); err != nil {
			fmt.Fprintf(os.Stderr, "readme: %s: %v\n", dir, err)
			os.Exit(1)
		}
	}
}

// write renews the README of one package.
func write(dir string) error {
	example, err := program(dir)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "README.md")
	page, err := os.ReadFile(path) //nolint:gosec // the folder is named by whoever runs this
	if err != nil {
		return err
	}
	before, rest, begins := bytes.Cut(page, []byte(begin))
	_, after, ends := bytes.Cut(rest, []byte(end))
	if !begins || !ends {
		return fmt.Errorf("%s has no place for the example: %s%s", path, begin, end)
	}
	return os.WriteFile(path, bytes.Join([][]byte{before, []byte(begin), example, []byte(end), after}, nil), 0o644) //nolint:gosec // documentation is for everybody to read
}

// program is the package's Example and what it prints, as Markdown.
func program(dir string) ([]byte, error) {
	files := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	var tests []*ast.File
	for _, path := range paths {
		file, err := parser.ParseFile(files, path, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		tests = append(tests, file)
	}
	for _, example := range doc.Examples(tests...) {
		if example.Name != "" {
			continue
		}
		if example.Play == nil {
			return nil, errors.New("the package's Example is no whole program: what it needs has to stand in its own file")
		}
		var code bytes.Buffer
		if err := format.Node(&code, files, example.Play); err != nil {
			return nil, err
		}
		return fmt.Appendf(nil, "\n```go\n%s```\n\nIt prints:\n\n```\n%s```\n\n", code.Bytes(), example.Output), nil
	}
	return nil, errors.New("there is no Example of the package")
}
