package salesforce

import (
	"regexp"
	"strings"
)

// The redactor. Salesforce's texts quote what they refuse (names, e-mail
// addresses, usernames, ids, pieces of a query), and Error() ends up in logs.
// So texts of codes whose wording is not known are withheld whole, and from
// the known ones everything that can be a value is cut out.

const withheld = "(text withheld)"

var (
	tokenLike   = regexp.MustCompile(`\b00D[A-Za-z0-9]{12,15}!\S+|\b5Aep\S+|\beyJ[A-Za-z0-9_-]+\.\S*`)
	addressLike = regexp.MustCompile(`[^\s'"<>(),;:]*@[^\s'"<>(),;]*`)
	idLike      = regexp.MustCompile(`\b[A-Za-z0-9]{15,18}\b`)
	quotedText  = regexp.MustCompile(`(?:\b(?:column|type|entity|object|field) )?(?:'[^']*'|"[^"]*")`)
	quotedName  = regexp.MustCompile(`^\w+ '[A-Za-z][A-Za-z0-9_.]{0,79}'$`)
	codeLike    = regexp.MustCompile(`^[A-Za-z][A-Za-z_]{1,79}$`)
	nameLike    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.]{0,79}$`)
)

// redactMessage returns the part of a message that is fit for a log.
func redactMessage(code, message string) string {
	if message == "" {
		return ""
	}
	if !wordingKnown(code) {
		return withheld
	}
	text := lastLine(message)
	for _, marker := range valueMarkers() {
		if before, _, ok := strings.Cut(text, marker); ok {
			text = before + marker + "…"
		}
	}
	return scrub(text)
}

// wordingKnown lists the codes whose text is Salesforce's own (or this
// package's) sentence. Rules, flows and triggers speak in an admin's words,
// and FIELD_INTEGRITY_EXCEPTION in anybody's: those are withheld.
func wordingKnown(code string) bool {
	switch code {
	case CodeNoAnswer, CodeUnreadable, CodeNotSalesforce, CodeRedirect, CodeHostRefused, CodeOrgRefused,
		CodeNoSession, CodeBadRequest, CodeMultipleChoices,
		"INVALID_SESSION_ID", "INVALID_AUTH_HEADER", "REQUEST_LIMIT_EXCEEDED", "API_DISABLED_FOR_ORG",
		"API_CURRENTLY_DISABLED", "FUNCTIONALITY_NOT_ENABLED", "INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
		"URL_NOT_RESET", "DUPLICATE_USERNAME", "DUPLICATE_COMM_NICKNAME", "DUPLICATE_VALUE",
		"DUPLICATES_DETECTED", "REQUIRED_FIELD_MISSING", "STRING_TOO_LONG", "INVALID_EMAIL_ADDRESS",
		"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID",
		"LICENSE_LIMIT_EXCEEDED", "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY",
		"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_FIELD",
		"INVALID_TYPE", "NOT_FOUND", "ENTITY_IS_DELETED", "METHOD_NOT_ALLOWED", "UNABLE_TO_LOCK_ROW",
		"MIXED_DML_OPERATION", "TXN_SECURITY_METERING_ERROR", "QUERY_TIMEOUT", "INVALID_QUERY_LOCATOR",
		"SERVER_UNAVAILABLE", "EXCEEDED_ID_LIMIT", "MISSING_ARGUMENT", "PROCESSING_HALTED",
		"ALL_OR_NONE_OPERATION_ROLLED_BACK", "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE":
		return true
	}
	return false
}

// valueMarkers are the words after which a known text quotes a value.
func valueMarkers() []string {
	return []string{
		"data value too large: ", "invalid email address: ", "bad value for restricted picklist field: ",
		"id value of incorrect type: ", "malformed id ", "is not accessible: ", "Failed to deserialize field",
		"value found: ",
	}
}

// lastLine drops the piece of query that a SOQL error quotes before its
// sentence. [R amp-labs unknown-object.json]
func lastLine(message string) string {
	message = strings.TrimSpace(message)
	if i := strings.LastIndexByte(message, '\n'); i >= 0 {
		return strings.TrimSpace(message[i+1:])
	}
	return message
}

// scrub cuts out whatever looks like a value, wherever it stands: tokens,
// e-mail addresses and usernames, ids, and quoted text that is not the name of
// a column, type or entity.
func scrub(text string) string {
	text = tokenLike.ReplaceAllString(text, "[token]")
	text = addressLike.ReplaceAllString(text, "[address]")
	text = idLike.ReplaceAllStringFunc(text, hideID)
	text = quotedText.ReplaceAllStringFunc(text, hideQuoted)
	return truncate(text, 300)
}

// hideID keeps words of 15 to 18 letters ("reauthorization"): an id has digits.
func hideID(word string) string {
	if strings.ContainsAny(word, "0123456789") {
		return "[id]"
	}
	return word
}

// hideQuoted keeps a quoted API name only after the word that says it is one.
func hideQuoted(match string) string {
	if quotedName.MatchString(match) {
		return match
	}
	word, _, _ := strings.Cut(match, " ")
	if strings.ContainsAny(word, `'"`) {
		return "'…'"
	}
	return word + " '…'"
}

// redactCode keeps only what can be a code: a foreign server may put anything
// there.
func redactCode(code string) string {
	if codeLike.MatchString(code) {
		return code
	}
	if code == "" {
		return "error"
	}
	return "(code withheld)"
}

// redactFields keeps only what can be API names of fields.
func redactFields(fields []string) string {
	var kept []string
	for _, f := range fields {
		if nameLike.MatchString(f) {
			kept = append(kept, f)
		}
	}
	return strings.Join(kept, ", ")
}

func truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
