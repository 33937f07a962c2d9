package store

import (
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

func errTooLong(f *Field, value string) *wire.APIError { // [R] uses the label
	return wire.RecordError("STRING_TOO_LONG",
		fmt.Sprintf("%s: data value too large: %s (max length=%d)", f.Label, value, f.Length), f.Name)
}

func errPicklist(f *Field, value string) *wire.APIError { // [R]
	return wire.RecordError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
		f.Label+": bad value for restricted picklist field: "+value, f.Name)
}

func errWrongIDType(f *Field, value string) *wire.APIError { // [R]
	return wire.RecordError("MALFORMED_ID", f.Label+": id value of incorrect type: "+value, f.Name)
}
