package doctor

import (
	"context"
	"strconv"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

const (
	// lastRetired is the newest version that is gone. [D: 21-30 in Summer '25]
	lastRetired = 30
	// oldVersions behind the newest is four years: three releases a year, and
	// Salesforce promises three years.
	oldVersions = 12
)

// apiVersion asks which versions there are; Salesforce asks no token for it.
func (x *examination) apiVersion(ctx context.Context) []verdict {
	list, err := x.client.Versions(ctx)
	if err != nil {
		return refused("asking for the API's versions", err)
	}
	want, served, newest := versionOf(x.connect.APIVersion), false, 0
	for _, v := range list {
		n := versionOf(v.Version)
		newest = max(newest, n)
		served = served || n == want
	}
	const todo = "Set connect.apiVersion to a newer one, after trying it in a sandbox."
	switch {
	case want <= lastRetired:
		return fail(todo, "version %d.0 of the API is retired; the newest is %d.0", want, newest)
	case !served:
		return fail("Set connect.apiVersion to one that the org serves.", "the org does not serve version %d.0 of the API; the newest is %d.0", want, newest)
	case newest-want > oldVersions:
		return warn(todo, "version %d.0 of the API is served, but %d releases behind %d.0: it may be retired soon", want, newest-want, newest)
	}
	return ok("version %d.0 of the API is served; the newest is %d.0", want, newest)
}

func versionOf(text string) int {
	n, err := strconv.Atoi(strings.TrimSuffix(text, ".0"))
	if err != nil {
		return 0
	}
	return n
}

// apiUse reads the limits, or takes what Salesforce said with its answers.
func (x *examination) apiUse(ctx context.Context) []verdict {
	used := x.usage
	limits, err := x.client.Limits(ctx)
	if daily, known := limits.DailyAPIRequests(); err == nil && known {
		used = salesforce.Usage{Used: daily.Max - daily.Remaining, Limit: daily.Max}
	}
	if used.Limit <= 0 {
		return skipped("Salesforce does not show the limit: the integration user needs View Setup and Configuration")
	}
	share := float64(used.Used) / float64(used.Limit)
	const todo = "See in Setup, System Overview, who uses the calls. When they are used up, the org is held until some of the last 24 hours' calls have left the count."
	switch {
	case share >= full:
		return fail(todo, "%d of %d API calls of the last 24 hours are used", used.Used, used.Limit)
	case share >= nearlyFull:
		return warn(todo, "%d of %d API calls of the last 24 hours are used", used.Used, used.Limit)
	}
	return ok("%d of %d API calls of the last 24 hours are used", used.Used, used.Limit)
}
