package emulator

import "time"

// apiUsage counts API calls over a rolling 24 hours, in hours.
type apiUsage struct {
	hours [24]int
	last  int64 // the newest hour, since the epoch
}

// turn forgets the hours that left the window.
func (u *apiUsage) turn(now time.Time) {
	hour := now.Unix() / 3600
	for steps := 0; u.last < hour && steps < 24; steps++ {
		u.last = max(u.last+1, hour-23)
		u.hours[u.last%24] = 0
	}
}

// count takes one call, or refuses it when the limit is reached.
func (u *apiUsage) count(now time.Time, limit int) bool {
	u.turn(now)
	if u.sum() >= limit {
		return false
	}
	u.hours[u.last%24]++
	return true
}

func (u *apiUsage) used(time.Time) int { return u.sum() }

func (u *apiUsage) sum() int {
	n := 0
	for _, h := range u.hours {
		n += h
	}
	return n
}

type limitEntry struct {
	Max       int `json:"Max"`
	Remaining int `json:"Remaining"`
}

// limits answers GET /limits with the recorded names, one of them nested.
// [R official Postman, apache/camel]
func (c *call) limits() {
	defer c.rlock()()
	daily := c.org.cfg.DailyAPILimit
	custom := len(c.org.cfg.PermissionSets)
	c.JSON(200, map[string]any{
		"DailyApiRequests":              limitEntry{daily, max(0, daily-c.org.usage.used(c.started))},
		"DailyBulkApiBatches":           limitEntry{15000, 15000},
		"DailyBulkV2QueryJobs":          limitEntry{10000, 10000},
		"DailyBulkV2QueryFileStorageMB": limitEntry{976562, 976562},
		"DataStorageMB":                 limitEntry{5, 5},
		"PermissionSets": map[string]any{"Max": 1500, "Remaining": 1500 - custom,
			"CreateCustom": limitEntry{1000, 1000 - custom}},
	})
}
