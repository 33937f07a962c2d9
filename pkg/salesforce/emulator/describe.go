package emulator

import (
	"crypto/rand"
	"net/http"
)

// picklistValue is one value in a describe.
type picklistValue struct {
	Active       bool   `json:"active"`
	DefaultValue bool   `json:"defaultValue"`
	Label        string `json:"label"`
	Value        string `json:"value"`
}

// describedField carries the keys that clients read. [R camel user.json]
type describedField struct {
	Name              string          `json:"name"`
	Label             string          `json:"label"`
	Type              string          `json:"type"`
	Length            int             `json:"length"`
	Nillable          bool            `json:"nillable"`
	Createable        bool            `json:"createable"`
	Updateable        bool            `json:"updateable"`
	Unique            bool            `json:"unique"`
	CaseSensitive     bool            `json:"caseSensitive"`
	IDLookup          bool            `json:"idLookup"`
	ExternalID        bool            `json:"externalId"`
	Custom            bool            `json:"custom"`
	Filterable        bool            `json:"filterable"`
	Sortable          bool            `json:"sortable"`
	DefaultedOnCreate bool            `json:"defaultedOnCreate"`
	RestrictedPick    bool            `json:"restrictedPicklist"`
	ReferenceTo       []string        `json:"referenceTo"`
	RelationshipName  *string         `json:"relationshipName"`
	PicklistValues    []picklistValue `json:"picklistValues"`
}

type describedObject struct {
	Name        string            `json:"name"`
	Label       string            `json:"label"`
	LabelPlural string            `json:"labelPlural"`
	KeyPrefix   string            `json:"keyPrefix"`
	Custom      bool              `json:"custom"`
	Createable  bool              `json:"createable"`
	Updateable  bool              `json:"updateable"`
	Deletable   bool              `json:"deletable"`
	Undeletable bool              `json:"undeletable"`
	Queryable   bool              `json:"queryable"`
	Retrieve    bool              `json:"retrieveable"`
	URLs        map[string]string `json:"urls"`
	Fields      []describedField  `json:"fields,omitempty"`
}

// described is what the caller may do with a type, which depends on rights.
func (c *call) described(o *object, full bool) describedObject {
	base := "/services/data/v" + c.version + "/sobjects/" + o.name
	unlock := c.rlock()
	may := !c.org.lacksRight(c.actor.id, o)
	unlock()
	d := describedObject{Name: o.name, Label: o.label, LabelPlural: o.label + "s", KeyPrefix: o.prefix, Createable: may && !o.noCreate,
		Updateable: may && !o.noUpdate, Deletable: may && !o.noDelete, Queryable: true, Retrieve: true,
		URLs: map[string]string{"sobject": base, "describe": base + "/describe", "rowTemplate": base + "/{ID}"}}
	if full {
		for _, f := range o.fields {
			if !c.org.hides(f) {
				d.Fields = append(d.Fields, f.described(c.org.access[f] != FieldReadOnly))
			}
		}
	}
	return d
}

func (f *field) described(mayWrite bool) describedField {
	d := describedField{Name: f.name, Label: f.label, Type: f.kind.String(), Length: f.length, Nillable: !f.required && f.kind != kindBoolean && f.kind != kindID,
		Createable: mayWrite && f.createable(), Updateable: mayWrite && f.updateable(), Unique: f.unique, CaseSensitive: f.caseSensitive, IDLookup: f.idLookup,
		ExternalID: f.externalID, Custom: f.custom(), Filterable: true, Sortable: true, DefaultedOnCreate: f.fallback != nil || f.kind == kindID,
		RestrictedPick: f.kind == kindPicklist && len(f.values) > 0, ReferenceTo: f.referenceTo, PicklistValues: []picklistValue{}}
	if d.ReferenceTo == nil {
		d.ReferenceTo = []string{}
	}
	if f.relationship != "" {
		d.RelationshipName = &f.relationship
	}
	for _, v := range f.values {
		d.PicklistValues = append(d.PicklistValues, picklistValue{Active: true, Label: v, Value: v})
	}
	return d
}

func (c *call) describeGlobal() {
	if c.unchanged(c.org.made, "") {
		return
	}
	list := make([]describedObject, 0, len(c.org.objects))
	for _, o := range c.org.objects {
		list = append(list, c.described(o, false))
	}
	c.json(200, map[string]any{"encoding": "UTF-8", "maxBatchSize": maxCollection, "sobjects": list})
}

func (c *call) describeObject(name string, full bool) {
	o := c.objectNamed(name)
	if o == nil {
		return
	}
	if full && c.unchanged(c.org.made, "") {
		return
	}
	if full {
		c.json(200, c.described(o, true))
		return
	}
	c.json(200, map[string]any{"objectDescribe": c.described(o, false), "recentItems": []any{}})
}

// password answers /sobjects/User/{id}/password. [D]
func (c *call) password(id string) {
	if !c.known(c.org.object("User"), id) {
		return
	}
	switch c.method {
	case http.MethodPost:
		if in, ok := c.recordBody(); ok && in.object.text("NewPassword") == "" {
			c.fail(errRequired([]string{"NewPassword"}))
		} else if ok {
			c.none(204)
		}
	case http.MethodDelete:
		c.json(200, map[string]string{"NewPassword": rand.Text()[:8]})
	default:
		c.json(200, map[string]bool{"IsExpired": false})
	}
}
