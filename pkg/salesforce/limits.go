package salesforce

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// Usage is how much of the rolling 24 hours' API calls the org has used, as
// Salesforce reported it with a call: "Sforce-Limit-Info: api-usage=18/5000".
type Usage struct{ Used, Limit int64 }

// Remaining is what is left, never below zero: the limit is soft.
func (u Usage) Remaining() int64 { return max(0, u.Limit-u.Used) }

// reportUsage tells OnUsage. The header is absent on platform errors. [R]
func (c *connection) reportUsage(h http.Header) {
	if c.cfg.OnUsage == nil {
		return
	}
	if u, ok := parseUsage(h.Get("Sforce-Limit-Info")); ok {
		c.cfg.OnUsage(u)
	}
}

// parseUsage reads used/limit; further parts (per-app-api-usage) are skipped.
func parseUsage(header string) (Usage, bool) {
	for part := range strings.FieldsFuncSeq(header, func(r rune) bool { return r == ',' || r == ';' || r == ' ' }) {
		value, ok := strings.CutPrefix(part, "api-usage=")
		if !ok {
			continue
		}
		used, limit, _ := strings.Cut(value, "/")
		u, err1 := strconv.ParseInt(used, 10, 64)
		l, err2 := strconv.ParseInt(limit, 10, 64)
		if err1 == nil && err2 == nil && u >= 0 && l > 0 {
			return Usage{Used: u, Limit: l}, true
		}
	}
	return Usage{}, false
}

// Limit is one entry of the org's limits.
type Limit struct{ Max, Remaining int64 }

// Limits are the org's limits by name; a nested entry has a dotted name
// ("PermissionSets.CreateCustom").
type Limits map[string]Limit

// DailyAPIRequests is the entry that a provisioning client lives by.
func (l Limits) DailyAPIRequests() (Limit, bool) {
	limit, ok := l["DailyApiRequests"]
	return limit, ok
}

// Limits reads the org's limits; the user needs View Setup and Configuration.
func (c *Client) Limits(ctx context.Context) (Limits, error) {
	var raw map[string]json.RawMessage
	if err := c.doJSON(ctx, call{method: http.MethodGet, path: c.dataPath("limits")}, &raw); err != nil {
		return nil, err
	}
	limits := Limits{}
	for name, value := range raw {
		limits.read(name, value)
	}
	if len(limits) == 0 {
		return nil, unreadable(http.StatusOK, false, "the answer holds no limits")
	}
	return limits, nil
}

// read takes one entry in, and the entries nested in it. [R camel limits.json]
func (l Limits) read(name string, value json.RawMessage) {
	var entry map[string]json.RawMessage
	if json.Unmarshal(value, &entry) != nil {
		return
	}
	var limit Limit
	for key, v := range entry {
		switch key {
		case "Max":
			_ = json.Unmarshal(v, &limit.Max) // an odd entry stays zero
		case "Remaining":
			_ = json.Unmarshal(v, &limit.Remaining)
		default:
			l.read(name+"."+key, v)
		}
	}
	if entry["Max"] != nil {
		l[name] = limit
	}
}

// Version is one version of the REST API that the org serves.
type Version struct {
	Version string `json:"version"`
	URL     string `json:"url"`
	Label   string `json:"label"`
}

// Versions lists the API versions; Salesforce asks no token for it. [R]
func (c *Client) Versions(ctx context.Context) ([]Version, error) {
	var versions []Version
	k := call{method: http.MethodGet, path: "/services/data", anonymous: true}
	if err := c.doJSON(ctx, k, &versions); err != nil {
		return nil, err
	}
	return versions, nil
}
