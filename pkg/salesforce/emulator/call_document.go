package emulator

import "github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"

// Document parses the body once.
func (c *call) Document() (any, error) {
	if c.doc != nil || len(c.payload) == 0 {
		return c.doc, nil
	}
	doc, err := wire.ReadJSON(c.payload)
	if err != nil {
		return nil, err
	}
	c.doc = doc
	return doc, nil
}
