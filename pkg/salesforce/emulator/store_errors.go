package emulator

import (
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

func errTooLong(f *field, value string) *wire.APIError { // [R] uses the label
	return wire.RecordError("STRING_TOO_LONG",
		fmt.Sprintf("%s: data value too large: %s (max length=%d)", f.label, value, f.length), f.name)
}

func errPicklist(f *field, value string) *wire.APIError { // [R]
	return wire.RecordError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
		f.label+": bad value for restricted picklist field: "+value, f.name)
}

func errWrongIDType(f *field, value string) *wire.APIError { // [R]
	return wire.RecordError("MALFORMED_ID", f.label+": id value of incorrect type: "+value, f.name)
}
