package doctor

import (
	"fmt"
	"strings"
)

// Markdown is docs/doctor.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString("<!-- Generated from services/internal/doctor/checks.go by `make generate`; do not edit. -->\n")
	b.WriteString("# What the doctor looks at\n\n")
	b.WriteString("`rollcall doctor` does these checks; how to use it is in [runbooks/doctor.md](runbooks/doctor.md).\n\n")
	b.WriteString("| check | what is looked at | warns when | fails when |\n|---|---|---|---|\n")
	for _, c := range Checks() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Name, c.Looks, dash(c.Warns), dash(c.Fails))
	}
	return b.String()
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
