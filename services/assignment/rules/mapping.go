package rules

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// mapping is the compiled configuration of one org. It is safe for concurrent use.
type mapping struct {
	org             string
	rules           []rule
	grants          []grant
	externalIDField string
	// matchBy is by what existing users are recognised.
	matchBy []string
}

// By what an existing user may be recognised.
const (
	matchFederationID = "federation_id"
	matchUsername     = "username"
	matchEmail        = "email"
	matchExternalID   = "external_id"
)

// rule is a compiled [config.Rule] with the org's fields merged in.
type rule struct {
	config.Rule
	when   *expression
	fields []field
}

// field is one Salesforce field of a rule.
type field struct {
	name string
	expr *expression
}

// grant is a compiled [config.Grant].
type grant struct {
	config.Grant
	when *expression
}

// reserved are fields that a rule sets otherwise.
func reserved() map[string]string {
	return map[string]string{
		"Id":         "Salesforce gives it",
		"IsActive":   "it follows from the rules",
		"ProfileId":  "set the rule's profile",
		"UserRoleId": "set the rule's role",
	}
}

// isFieldName says whether Salesforce would accept it as a field's API name.
func isFieldName(name string) bool {
	ok := name != "" && len(name) <= 80
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		ok = ok && (letter || i > 0 && (r >= '0' && r <= '9' || r == '_'))
	}
	return ok
}

// newMapping compiles one org's configuration; the error joins every fault.
func newMapping(c *compiler, org string, cfg config.Assign) (*mapping, error) {
	b := &mappingBuilder{compiler: c, org: org}
	m := &mapping{org: org, externalIDField: cfg.ExternalIDField, matchBy: cfg.Match}
	if len(m.matchBy) == 0 {
		m.matchBy = config.DefaultOrg().Assign.Match
	}
	b.checkFields("fields", cfg.Fields)
	names := map[string]bool{}
	for i, r := range cfg.Rules {
		where := fmt.Sprintf("rule %q", r.Name)
		if r.Name == "" {
			where = fmt.Sprintf("rule %d", i+1)
			b.fault(where, "has no name")
		}
		if names[r.Name] {
			b.fault(where, "stands twice")
		}
		names[r.Name] = true
		m.rules = append(m.rules, b.rule(where, r, cfg.Fields))
	}
	for i, g := range cfg.Grants {
		where := fmt.Sprintf("grant %d, when", i+1)
		m.grants = append(m.grants, grant{Grant: g, when: b.condition(where, g.When)})
	}
	b.checkMatch(cfg)
	return m, errors.Join(b.faults...)
}

// mappingBuilder gathers the faults of one org's configuration.
type mappingBuilder struct {
	compiler *compiler
	org      string
	faults   []error
}

func (b *mappingBuilder) fault(where, what string) {
	b.faults = append(b.faults, fmt.Errorf("org %q: %s: %s", b.org, where, what))
}

// expressionFaults lists each fault that CEL finds, with its place.
func (b *mappingBuilder) expressionFaults(where string, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			b.fault(where, e.Error())
		}
		return
	}
	b.fault(where, err.Error())
}

func (b *mappingBuilder) condition(where, text string) *expression {
	e, err := b.compiler.condition(text)
	if err != nil {
		b.expressionFaults(where, err)
	}
	return e
}

// checkFields compiles a set of fields for their faults alone, so that each is
// listed once however many rules use it.
func (b *mappingBuilder) checkFields(where string, fields map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		at := where + ", field " + name
		if !isFieldName(name) {
			b.fault(at, "is not a field's API name")
		}
		if why, ok := reserved()[name]; ok {
			b.fault(at, "cannot be mapped: "+why)
		}
		if _, err := b.compiler.field(fields[name]); err != nil {
			b.expressionFaults(at, err)
		}
	}
}

func (b *mappingBuilder) rule(where string, cfg config.Rule, orgFields map[string]string) rule {
	if cfg.Profile == "" {
		b.fault(where, "has no profile")
	}
	b.checkFields(where, cfg.Fields)
	merged := maps.Clone(orgFields)
	if merged == nil {
		merged = map[string]string{}
	}
	maps.Copy(merged, cfg.Fields)
	r := rule{Rule: cfg, when: b.condition(where+", when", cfg.When)}
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		if e, err := b.compiler.field(merged[name]); err == nil {
			r.fields = append(r.fields, field{name, e})
		}
	}
	return r
}

func (b *mappingBuilder) checkMatch(cfg config.Assign) {
	for _, by := range cfg.Match {
		switch by {
		case matchFederationID, matchUsername, matchEmail:
		case matchExternalID:
			if cfg.ExternalIDField == "" {
				b.fault("match", "external_id needs externalIDField")
			}
		default:
			b.fault("match", fmt.Sprintf("%q is not one of federation_id, username, email, external_id", by))
		}
	}
}
