package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// pathActive is the path of "active", which a source may say in another event
// than the one its other attributes are from.
const pathActive = "active"

// customPrefix starts the path of an attribute beyond SCIM.
const customPrefix = "custom."

// checkPath says whether a precedence path names an attribute.
func checkPath(path string) error {
	if path == "*" || path == pathActive || path == "name" || path == "enterprise" || path == "custom" {
		return nil
	}
	if name, ok := strings.CutPrefix(path, customPrefix); ok && name != "" {
		return nil
	}
	if slices.ContainsFunc(attributes(), func(a scimAttribute) bool { return a.path == path }) {
		return nil
	}
	return fmt.Errorf("%q is not an attribute of a person", path)
}

// scimAttribute takes one attribute over from a source's person if that one speaks
// of it.
type scimAttribute struct {
	path string
	take func(to, from *events.Person) bool
}

// attributes lists every attribute of a person but active and the custom ones.
func attributes() []scimAttribute {
	return slices.Concat(coreAttributes(), nameAttributes(), enterpriseAttributes(), listAttributes())
}

func coreAttributes() []scimAttribute {
	return []scimAttribute{
		{"externalId", func(to, from *events.Person) bool { return takeText(&to.ExternalID, from.ExternalID) }},
		{"userName", func(to, from *events.Person) bool { return takeText(&to.UserName, from.UserName) }},
		{"displayName", func(to, from *events.Person) bool { return takeText(&to.DisplayName, from.DisplayName) }},
		{"nickName", func(to, from *events.Person) bool { return takeText(&to.NickName, from.NickName) }},
		{"profileUrl", func(to, from *events.Person) bool { return takeText(&to.ProfileURL, from.ProfileURL) }},
		{"title", func(to, from *events.Person) bool { return takeText(&to.Title, from.Title) }},
		{"userType", func(to, from *events.Person) bool { return takeText(&to.UserType, from.UserType) }},
		{"preferredLanguage", func(to, from *events.Person) bool {
			return takeText(&to.PreferredLanguage, from.PreferredLanguage)
		}},
		{"locale", func(to, from *events.Person) bool { return takeText(&to.Locale, from.Locale) }},
		{"timezone", func(to, from *events.Person) bool { return takeText(&to.Timezone, from.Timezone) }},
	}
}

func nameAttributes() []scimAttribute {
	part := func(path string, of func(*events.Name) *string) scimAttribute {
		return scimAttribute{"name." + path, func(to, from *events.Person) bool {
			if from.Name == nil || *of(from.Name) == "" {
				return false
			}
			if to.Name == nil {
				to.Name = &events.Name{}
			}
			return takeText(of(to.Name), *of(from.Name))
		}}
	}
	return []scimAttribute{
		part("formatted", func(n *events.Name) *string { return &n.Formatted }),
		part("familyName", func(n *events.Name) *string { return &n.FamilyName }),
		part("givenName", func(n *events.Name) *string { return &n.GivenName }),
		part("middleName", func(n *events.Name) *string { return &n.MiddleName }),
		part("honorificPrefix", func(n *events.Name) *string { return &n.HonorificPrefix }),
		part("honorificSuffix", func(n *events.Name) *string { return &n.HonorificSuffix }),
	}
}

func enterpriseAttributes() []scimAttribute {
	part := func(path string, of func(*events.Enterprise) *string) scimAttribute {
		return scimAttribute{"enterprise." + path, func(to, from *events.Person) bool {
			if from.Enterprise == nil || *of(from.Enterprise) == "" {
				return false
			}
			if to.Enterprise == nil {
				to.Enterprise = &events.Enterprise{}
			}
			return takeText(of(to.Enterprise), *of(from.Enterprise))
		}}
	}
	manager := scimAttribute{"enterprise.manager", func(to, from *events.Person) bool {
		if from.Enterprise == nil || from.Enterprise.Manager == nil || *from.Enterprise.Manager == (events.Manager{}) {
			return false
		}
		if to.Enterprise == nil {
			to.Enterprise = &events.Enterprise{}
		}
		to.Enterprise.Manager = from.Enterprise.Manager
		return true
	}}
	return []scimAttribute{
		part("employeeNumber", func(e *events.Enterprise) *string { return &e.EmployeeNumber }),
		part("costCenter", func(e *events.Enterprise) *string { return &e.CostCenter }),
		part("organization", func(e *events.Enterprise) *string { return &e.Organization }),
		part("division", func(e *events.Enterprise) *string { return &e.Division }),
		part("department", func(e *events.Enterprise) *string { return &e.Department }),
		manager,
	}
}

func listAttributes() []scimAttribute {
	return []scimAttribute{
		{"emails", func(to, from *events.Person) bool { return takeList(&to.Emails, from.Emails) }},
		{"phoneNumbers", func(to, from *events.Person) bool { return takeList(&to.PhoneNumbers, from.PhoneNumbers) }},
		{"addresses", func(to, from *events.Person) bool { return takeList(&to.Addresses, from.Addresses) }},
		{"roles", func(to, from *events.Person) bool { return takeList(&to.Roles, from.Roles) }},
		{"entitlements", func(to, from *events.Person) bool { return takeList(&to.Entitlements, from.Entitlements) }},
	}
}

func takeText(to *string, from string) bool {
	if from != "" {
		*to = from
	}
	return from != ""
}

func takeList[T any](to *[]T, from []T) bool {
	if len(from) > 0 {
		*to = from
	}
	return len(from) > 0
}
