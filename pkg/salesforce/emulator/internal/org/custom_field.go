package org

import (
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// CustomField declares a custom field of User.
type CustomField struct {
	// Name ends in __c.
	Name string `json:"name"`
	// Label defaults to the name without __c.
	Label string `json:"label,omitempty"`
	// Type is string (default), email, boolean, int, double, date or datetime.
	Type string `json:"type,omitempty"`
	// Length defaults to 255.
	Length int `json:"length,omitempty"`
	// ExternalID allows addressing a record by this field, and indexes it.
	ExternalID bool `json:"externalId,omitempty"`
	// Unique refuses a value a second time.
	Unique bool `json:"unique,omitempty"`
	// CaseSensitive makes Unique tell upper from lower case.
	CaseSensitive bool `json:"caseSensitive,omitempty"`
}

func (c CustomField) field() *store.Field {
	f := &store.Field{Name: c.Name, Label: c.Label, Length: c.Length, Unique: c.Unique, ExternalID: c.ExternalID,
		CaseSensitive: c.CaseSensitive, Indexed: c.ExternalID || c.Unique}
	if f.Label == "" {
		f.Label = strings.ReplaceAll(strings.TrimSuffix(c.Name, "__c"), "_", " ")
	}
	if f.Length == 0 {
		f.Length = 255
	}
	for k := range store.KindCount {
		if k.String() == c.Type {
			f.Kind = k
		}
	}
	if f.Kind == store.KindBoolean {
		f.Fallback = false
	}
	return f
}
