package rest

import (
	"strconv"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

func (c records) upsertRecord(object, key, value string) {
	o := c.objectNamed(object)
	if o == nil {
		return
	}
	f := c.Org.Key(o, key)
	if f == nil {
		c.Fail(wire.ErrExternalID(key)) // [R restforce]
		return
	}
	in, ok := c.RecordBody()
	if !ok {
		return
	}
	if _, sent := in.Value(f.Name); sent { // 400 [D], text [U]
		c.Fail(wire.RecordError("INVALID_FIELD", "The "+f.Name+" field should not be specified in the sobject data."))
		return
	}
	var rows []*store.Record
	updateOnly := c.Request.URL.Query().Get("updateOnly") == "true"
	res := c.write(func(t *store.Tx) (res store.Outcome) {
		res, rows = t.Upsert(o, f, value, in, updateOnly)
		return res
	})
	switch {
	case rows != nil:
		c.several(o, rows)
	case !res.OK():
		c.Fail(res.Errs...)
	default:
		c.upserted(res)
	}
}

// upserted: 201 created, 200 updated, or before v46 an empty 204. [R, D]
func (c records) upserted(res store.Outcome) {
	body := []byte(`{"id":"` + res.ID + `","success":true,"errors":[],"created":` + strconv.FormatBool(res.Created) + `}`)
	switch {
	case res.Created:
		c.Bytes(201, body)
	case c.VersionNumber() < 46:
		c.None(204)
	default:
		c.Bytes(200, body)
	}
}
