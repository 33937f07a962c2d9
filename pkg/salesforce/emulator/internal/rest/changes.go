package rest

import (
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// changes answers /updated and /deleted: the ids of rows that changed between
// two moments. [D api_rest; the errors U]
func (c records) changes(object string, deleted bool) {
	o := c.objectNamed(object)
	if o == nil {
		return
	}
	query := c.Request.URL.Query()
	start, ok1 := wire.ParseInstant(query.Get("start"))
	end, ok2 := wire.ParseInstant(query.Get("end"))
	if !ok1 || !ok2 {
		c.Fail(wire.PlatformError(400, "MISSING_ARGUMENT", "start and end must be dates and times"))
		return
	}
	if end <= start+wire.Instant(time.Minute/time.Millisecond) { // start must lie a minute before end [D]
		c.Fail(wire.PlatformError(400, "INVALID_REPLICATION_DATE", "endDate must be at least one minute greater than startDate"))
		return
	}
	defer c.RLock()()
	ids, gone := []string{}, []map[string]string{}
	for _, r := range c.Org.Table(o.Name).Rows {
		if r.Modified < start || r.Modified > end {
			continue
		}
		if r.Deleted && o.Untraced {
			continue
		}
		if r.Deleted {
			gone = append(gone, map[string]string{"id": r.ID, "deletedDate": r.Modified.String()})
		} else {
			ids = append(ids, r.ID)
		}
	}
	if deleted {
		c.JSON(200, map[string]any{"deletedRecords": gone, "earliestDateAvailable": wire.InstantOf(c.Org.Made).String(), "latestDateCovered": end.String()})
		return
	}
	c.JSON(200, map[string]any{"ids": ids, "latestDateCovered": end.String()})
}
