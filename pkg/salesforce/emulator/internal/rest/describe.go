package rest

import (
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/call"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// picklistValue is one value in a describe.
type picklistValue struct {
	Active       bool   `json:"active"`
	DefaultValue bool   `json:"defaultValue"`
	Label        string `json:"label"`
	Value        string `json:"value"`
}

// describedField has the keys of a recorded describe. [R camel user.json]
type describedField struct {
	Name              string          `json:"name"`
	Label             string          `json:"label"`
	Type              string          `json:"type"`
	SOAPType          string          `json:"soapType"`
	Length            int             `json:"length"`
	ByteLength        int             `json:"byteLength"`
	Digits            int             `json:"digits"`
	Precision         int             `json:"precision"`
	Scale             int             `json:"scale"`
	Nillable          bool            `json:"nillable"`
	Createable        bool            `json:"createable"`
	Updateable        bool            `json:"updateable"`
	Unique            bool            `json:"unique"`
	CaseSensitive     bool            `json:"caseSensitive"`
	IDLookup          bool            `json:"idLookup"`
	ExternalID        bool            `json:"externalId"`
	NameField         bool            `json:"nameField"`
	Custom            bool            `json:"custom"`
	Aggregatable      bool            `json:"aggregatable"`
	Filterable        bool            `json:"filterable"`
	Groupable         bool            `json:"groupable"`
	Sortable          bool            `json:"sortable"`
	Permissionable    bool            `json:"permissionable"`
	Polymorphic       bool            `json:"polymorphicForeignKey"`
	NamePointing      bool            `json:"namePointing"`
	DefaultedOnCreate bool            `json:"defaultedOnCreate"`
	DefaultValue      *bool           `json:"defaultValue"`
	RestrictedPick    bool            `json:"restrictedPicklist"`
	ReferenceTo       []string        `json:"referenceTo"`
	RelationshipName  *string         `json:"relationshipName"`
	CompoundFieldName *string         `json:"compoundFieldName"`
	ExtraTypeInfo     *string         `json:"extraTypeInfo"`
	PicklistValues    []picklistValue `json:"picklistValues"`
	fieldConstants
}

// fieldConstants are the keys that are the same for every field emulated here.
type fieldConstants struct {
	AutoNumber               bool  `json:"autoNumber"`
	Calculated               bool  `json:"calculated"`
	CalculatedFormula        *bool `json:"calculatedFormula"`
	CascadeDelete            bool  `json:"cascadeDelete"`
	ControllerName           *bool `json:"controllerName"`
	DefaultValueFormula      *bool `json:"defaultValueFormula"`
	DependentPicklist        bool  `json:"dependentPicklist"`
	DeprecatedAndHidden      bool  `json:"deprecatedAndHidden"`
	DisplayLocationInDecimal bool  `json:"displayLocationInDecimal"`
	Encrypted                bool  `json:"encrypted"`
	FilteredLookupInfo       *bool `json:"filteredLookupInfo"`
	HighScaleNumber          bool  `json:"highScaleNumber"`
	HTMLFormatted            bool  `json:"htmlFormatted"`
	InlineHelpText           *bool `json:"inlineHelpText"`
	Mask                     *bool `json:"mask"`
	MaskType                 *bool `json:"maskType"`
	QueryByDistance          bool  `json:"queryByDistance"`
	ReferenceTargetField     *bool `json:"referenceTargetField"`
	RelationshipOrder        *bool `json:"relationshipOrder"`
	RestrictedDelete         bool  `json:"restrictedDelete"`
	SearchPrefilterable      bool  `json:"searchPrefilterable"`
	WriteRequiresMasterRead  bool  `json:"writeRequiresMasterRead"`
}

// describedObject has the keys of an entry of a global describe.
type describedObject struct {
	Name                string            `json:"name"`
	Label               string            `json:"label"`
	LabelPlural         string            `json:"labelPlural"`
	KeyPrefix           string            `json:"keyPrefix"`
	Custom              bool              `json:"custom"`
	Createable          bool              `json:"createable"`
	Updateable          bool              `json:"updateable"`
	Deletable           bool              `json:"deletable"`
	Undeletable         bool              `json:"undeletable"`
	Queryable           bool              `json:"queryable"`
	Retrieve            bool              `json:"retrieveable"`
	Replicateable       bool              `json:"replicateable"`
	Searchable          bool              `json:"searchable"`
	Layoutable          bool              `json:"layoutable"`
	Triggerable         bool              `json:"triggerable"`
	MRUEnabled          bool              `json:"mruEnabled"`
	FeedEnabled         bool              `json:"feedEnabled"`
	Activateable        bool              `json:"activateable"`
	CustomSetting       bool              `json:"customSetting"`
	DeprecatedAndHidden bool              `json:"deprecatedAndHidden"`
	HasSubtypes         bool              `json:"hasSubtypes"`
	IsSubtype           bool              `json:"isSubtype"`
	Mergeable           bool              `json:"mergeable"`
	URLs                map[string]string `json:"urls"`
}

// objectDetail is what a describe of one object has besides.
type objectDetail struct {
	describedObject
	Fields                []describedField    `json:"fields"`
	ActionOverrides       []string            `json:"actionOverrides"`
	ChildRelationships    []childDescription  `json:"childRelationships"`
	NamedLayoutInfos      []string            `json:"namedLayoutInfos"`
	RecordTypeInfos       []string            `json:"recordTypeInfos"`
	SupportedScopes       []map[string]string `json:"supportedScopes"`
	CompactLayoutable     bool                `json:"compactLayoutable"`
	SearchLayoutable      bool                `json:"searchLayoutable"`
	Listviewable          *bool               `json:"listviewable"`
	LookupLayoutable      *bool               `json:"lookupLayoutable"`
	NetworkScopeFieldName *string             `json:"networkScopeFieldName"`
}

// childDescription says how queries name the rows that point to an object. [D]
type childDescription struct {
	ChildObject         string `json:"childSObject"`
	Field               string `json:"field"`
	Name                string `json:"relationshipName"`
	CascadeDelete       bool   `json:"cascadeDelete"`
	DeprecatedAndHidden bool   `json:"deprecatedAndHidden"`
	RestrictedDelete    bool   `json:"restrictedDelete"`
}

func childrenOf(o *org.Org, parent *store.Object) []childDescription {
	out := []childDescription{}
	for _, obj := range o.Objects {
		for _, f := range obj.Fields {
			if f.PointsTo(parent) {
				out = append(out, childDescription{ChildObject: obj.Name, Field: f.Name, Name: f.Children})
			}
		}
	}
	return out
}

// detailed describes an object with its fields.
func (c describes) detailed(o *store.Object) objectDetail {
	base := "/services/data/v" + c.Version + "/sobjects/" + o.Name
	d := objectDetail{describedObject: c.described(o), Fields: []describedField{}, ActionOverrides: []string{}, ChildRelationships: childrenOf(c.Org, o),
		NamedLayoutInfos: []string{}, RecordTypeInfos: []string{}, CompactLayoutable: true, SearchLayoutable: true,
		SupportedScopes: []map[string]string{{"label": "All " + strings.ToLower(o.Label) + "s", "name": "everything"}}}
	d.URLs["compactLayouts"], d.URLs["layouts"] = base+"/describe/compactLayouts", base+"/describe/layouts"
	d.URLs["quickActions"], d.URLs["defaultValues"] = base+"/quickActions", base+"/defaultValues?recordTypeId&fields"
	if o.Name == "User" {
		d.URLs["passwordUtilities"] = base + "/{ID}/password"
	}
	unlock := c.RLock()
	defer unlock()
	for _, f := range o.Fields {
		if !c.Org.Hides(f) {
			d.Fields = append(d.Fields, describeField(f, o, c.Org.Access[f] != store.FieldReadOnly))
		}
	}
	return d
}

// described is what the caller may do with a type, which depends on rights.
func (c describes) described(o *store.Object) describedObject {
	base := "/services/data/v" + c.Version + "/sobjects/" + o.Name
	unlock := c.RLock()
	may := !c.Org.Denied.LacksRight(c.Actor.ID, o)
	unlock()
	shown := !o.NoCreate
	return describedObject{Name: o.Name, Label: o.Label, LabelPlural: o.Label + "s", KeyPrefix: o.Prefix, Createable: may && !o.NoCreate,
		Updateable: may && !o.NoUpdate, Deletable: may && !o.NoDelete, Queryable: true, Retrieve: true, Replicateable: !o.Untraced,
		Searchable: shown, Layoutable: shown, Triggerable: shown, MRUEnabled: shown, FeedEnabled: !o.Setup || o.Name == "User",
		URLs: map[string]string{"sobject": base, "describe": base + "/describe", "rowTemplate": base + "/{ID}"}}
}

// describeField: that fields of other kinds than text have no length in bytes is an
// assumption. [U]
func describeField(f *store.Field, o *store.Object, mayWrite bool) describedField {
	isName := f.Name == "Name"
	d := describedField{Name: f.Name, Label: f.Label, Type: f.Kind.String(), SOAPType: f.Kind.SOAP(), Length: f.Length, ByteLength: 3 * f.Length,
		Nillable:   !f.Required && f.Kind != store.KindBoolean && f.Kind != store.KindID && !isName,
		Createable: mayWrite && f.Createable(), Updateable: mayWrite && f.Updateable(), Unique: f.Unique, CaseSensitive: f.CaseSensitive, IDLookup: f.IDLookup,
		ExternalID: f.ExternalID, NameField: isName, Custom: f.Custom(), Aggregatable: f.Kind != store.KindBoolean, Filterable: true,
		Groupable: f.Kind != store.KindDatetime && f.Kind != store.KindDouble, Sortable: true, Permissionable: f.Custom(), Polymorphic: len(f.ReferenceTo) > 1,
		NamePointing: len(f.ReferenceTo) > 1, DefaultedOnCreate: f.Fallback != nil || f.Kind == store.KindID,
		RestrictedPick: f.Kind == store.KindPicklist && len(f.Values) > 0, ReferenceTo: f.ReferenceTo, PicklistValues: []picklistValue{}}
	switch f.Kind {
	case store.KindID, store.KindReference:
		d.ByteLength = store.LongIDLen
	case store.KindInt:
		d.Digits = 9
	case store.KindDouble:
		d.Precision, d.Scale = 18, 2
	case store.KindBoolean:
		d.DefaultValue = new(bool)
		*d.DefaultValue = f.Fallback == true
	}
	if f.Kind == store.KindID {
		d.Label = o.Label + " ID"
	}
	if d.ReferenceTo == nil {
		d.ReferenceTo = []string{}
	}
	if f.Relationship != "" {
		d.RelationshipName = &f.Relationship
	}
	personName, compound := "personname", "Name"
	if person := o.ByName["LastName"] != nil && (isName || f.Name == "FirstName" || f.Name == "LastName"); person {
		d.ExtraTypeInfo = &personName
		if !isName && o.ByName["Name"] != nil {
			d.CompoundFieldName = &compound
		}
	}
	for _, v := range f.Values {
		d.PicklistValues = append(d.PicklistValues, picklistValue{Active: true, Label: v, Value: v})
	}
	return d
}

func (c describes) describeGlobal() {
	if c.unchanged(c.Org.Made, "") {
		return
	}
	list := make([]describedObject, 0, len(c.Org.Objects))
	for _, o := range c.Org.Objects {
		list = append(list, c.described(o))
	}
	c.JSON(200, map[string]any{"encoding": "UTF-8", "maxBatchSize": call.MaxRecords, "sobjects": list})
}

func (c describes) describeObject(name string, full bool) {
	o := c.objectNamed(name)
	if o == nil {
		return
	}
	if full && c.unchanged(c.Org.Made, "") {
		return
	}
	if full {
		c.JSON(200, c.detailed(o))
		return
	}
	c.JSON(200, map[string]any{"objectDescribe": c.described(o), "recentItems": []any{}})
}

// password answers /sobjects/User/{id}/password. [D]
func (c records) password(id string) {
	if !c.known(c.Org.Object("User"), id) {
		return
	}
	switch c.Method {
	case http.MethodPost:
		if in, ok := c.RecordBody(); ok && in.Object.Text("NewPassword") == "" {
			c.Fail(wire.ErrRequired([]string{"NewPassword"}))
		} else if ok {
			c.None(204)
		}
	case http.MethodDelete:
		c.JSON(200, map[string]string{"NewPassword": rand.Text()[:8]})
	default:
		c.JSON(200, map[string]bool{"IsExpired": false})
	}
}
