package hrimport

import (
	"bytes"
	"encoding/csv"
)

// Fits says whether an export that begins with head has the columns the mapping
// needs.
func (m *Mapping) Fits(head []byte) bool {
	r := csv.NewReader(bytes.NewReader(head))
	r.Comma, r.FieldsPerRecord = m.delimiter(), -1
	names, err := r.Read()
	if err != nil {
		return false
	}
	have := make(map[string]bool, len(names))
	for _, n := range names {
		have[n] = true
	}
	for _, c := range m.columns {
		if !have[c] {
			return false
		}
	}
	return true
}
