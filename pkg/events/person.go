package events

// Person is a person in the names of SCIM's core and enterprise User
// (RFC 7643, sections 4.1 and 4.3). All attributes are optional but for what a
// source's configured correlation id needs.
type Person struct {
	ExternalID        string          `json:"externalId,omitempty"`
	UserName          string          `json:"userName,omitempty"`
	Name              *Name           `json:"name,omitempty"`
	DisplayName       string          `json:"displayName,omitempty"`
	NickName          string          `json:"nickName,omitempty"`
	ProfileURL        string          `json:"profileUrl,omitempty"`
	Title             string          `json:"title,omitempty"`
	UserType          string          `json:"userType,omitempty"`
	PreferredLanguage string          `json:"preferredLanguage,omitempty"`
	Locale            string          `json:"locale,omitempty"`
	Timezone          string          `json:"timezone,omitempty"`
	Active            *bool           `json:"active,omitempty"`
	Emails            []Email         `json:"emails,omitempty"`
	PhoneNumbers      []Valued        `json:"phoneNumbers,omitempty"`
	Addresses         []PostalAddress `json:"addresses,omitempty"`
	Roles             []Valued        `json:"roles,omitempty"`
	Entitlements      []Valued        `json:"entitlements,omitempty"`

	Enterprise *Enterprise `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User,omitempty"`
	// Custom holds what a source knows beyond SCIM, as text by name.
	Custom map[string]string `json:"urn:rollcall:params:scim:schemas:extension:custom:1.0:User,omitempty"`
}

// Name is SCIM's name.
type Name struct {
	Formatted       string `json:"formatted,omitempty"`
	FamilyName      string `json:"familyName,omitempty"`
	GivenName       string `json:"givenName,omitempty"`
	MiddleName      string `json:"middleName,omitempty"`
	HonorificPrefix string `json:"honorificPrefix,omitempty"`
	HonorificSuffix string `json:"honorificSuffix,omitempty"`
}

// Valued is SCIM's multi-valued attribute.
type Valued struct {
	Value   string `json:"value,omitempty"`
	Display string `json:"display,omitempty"`
	Type    string `json:"type,omitempty"`
	Primary bool   `json:"primary,omitzero"`
}

// Email is SCIM's e-mail.
type Email = Valued

// PostalAddress is SCIM's address.
type PostalAddress struct {
	Formatted     string `json:"formatted,omitempty"`
	StreetAddress string `json:"streetAddress,omitempty"`
	Locality      string `json:"locality,omitempty"`
	Region        string `json:"region,omitempty"`
	PostalCode    string `json:"postalCode,omitempty"`
	Country       string `json:"country,omitempty"`
	Type          string `json:"type,omitempty"`
	Primary       bool   `json:"primary,omitzero"`
}

// Enterprise is SCIM's enterprise User extension.
type Enterprise struct {
	EmployeeNumber string   `json:"employeeNumber,omitempty"`
	CostCenter     string   `json:"costCenter,omitempty"`
	Organization   string   `json:"organization,omitempty"`
	Division       string   `json:"division,omitempty"`
	Department     string   `json:"department,omitempty"`
	Manager        *Manager `json:"manager,omitempty"`
}

// Manager is SCIM's reference to a manager; Value is their correlation id.
type Manager struct {
	Value       string `json:"value,omitempty"`
	Ref         string `json:"$ref,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
}

// Group is a group in the names of SCIM's Group (RFC 7643, section 4.2).
type Group struct {
	ExternalID  string   `json:"externalId,omitempty"`
	ID          string   `json:"id,omitempty"`
	DisplayName string   `json:"displayName,omitempty"`
	Members     []Member `json:"members,omitempty"`
}

// Member is a direct member; Value is the member's correlation id.
type Member struct {
	Value   string `json:"value,omitempty"`
	Display string `json:"display,omitempty"`
	Type    string `json:"type,omitempty"`
	Ref     string `json:"$ref,omitempty"`
}

// Identity returns what names the group within its source.
func (g *Group) Identity() string {
	if g.ExternalID != "" {
		return g.ExternalID
	}
	return g.ID
}
