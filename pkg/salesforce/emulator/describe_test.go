package emulator_test

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/shapetest"
)

// The recorded describe has five fields, and each has every one of these keys.
// [R camel user.json]
func TestRecordedDescribe(t *testing.T) {
	t.Parallel()
	const common = `{"aggregatable":true,"autoNumber":false,"calculated":false,"calculatedFormula":null,"cascadeDelete":false,"caseSensitive":false,"controllerName":null,
		"custom":false,"defaultValue":null,"defaultValueFormula":null,"dependentPicklist":false,"deprecatedAndHidden":false,"digits":0,"displayLocationInDecimal":false,
		"encrypted":false,"externalId":false,"filterable":true,"filteredLookupInfo":null,"groupable":true,"highScaleNumber":false,"htmlFormatted":false,"inlineHelpText":null,
		"mask":null,"maskType":null,"namePointing":false,"permissionable":false,"picklistValues":[],"polymorphicForeignKey":false,"precision":0,"queryByDistance":false,
		"referenceTargetField":null,"referenceTo":[],"relationshipName":null,"relationshipOrder":null,"restrictedDelete":false,"restrictedPicklist":false,"scale":0,
		"searchPrefilterable":false,"sortable":true,"unique":false,"writeRequiresMasterRead":false,`
	want := map[string]string{
		"Id":        `"name":"Id","label":"User ID","type":"id","soapType":"tns:ID","length":18,"byteLength":18,"nillable":false,"createable":false,"updateable":false,"idLookup":true,"nameField":false,"defaultedOnCreate":true,"compoundFieldName":null,"extraTypeInfo":null}`,
		"Username":  `"name":"Username","label":"Username","type":"string","soapType":"xsd:string","length":80,"byteLength":240,"nillable":false,"createable":true,"updateable":true,"idLookup":true,"nameField":false,"defaultedOnCreate":false,"compoundFieldName":null,"extraTypeInfo":null}`,
		"LastName":  `"name":"LastName","label":"Last Name","type":"string","soapType":"xsd:string","length":80,"byteLength":240,"nillable":false,"createable":true,"updateable":true,"idLookup":false,"nameField":false,"defaultedOnCreate":false,"compoundFieldName":"Name","extraTypeInfo":"personname"}`,
		"FirstName": `"name":"FirstName","label":"First Name","type":"string","soapType":"xsd:string","length":40,"byteLength":120,"nillable":true,"createable":true,"updateable":true,"idLookup":false,"nameField":false,"defaultedOnCreate":false,"compoundFieldName":"Name","extraTypeInfo":"personname"}`,
		"Name":      `"name":"Name","label":"Full Name","type":"string","soapType":"xsd:string","length":121,"byteLength":363,"nillable":false,"createable":false,"updateable":false,"idLookup":false,"nameField":true,"defaultedOnCreate":false,"compoundFieldName":null,"extraTypeInfo":"personname"}`,
	}
	r := newRig(t, nil)
	got := r.do("GET", version+"/sobjects/User/describe", "").object(t)
	fields := got["fields"].([]any)
	delete(got, "fields")
	delete(got, "urls")
	const object = `{"actionOverrides":[],"activateable":false,"compactLayoutable":true,"createable":true,"custom":false,"customSetting":false,"deletable":false,"deprecatedAndHidden":false,
		"feedEnabled":true,"hasSubtypes":false,"isSubtype":false,"keyPrefix":"005","label":"User","labelPlural":"Users","layoutable":true,"listviewable":null,"lookupLayoutable":null,
		"mergeable":false,"mruEnabled":true,"name":"User","namedLayoutInfos":"<any>","networkScopeFieldName":null,"queryable":true,"recordTypeInfos":[],"replicateable":true,
		"retrieveable":true,"searchLayoutable":true,"searchable":true,"supportedScopes":[{"label":"All users","name":"everything"}],"triggerable":true,"undeletable":false,
		"updateable":true,"childRelationships":"<any>"}`
	if err := shapetest.Like(string(encodeJSON(t, got)), object); err != nil {
		t.Error(err)
	}
	for _, f := range fields {
		name := f.(map[string]any)["name"].(string)
		if pattern, ok := want[name]; ok {
			delete(want, name)
			if err := shapetest.Like(string(encodeJSON(t, f)), common+pattern); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("not described: %v", want)
	}
}

func TestDescribeGlobal(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, o := range r.do("GET", version+"/sobjects", "").object(t)["sobjects"].([]any) {
		o := o.(map[string]any)
		urls := o["urls"].(map[string]any)
		for _, name := range []string{"sobject", "describe"} {
			r.do("GET", urls[name].(string), "").is(t, 200)
		}
		if !strings.HasSuffix(urls["rowTemplate"].(string), "/{ID}") || o["fields"] != nil || o["searchable"] == nil {
			t.Errorf("object %v", o)
		}
	}
}
