package rest

import (
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/call"
)

type limitEntry struct {
	Max       int `json:"Max"`
	Remaining int `json:"Remaining"`
}

// limits answers GET /limits with the recorded names, one of them nested.
// [R official Postman, apache/camel]
func limits(c *call.Call) {
	defer c.RLock()()
	daily := c.Org.Config.DailyAPILimit
	custom := len(c.Org.Config.PermissionSets)
	c.JSON(200, map[string]any{
		"DailyApiRequests":              limitEntry{daily, max(0, daily-c.Org.Usage.Used())},
		"DailyBulkApiBatches":           limitEntry{15000, 15000},
		"DailyBulkV2QueryJobs":          limitEntry{10000, 10000},
		"DailyBulkV2QueryFileStorageMB": limitEntry{976562, 976562},
		"DataStorageMB":                 limitEntry{5, 5},
		"PermissionSets": map[string]any{"Max": 1500, "Remaining": 1500 - custom,
			"CreateCustom": limitEntry{1000, 1000 - custom}},
	})
}
