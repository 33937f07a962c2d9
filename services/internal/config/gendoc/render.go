package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

const head = `# Configuration

<!-- Generated from services/internal/config/config.go by ` + "`make generate`" + `. Change the comments there. -->

All services read one YAML file, each its own part of it. A key that is not
listed here, a value of the wrong type and a bad value each stop the start, and
all of them are listed at once. File names are relative to the configuration
file's folder. The environment may override three keys: ` + "`ROLLCALL_NATS_URL`" + ` sets
` + "`nats.url`, `ROLLCALL_NATS_REPLICAS` sets `nats.replicas`" + ` and ` + "`ROLLCALL_SERVE_LISTEN`" + ` sets
` + "`serve.listen`" + `.

`

// render writes the page: one table per struct, in the order of the file.
func render(structs map[string][]field) ([]byte, error) {
	if len(structs["File"]) == 0 {
		return nil, errors.New("there is no struct File")
	}
	var b bytes.Buffer
	b.WriteString(head)
	section(&b, structs, "File", "")
	return append(bytes.TrimRight(b.Bytes(), "\n"), '\n'), nil
}

// section writes the table of one struct, then the sections of what it holds.
func section(b *bytes.Buffer, structs map[string][]field, name, path string) {
	title := "`" + path + "`"
	if path == "" {
		title = "The file"
	}
	fmt.Fprintf(b, "## %s\n\n| key | type | meaning |\n|---|---|---|\n", title)
	for _, f := range structs[name] {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.key, f.kind, strings.ReplaceAll(f.doc, "|", `\|`))
	}
	b.WriteString("\n")
	for _, f := range structs[name] {
		if f.inner != "" {
			section(b, structs, f.inner, below(path, f))
		}
	}
}

func below(path string, f field) string {
	if path != "" {
		path += "."
	}
	path += f.key
	if f.named {
		path += ".<name>"
	}
	if f.listed {
		path += "[]"
	}
	return path
}
