package salesforce

import "strings"

// Escape makes a text safe between single quotes in SOQL. SOQL escapes with a
// backslash; doubling the quote does not work.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
func Escape(text string) string {
	return strings.NewReplacer(
		`\`, `\\`, `'`, `\'`, `"`, `\"`,
		"\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`, "\f", `\f`,
	).Replace(text)
}

// Quote returns a SOQL string literal.
func Quote(text string) string { return "'" + Escape(text) + "'" }

// In returns the condition "field IN ('a','b')". The field is the caller's own
// constant and is not escaped. Without values the condition matches nothing.
func In(field string, values []string) string {
	if len(values) == 0 {
		return "Id = null" // every row has an Id; "IN ()" is malformed
	}
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = Quote(v)
	}
	return field + " IN (" + strings.Join(quoted, ",") + ")"
}
