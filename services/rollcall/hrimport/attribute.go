package hrimport

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/latin"
)

// attribute is a compiled entry of a mapping.
type attribute struct {
	path  string
	spec  attributeSpec
	parts []part
	set   func(*events.Person, string) error
}

// part is a piece of a value: fixed text, or a column.
type part struct {
	text   string
	column string
}

func newAttribute(path string, s attributeSpec) (attribute, error) {
	a := attribute{path: path, spec: s}
	set, errPath := newSetter(path)
	parts, errParts := s.parts()
	a.set, a.parts = set, parts
	return a, errors.Join(errPath, errParts)
}

func (s attributeSpec) parts() ([]part, error) {
	given := 0
	for _, v := range []string{s.Column, s.Template, s.Constant} {
		if v != "" {
			given++
		}
	}
	if given != 1 {
		return nil, errors.New("needs exactly one of column, template and constant")
	}
	switch {
	case s.Column != "":
		return []part{{column: s.Column}}, nil
	case s.Constant != "":
		return []part{{text: s.Constant}}, nil
	}
	return parseTemplate(s.Template)
}

func parseTemplate(t string) ([]part, error) {
	var parts []part
	for t != "" {
		text, rest, found := strings.Cut(t, "{")
		if strings.Contains(text, "}") {
			return nil, errors.New("template: a closing brace without an opening one")
		}
		if text != "" {
			parts = append(parts, part{text: text})
		}
		if !found {
			return parts, nil
		}
		column, after, closed := strings.Cut(rest, "}")
		if !closed || column == "" || strings.Contains(column, "{") {
			return nil, errors.New("template: a column is written {Column}")
		}
		parts = append(parts, part{column: column})
		t = after
	}
	return parts, nil
}

func (a attribute) columns() []string {
	var out []string
	for _, p := range a.parts {
		if p.column != "" {
			out = append(out, p.column)
		}
	}
	return out
}

// column is the one column a problem is shown at.
func (a attribute) column() string { return strings.Join(a.columns(), ", ") }

// value works the attribute out for one row; its error is for the row's owner.
func (a attribute) value(cell func(column string) string) (string, error) {
	var b strings.Builder
	for _, p := range a.parts {
		v := p.text
		if p.column != "" {
			if v = strings.TrimSpace(cell(p.column)); v == "" {
				b.Reset()
				break
			}
		}
		b.WriteString(v)
	}
	v, err := a.translate(b.String())
	if err != nil {
		return "", err
	}
	if a.spec.ASCII {
		v = latin.ASCII(v)
	}
	if a.spec.Lower {
		v = strings.ToLower(v)
	}
	if v = strings.TrimSpace(v); v == "" {
		v = a.spec.Default
	}
	if v == "" && a.spec.Required {
		return "", fmt.Errorf("is empty, but %s is required", a.path)
	}
	return v, nil
}

func (a attribute) translate(v string) (string, error) {
	if a.spec.Values == nil || v == "" {
		return v, nil
	}
	if out, ok := a.spec.Values[v]; ok {
		return out, nil
	}
	if a.spec.KeepOther {
		return v, nil
	}
	return "", fmt.Errorf("the value has no translation for %s (the mapping knows %s)", a.path,
		strings.Join(slices.Sorted(maps.Keys(a.spec.Values)), ", "))
}

// newSetter returns the writer of an attribute path: userName,
// name.familyName, enterprise.department, enterprise.manager, custom.<name>,
// emails.<type>, phoneNumbers.<type>, addresses.<type>.<part>; type primary is
// the primary one, of type work.
func newSetter(path string) (func(*events.Person, string) error, error) {
	head, rest, nested := strings.Cut(path, ".")
	switch {
	case path == "active":
		return setActive, nil
	case !nested:
		if at, ok := coreText(path); ok {
			return setText(at), nil
		}
	case head == "name":
		if at, ok := nameText(rest); ok {
			return setText(at), nil
		}
	case head == "enterprise":
		if at, ok := enterpriseText(rest); ok {
			return setText(at), nil
		}
	case head == "custom" && rest != "":
		return func(p *events.Person, v string) error {
			if p.Custom == nil {
				p.Custom = map[string]string{}
			}
			p.Custom[rest] = v
			return nil
		}, nil
	case head == "emails":
		return setValued(rest, func(p *events.Person) *[]events.Valued { return &p.Emails })
	case head == "phoneNumbers":
		return setValued(rest, func(p *events.Person) *[]events.Valued { return &p.PhoneNumbers })
	case head == "addresses":
		return setAddress(rest)
	}
	return nil, errors.New("is not an attribute of a person")
}

