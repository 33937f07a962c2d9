package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
)

// name is one exported name of subjects.go: what it is called, the text it
// stands for (a constant's value) and its comment taken apart.
type name struct {
	ident, value         string
	text, writer, reader string
	payload              string
	isFunc               bool
}

// readNames returns the exported constants and functions of a file, in order.
func readNames(path string) ([]name, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var names []name
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.IsExported() {
				names = append(names, newName(d.Name.Name, "", d.Doc, true))
			}
		case *ast.GenDecl:
			found, err := constants(d)
			if err != nil {
				return nil, err
			}
			names = append(names, found...)
		}
	}
	return names, nil
}

func constants(d *ast.GenDecl) ([]name, error) {
	var names []name
	for _, spec := range d.Specs {
		v, ok := spec.(*ast.ValueSpec)
		if !ok || d.Tok != token.CONST || len(v.Values) != 1 || !v.Names[0].IsExported() {
			continue
		}
		literal, ok := v.Values[0].(*ast.BasicLit)
		if !ok {
			continue
		}
		value, err := strconv.Unquote(literal.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.Names[0].Name, err)
		}
		names = append(names, newName(v.Names[0].Name, value, v.Doc, false))
	}
	return names, nil
}

// newName takes a comment apart: "... Writer: a, b. Reader: c. ..."
func newName(ident, value string, doc *ast.CommentGroup, isFunc bool) name {
	text := strings.Join(strings.Fields(doc.Text()), " ")
	n := name{ident: ident, value: value, isFunc: isFunc}
	n.writer, text = clause(text, "Writer")
	n.reader, text = clause(text, "Reader")
	text = strings.TrimPrefix(text, ident+" ")
	if m := regexp.MustCompile(`\[(\w+)\]`).FindStringSubmatch(text); m != nil {
		n.payload = m[1]
	}
	n.text = regexp.MustCompile(`\[(\w+)\]`).ReplaceAllString(text, "`$1`")
	return n
}

// clause cuts "Writer: ... ." or "Writers: ... ." out of a comment.
func clause(text, word string) (found, rest string) {
	loc := regexp.MustCompile(word + `s?: ([^.]*)\. ?`).FindStringSubmatchIndex(text)
	if loc == nil {
		return "", text
	}
	return text[loc[2]:loc[3]], strings.TrimSpace(text[:loc[0]] + text[loc[1]:])
}
