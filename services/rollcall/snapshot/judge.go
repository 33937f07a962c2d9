package snapshot

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Doubt is what may be wrong with a file as a whole.
type Doubt string

// The doubts. Each is a fault until somebody says that it is none.
const (
	// Cut: the file ends in the middle.
	Cut Doubt = "cut"
	// Shrunk: too many are gone, beside the last full file or those known.
	Shrunk Doubt = "shrunk"
	// Nameless: of some rows cannot be told whom they name, so that they may be
	// about those who seem to be absent.
	Nameless Doubt = "nameless"
	// Shifted: the columns do not stand under their names.
	Shifted Doubt = "shifted"
)

// Doubts returns every doubt.
func Doubts() []Doubt { return []Doubt{Cut, Shrunk, Nameless, Shifted} }

// Fault is a reason not to believe a file.
type Fault struct {
	Doubt   Doubt  `json:"doubt"`
	Message string `json:"message"`
}

const (
	// fewPeople and fewShare are how many may be gone at once, whichever is more:
	// what the ordinary week of a small and of a large company brings.
	fewPeople = 10
	fewShare  = 20 // one in
	// enough is how many rows it takes before most of them mean anything.
	enough = 10
)

func few(of int) int { return max(fewPeople, of/fewShare) }

// Judge says what speaks against a file, but for what was accepted.
func (c *Comparison) Judge(p *Plan, accepted []Doubt) {
	for _, f := range slices.Concat(c.cut(p), c.shrunk(p), c.namelessRows(), c.Unfit(), c.shifted()) {
		if slices.Contains(accepted, f.Doubt) {
			p.Accepted = append(p.Accepted, string(f.Doubt))
			continue
		}
		p.Faults = append(p.Faults, f)
	}
	slices.Sort(p.Accepted)
	p.Accepted = slices.Compact(p.Accepted)
}

func fault(d Doubt, format string, args ...any) []Fault {
	return []Fault{{Doubt: d, Message: fmt.Sprintf(format, args...)}}
}

func (c *Comparison) cut(p *Plan) []Fault {
	switch {
	case c.last.Broken && !p.EndsInNewline:
		return fault(Cut, "line %d, the last one, is not whole, and no line break follows it: the file was cut off. Export it again.", c.last.Line)
	case c.last.Broken:
		return fault(Cut, "line %d, the last one, is not whole: the file was cut off, or ends with a line that is no row. Export it again, or take that line out.", c.last.Line)
	case !p.EndsInNewline && p.Last != nil && p.Last.EndsInNewline:
		return fault(Cut, "no line break follows line %d, the last one, as one did in the last full file: the file may have been cut off in its last value. Export it again.", c.last.Line)
	}
	return nil
}

func (c *Comparison) shrunk(p *Plan) []Fault {
	const todo = "Is it the right file, and all of it?"
	met := c.changed + c.same
	switch last := p.Last; {
	case p.People == 0:
		return fault(Shrunk, "there is nobody in the file. %s", todo)
	case p.Active > 1 && met == 0 && p.Leaving > 0:
		return fault(Shrunk, "nobody whom source %s has is in the file: is it another source's?", p.Source)
	case last != nil && last.People-p.People > few(last.People):
		return fault(Shrunk, "there are %d people in the file, and were %d in the last full one, published %s by %s. %s",
			p.People, last.People, p.LastAt.Local().Format(time.DateTime), p.LastBy, todo)
	case p.Leaving > few(p.Active):
		return fault(Shrunk, "of %d people who are active, %d are not in the file (%d %%). %s", p.Active, p.Leaving, p.Leaving*100/p.Active, todo)
	}
	return nil
}

func (c *Comparison) namelessRows() []Fault {
	rows, first := c.nameless, c.firstNameless
	if c.apart && c.unusable > 0 {
		rows, first = rows+c.unusable, c.firstFault
	}
	if rows == 0 {
		return nil
	}
	return fault(Nameless, "of %d rows cannot be told whom they are about, the first in line %d (%s): they may be those who seem to be missing. Correct them.",
		rows, first.Line, strings.TrimPrefix(first.Column+": "+first.Reason, ": "))
}

// Unfit says whether most rows have no id that looks like one. It needs nobody
// to be known.
func (c *Comparison) Unfit() []Fault {
	if c.rows >= enough && 2*c.unfit > c.rows {
		return fault(Shifted, "%d of %d rows have no id that looks like one, the first in line %d (%s: %s): do the columns stand under their names?",
			c.unfit, c.rows, c.firstUnfit.Line, c.firstUnfit.Column, c.firstUnfit.Reason)
	}
	return nil
}

// shifted says whether most people would become others.
func (c *Comparison) shifted() []Fault {
	met := c.changed + c.same
	if met < enough {
		return nil
	}
	var most []string
	telling := false
	for path, n := range c.attributes {
		if 2*n > met {
			most = append(most, fmt.Sprintf("%s of %d", path, n))
			telling = telling || path == "active" || path == "userName"
		}
	}
	if len(most) < 2 && !telling {
		return nil
	}
	slices.Sort(most)
	return fault(Shifted, "most of the %d people who are known get another value: %s. Do the columns stand under their names, and is it this source's file?",
		met, strings.Join(most, ", "))
}