func setActive(p *events.Person, v string) error {
	switch strings.ToLower(v) {
	case "true":
		yes := true
		p.Active = &yes
	case "false":
		no := false
		p.Active = &no
	default:
		return errors.New("must be true or false, or be translated by values")
	}
	return nil
}

func setText(at func(*events.Person) *string) func(*events.Person, string) error {
	return func(p *events.Person, v string) error {
		*at(p) = v
		return nil
	}
}

func coreText(name string) (func(*events.Person) *string, bool) {
	at, ok := map[string]func(*events.Person) *string{
		"externalId":        func(p *events.Person) *string { return &p.ExternalID },
		"userName":          func(p *events.Person) *string { return &p.UserName },
		"displayName":       func(p *events.Person) *string { return &p.DisplayName },
		"nickName":          func(p *events.Person) *string { return &p.NickName },
		"profileUrl":        func(p *events.Person) *string { return &p.ProfileURL },
		"title":             func(p *events.Person) *string { return &p.Title },
		"userType":          func(p *events.Person) *string { return &p.UserType },
		"preferredLanguage": func(p *events.Person) *string { return &p.PreferredLanguage },
		"locale":            func(p *events.Person) *string { return &p.Locale },
		"timezone":          func(p *events.Person) *string { return &p.Timezone },
	}[name]
	return at, ok
}

func nameText(name string) (func(*events.Person) *string, bool) {
	at, ok := map[string]func(*events.Name) *string{
		"formatted":       func(n *events.Name) *string { return &n.Formatted },
		"familyName":      func(n *events.Name) *string { return &n.FamilyName },
		"givenName":       func(n *events.Name) *string { return &n.GivenName },
		"middleName":      func(n *events.Name) *string { return &n.MiddleName },
		"honorificPrefix": func(n *events.Name) *string { return &n.HonorificPrefix },
		"honorificSuffix": func(n *events.Name) *string { return &n.HonorificSuffix },
	}[name]
	return func(p *events.Person) *string {
		if p.Name == nil {
			p.Name = &events.Name{}
		}
		return at(p.Name)
	}, ok
}

func enterpriseText(name string) (func(*events.Person) *string, bool) {
	at, ok := map[string]func(*events.Enterprise) *string{
		"employeeNumber": func(e *events.Enterprise) *string { return &e.EmployeeNumber },
		"costCenter":     func(e *events.Enterprise) *string { return &e.CostCenter },
		"organization":   func(e *events.Enterprise) *string { return &e.Organization },
		"division":       func(e *events.Enterprise) *string { return &e.Division },
		"department":     func(e *events.Enterprise) *string { return &e.Department },
		"manager": func(e *events.Enterprise) *string {
			e.Manager = &events.Manager{}
			return &e.Manager.Value
		},
	}[name]
	return func(p *events.Person) *string {
		if p.Enterprise == nil {
			p.Enterprise = &events.Enterprise{}
		}
		return at(p.Enterprise)
	}, ok
}

// primary is the type of the primary one of several values.
const primary = "primary"

func typeOf(name string) (string, bool) {
	if name == primary {
		return "work", true
	}
	return name, false
}

func setValued(name string, list func(*events.Person) *[]events.Valued) (func(*events.Person, string) error, error) {
	if name == "" || strings.Contains(name, ".") {
		return nil, errors.New("needs a type: emails.primary, phoneNumbers.work")
	}
	kind, first := typeOf(name)
	return func(p *events.Person, v string) error {
		l := list(p)
		*l = append(*l, events.Valued{Value: v, Type: kind, Primary: first})
		return nil
	}, nil
}

func setAddress(path string) (func(*events.Person, string) error, error) {
	name, field, _ := strings.Cut(path, ".")
	at, ok := map[string]func(*events.PostalAddress) *string{
		"formatted":     func(a *events.PostalAddress) *string { return &a.Formatted },
		"streetAddress": func(a *events.PostalAddress) *string { return &a.StreetAddress },
		"locality":      func(a *events.PostalAddress) *string { return &a.Locality },
		"region":        func(a *events.PostalAddress) *string { return &a.Region },
		"postalCode":    func(a *events.PostalAddress) *string { return &a.PostalCode },
		"country":       func(a *events.PostalAddress) *string { return &a.Country },
	}[field]
	if name == "" || !ok {
		return nil, errors.New("needs a type and a part: addresses.work.streetAddress")
	}
	kind, first := typeOf(name)
	return func(p *events.Person, v string) error {
		i := slices.IndexFunc(p.Addresses, func(a events.PostalAddress) bool { return a.Type == kind && a.Primary == first })
		if i < 0 {
			p.Addresses = append(p.Addresses, events.PostalAddress{Type: kind, Primary: first})
			i = len(p.Addresses) - 1
		}
		*at(&p.Addresses[i]) = v
		return nil
	}, nil
}
