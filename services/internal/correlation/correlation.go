package correlation

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// customPrefix starts the path of an attribute beyond SCIM.
const customPrefix = "custom."

// IDs reads the correlation ids of one source. It is safe for concurrent use.
type IDs struct {
	source, path string
	read         func(*events.Person) string
	form         config.CorrelationID
	pattern      *regexp.Regexp // nil where none is declared
	scientific   *regexp.Regexp
}

// scientific is how spreadsheets, and programs that take a number for one, write
// what is too long for them: 4.56E+11, 4,56E+11, 1e+05, 4.56123E11. An id such as
// 1E5 may be meant.
const scientific = `(?i)^\s*[+-]?[0-9]+(?:[.,][0-9]+e[+-]?|e[+-])[0-9]+\s*$`

// New returns the reader of a configured source. The error joins every fault,
// each with its key.
func New(source string, cfg config.Source) (*IDs, error) {
	c := &IDs{source: source, path: cfg.Correlate, form: cfg.CorrelationID, scientific: regexp.MustCompile(scientific)}
	var errRead, errPattern error
	if c.read, errRead = attribute(cfg.Correlate); errRead != nil {
		errRead = fmt.Errorf("sources.%s.correlate: %w", source, errRead)
	}
	if c.pattern, errPattern = cfg.CorrelationID.Regexp(); errPattern != nil {
		errPattern = fmt.Errorf("sources.%s.correlationID.pattern: %w", source, errPattern)
	}
	return c, errors.Join(errRead, errPattern)
}

// attribute returns the reader of a configured correlation attribute.
func attribute(path string) (func(*events.Person) string, error) {
	if name, ok := strings.CutPrefix(path, customPrefix); ok && name != "" {
		return func(p *events.Person) string { return p.Custom[name] }, nil
	}
	switch path {
	case "enterprise.employeeNumber":
		return func(p *events.Person) string {
			if p.Enterprise == nil {
				return ""
			}
			return p.Enterprise.EmployeeNumber
		}, nil
	case "externalId":
		return func(p *events.Person) string { return p.ExternalID }, nil
	case "userName":
		return func(p *events.Person) string { return p.UserName }, nil
	case "emails.primary":
		return primaryEmail, nil
	}
	return nil, fmt.Errorf("%q is not one of enterprise.employeeNumber, externalId, userName, emails.primary, custom.<name>", path)
}

// Person is somebody of whom nothing is said but their id: what a removal has to
// say.
func (c *IDs) Person(id string) *events.Person {
	if name, ok := strings.CutPrefix(c.path, customPrefix); ok {
		return &events.Person{Custom: map[string]string{name: id}}
	}
	switch c.path {
	case "externalId":
		return &events.Person{ExternalID: id}
	case "userName":
		return &events.Person{UserName: id}
	case "emails.primary":
		return &events.Person{Emails: []events.Valued{{Value: id, Primary: true}}}
	}
	return &events.Person{Enterprise: &events.Enterprise{EmployeeNumber: id}}
}

// primaryEmail is the address marked primary, or the only one.
func primaryEmail(p *events.Person) string {
	for _, e := range p.Emails {
		if e.Primary {
			return e.Value
		}
	}
	if len(p.Emails) == 1 {
		return p.Emails[0].Value
	}
	return ""
}

// Of returns the id of the person whom an event is about, in the one form under
// which people are kept; a group's has none, and its members are brought into
// that form. A fault is an *[events.EventError].
func (c *IDs) Of(e *events.Event) (string, error) {
	if e.Group != nil {
		return "", c.members(e.Group)
	}
	written := c.read(e.Person)
	if strings.TrimSpace(written) == "" {
		return "", &events.EventError{Where: "/data", Reason: "lacks the attribute that names the person (sources." + c.source + ".correlate: " + c.path + ")"}
	}
	id, err := c.Canonical(written)
	if err != nil {
		return "", &events.EventError{Where: "/data", Reason: fmt.Sprintf("has a correlation id (%s) that %s", c.path, err)}
	}
	return id, nil
}

// IsPerson tells a member from a nested group, whose members are its own.
func IsPerson(m events.Member) bool { return m.Type != "Group" }

// members brings the values of a group's people into the one form.
func (c *IDs) members(g *events.Group) error {
	for i, m := range g.Members {
		if !IsPerson(m) {
			continue
		}
		where := fmt.Sprintf("/data/members/%d/value", i)
		if m.Value == "" {
			return &events.EventError{Where: where, Reason: "is missing"}
		}
		id, err := c.Canonical(m.Value)
		if err != nil {
			return &events.EventError{Where: where, Reason: err.Error()}
		}
		g.Members[i].Value = id
	}
	return nil
}

// Canonical is an id as people are kept under it, whatever way it is written in. An
// error says what is wrong with it, and quotes no value. Where a source declares
// nothing an id stays as it is, and only scientific notation is refused.
func (c *IDs) Canonical(written string) (string, error) {
	id := written
	if c.form.Trim {
		id = strings.TrimSpace(id)
	}
	switch c.form.Case {
	case config.CaseUpper:
		id = strings.ToUpper(id)
	case config.CaseLower:
		id = strings.ToLower(id)
	}
	if missing := c.form.PadZeros - len(id); missing > 0 && id != "" && strings.Trim(id, "0123456789") == "" {
		id = strings.Repeat("0", missing) + id
	}
	if c.pattern != nil && c.pattern.MatchString(id) {
		return id, nil
	}
	key := "sources." + c.source + ".correlationID.pattern"
	switch {
	case c.scientific.MatchString(written):
		return "", fmt.Errorf("is in scientific notation, as a spreadsheet writes a long number, and its digits are lost: "+
			"format the column as text and export it again; where ids do look like this, say so in %s", key)
	case c.pattern != nil:
		return "", fmt.Errorf("does not look like one, which is %s (%s): correct it where it comes from, or the pattern, "+
			"or declare the other ways of writing it (trim, case, padZeros)", c.form.Pattern, key)
	}
	return id, nil
}
