package rules

import "github.com/rollcall-sync/rollcall/pkg/events"

// The variables of an expression.
const (
	varPerson        = "person"
	varGroups        = "groups"
	varRule          = "rule"
	varCorrelationID = "correlation_id"
)

// SCIM's names of the extensions, whose attributes are also reached by the
// short names beside them.
const (
	enterpriseURN   = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	enterpriseAlias = "enterprise"
	customURN       = "urn:rollcall:params:scim:schemas:extension:custom:1.0:User"
	customAlias     = "custom"
)

// newVars returns the variables an org's expressions see for one person.
func newVars(state *events.PersonState, p *events.Person, active bool) map[string]any {
	return map[string]any{
		varPerson:        personVar(p, active),
		varGroups:        groupNames(state),
		varRule:          "",
		varCorrelationID: state.CorrelationID,
	}
}

// object is a person's attribute with attributes of its own; an empty value is
// the same as none, as SCIM has it.
type object map[string]any

func (o object) text(name, value string) {
	if value != "" {
		o[name] = value
	}
}

func (o object) valued(name string, values []events.Valued) {
	if len(values) == 0 {
		return
	}
	list := make([]any, len(values))
	for i, v := range values {
		e := object{"primary": v.Primary}
		e.text("value", v.Value)
		e.text("display", v.Display)
		e.text("type", v.Type)
		list[i] = map[string]any(e)
	}
	o[name] = list
}

// personVar is the person in SCIM's names. "active" is always there.
func personVar(p *events.Person, active bool) map[string]any {
	o := make(object, 24)
	o["active"] = active
	o.text("externalId", p.ExternalID)
	o.text("userName", p.UserName)
	o.text("displayName", p.DisplayName)
	o.text("nickName", p.NickName)
	o.text("profileUrl", p.ProfileURL)
	o.text("title", p.Title)
	o.text("userType", p.UserType)
	o.text("preferredLanguage", p.PreferredLanguage)
	o.text("locale", p.Locale)
	o.text("timezone", p.Timezone)
	o.valued("emails", p.Emails)
	o.valued("phoneNumbers", p.PhoneNumbers)
	o.valued("roles", p.Roles)
	o.valued("entitlements", p.Entitlements)
	o.addresses(p.Addresses)
	if p.Name != nil {
		o["name"] = nameVar(p.Name)
	}
	if p.Enterprise != nil {
		e := enterpriseVar(p.Enterprise)
		o[enterpriseAlias], o[enterpriseURN] = e, e
	}
	if len(p.Custom) > 0 {
		o[customAlias], o[customURN] = p.Custom, p.Custom
	}
	return o
}

func nameVar(n *events.Name) map[string]any {
	o := make(object, 6)
	o.text("formatted", n.Formatted)
	o.text("familyName", n.FamilyName)
	o.text("givenName", n.GivenName)
	o.text("middleName", n.MiddleName)
	o.text("honorificPrefix", n.HonorificPrefix)
	o.text("honorificSuffix", n.HonorificSuffix)
	return o
}

func enterpriseVar(e *events.Enterprise) map[string]any {
	o := make(object, 6)
	o.text("employeeNumber", e.EmployeeNumber)
	o.text("costCenter", e.CostCenter)
	o.text("organization", e.Organization)
	o.text("division", e.Division)
	o.text("department", e.Department)
	if e.Manager != nil {
		m := make(object, 3)
		m.text("value", e.Manager.Value)
		m.text("$ref", e.Manager.Ref)
		m.text("displayName", e.Manager.DisplayName)
		o["manager"] = map[string]any(m)
	}
	return o
}

func (o object) addresses(all []events.PostalAddress) {
	if len(all) == 0 {
		return
	}
	list := make([]any, len(all))
	for i, a := range all {
		e := object{"primary": a.Primary}
		e.text("formatted", a.Formatted)
		e.text("streetAddress", a.StreetAddress)
		e.text("locality", a.Locality)
		e.text("region", a.Region)
		e.text("postalCode", a.PostalCode)
		e.text("country", a.Country)
		e.text("type", a.Type)
		list[i] = map[string]any(e)
	}
	o["addresses"] = list
}

// shape says which attributes an object has: nil for a text, number or
// boolean. It lets a misspelt attribute be found at the start, rather than be
// missing for everybody.
type shape struct {
	of  map[string]*shape
	any bool // an object of whatever its source likes
}

func personShape() *shape {
	leaf := &shape{}
	fields := func(names ...string) *shape {
		s := &shape{of: map[string]*shape{}}
		for _, n := range names {
			s.of[n] = leaf
		}
		return s
	}
	valued := fields("value", "display", "type", "primary")
	p := fields("active", "externalId", "userName", "displayName", "nickName", "profileUrl", "title", "userType",
		"preferredLanguage", "locale", "timezone")
	p.of["emails"], p.of["phoneNumbers"], p.of["roles"], p.of["entitlements"] = valued, valued, valued, valued
	p.of["addresses"] = fields("formatted", "streetAddress", "locality", "region", "postalCode", "country", "type", "primary")
	p.of["name"] = fields("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")
	enterprise := fields("employeeNumber", "costCenter", "organization", "division", "department")
	enterprise.of["manager"] = fields("value", "$ref", "displayName")
	p.of[enterpriseAlias], p.of[enterpriseURN] = enterprise, enterprise
	custom := &shape{any: true}
	p.of[customAlias], p.of[customURN] = custom, custom
	return p
}
