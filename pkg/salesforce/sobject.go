package salesforce

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// Create creates one record. The error is set whenever the record was not
// created, also when Salesforce said so in an answer of 2xx; Result.Err need
// not be asked. Many are cheaper with CreateRecords.
func (c *Client) Create(ctx context.Context, object string, record Record) (Result, error) {
	path, err := c.objectPath(object)
	if err != nil {
		return Result{}, err
	}
	return c.single(ctx, call{method: http.MethodPost, path: path, body: record.bare()})
}

// Read returns fields of one record; without fields, all that the user sees.
func (c *Client) Read(ctx context.Context, object, id string, fields ...string) (Record, error) {
	path, err := c.objectPath(object, id)
	if err != nil {
		return nil, err
	}
	query := url.Values{}
	if len(fields) > 0 {
		query.Set("fields", strings.Join(fields, ","))
	}
	var record Record
	if err := c.doJSON(ctx, call{method: http.MethodGet, path: path, query: query}, &record); err != nil {
		return nil, err
	}
	if record == nil {
		return nil, unreadable(http.StatusOK, false, "the answer is not a record")
	}
	return record, nil
}

// Update changes fields of one record; a nil clears a field. An Id in the
// record is not sent: the path has it.
func (c *Client) Update(ctx context.Context, object, id string, record Record) error {
	path, err := c.objectPath(object, id)
	if err != nil {
		return err
	}
	body := record.bare()
	delete(body, "Id") // it is in the path; in the body it is refused
	return c.noContent(ctx, call{method: http.MethodPatch, path: path, body: body})
}

// Delete deletes one record. Users cannot be deleted.
func (c *Client) Delete(ctx context.Context, object, id string) error {
	path, err := c.objectPath(object, id)
	if err != nil {
		return err
	}
	return c.noContent(ctx, call{method: http.MethodDelete, path: path})
}

// Upsert creates the record with this external id or updates it. Several
// records with the id are a Duplicate error (HTTP 300).
func (c *Client) Upsert(ctx context.Context, object, externalIDField, value string, record Record) (Result, error) {
	path, err := c.objectPath(object, externalIDField, value)
	if err != nil {
		return Result{}, err
	}
	body := record.bare()
	for name := range body {
		if strings.EqualFold(name, externalIDField) {
			delete(body, name) // Salesforce refuses it beside the path [D]
		}
	}
	return c.single(ctx, call{method: http.MethodPatch, path: path, body: body})
}

// objectPath builds sobjects/<object>[/…], each segment escaped.
func (c *Client) objectPath(object string, segments ...string) (string, error) {
	if !nameLike.MatchString(object) {
		return "", programming("the name of the object is not one")
	}
	path := c.dataPath("sobjects/" + object)
	for _, s := range segments {
		if s == "" || s == "." || s == ".." {
			return "", programming("an id is missing for a call about one %s", object)
		}
		path += "/" + url.PathEscape(s)
	}
	return path, nil
}

// bare copies a record without its attributes.
func (r Record) bare() map[string]any {
	out := make(map[string]any, len(r))
	for k, v := range r {
		if k != "attributes" {
			out[k] = v
		}
	}
	return out
}

// single sends a call about one record. A 2xx may still say failure, so its
// verdict decides. [R amp-labs success-with-errors.json]
func (c *Client) single(ctx context.Context, k call) (Result, error) {
	r, err := c.do(ctx, k)
	if err != nil {
		return Result{}, err
	}
	if r.status == http.StatusNoContent && k.method == http.MethodPatch { // upsert before v46
		return Result{Success: true}, nil
	}
	result, err := readResult(r.body, r.status)
	if err != nil {
		return Result{}, err
	}
	return result, result.Err()
}

// noContent sends a call that is answered with 204 and nothing else.
func (c *Client) noContent(ctx context.Context, k call) error {
	r, err := c.do(ctx, k)
	if err != nil {
		return err
	}
	if r.status == http.StatusNoContent && len(r.body) == 0 {
		return nil
	}
	return unreadable(r.status, true, "the answer should be 204 without content")
}

// Description is what describe says of an object.
type Description struct {
	Name       string             `json:"name"`
	Label      string             `json:"label"`
	KeyPrefix  string             `json:"keyPrefix"`
	Createable bool               `json:"createable"`
	Updateable bool               `json:"updateable"`
	Deletable  bool               `json:"deletable"`
	Queryable  bool               `json:"queryable"`
	Fields     []FieldDescription `json:"fields"`
}

// FieldDescription is what describe says of a field.
type FieldDescription struct {
	Name               string          `json:"name"`
	Label              string          `json:"label"`
	Type               string          `json:"type"`
	Length             int             `json:"length"`
	Nillable           bool            `json:"nillable"`
	Createable         bool            `json:"createable"`
	Updateable         bool            `json:"updateable"`
	Unique             bool            `json:"unique"`
	CaseSensitive      bool            `json:"caseSensitive"`
	IDLookup           bool            `json:"idLookup"`
	ExternalID         bool            `json:"externalId"`
	DefaultedOnCreate  bool            `json:"defaultedOnCreate"`
	RestrictedPicklist bool            `json:"restrictedPicklist"`
	ReferenceTo        []string        `json:"referenceTo"`
	PicklistValues     []PicklistValue `json:"picklistValues"`
}

// PicklistValue is one choice of a picklist field.
type PicklistValue struct {
	Value        string `json:"value"`
	Label        string `json:"label"`
	Active       bool   `json:"active"`
	DefaultValue bool   `json:"defaultValue"`
}

// Field finds a field by name, without regard to case.
func (d Description) Field(name string) (FieldDescription, bool) {
	for _, f := range d.Fields {
		if strings.EqualFold(f.Name, name) {
			return f, true
		}
	}
	return FieldDescription{}, false
}

// Describe returns the schema of an object as the user sees it.
func (c *Client) Describe(ctx context.Context, object string) (Description, error) {
	path, err := c.objectPath(object, "describe")
	if err != nil {
		return Description{}, err
	}
	var d Description
	if err := c.doJSON(ctx, call{method: http.MethodGet, path: path}, &d); err != nil {
		return Description{}, err
	}
	if d.Name == "" || len(d.Fields) == 0 {
		return Description{}, unreadable(http.StatusOK, false, "the answer is not a description")
	}
	return d, nil
}

// UserInfo is who the session acts as.
type UserInfo struct {
	UserID         string `json:"user_id"`
	OrganizationID string `json:"organization_id"`
	Username       string `json:"preferred_username"`
	Name           string `json:"name"`
	Email          string `json:"email"`
	UserType       string `json:"user_type"`
	Active         bool   `json:"active"`
	// Raw holds every claim.
	Raw map[string]any `json:"-"`
}

// UserInfo asks who the session acts as. A dead token is answered here with
// 403 Bad_OAuth_Token in plain text. [R]
func (c *Client) UserInfo(ctx context.Context) (UserInfo, error) {
	k := call{method: http.MethodGet, path: "/services/oauth2/userinfo", plainText: true}
	var raw json.RawMessage
	if err := c.doJSON(ctx, k, &raw); err != nil {
		return UserInfo{}, err
	}
	var info UserInfo
	if decode(raw, &info) != nil || decode(raw, &info.Raw) != nil || info.UserID == "" {
		return UserInfo{}, unreadable(http.StatusOK, false, "the answer does not say who the user is")
	}
	return info, nil
}
