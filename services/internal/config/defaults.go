package config

import (
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// defaults are the values of keys the file does not mention. They are laid
// under the file rather than filled in after it, so that "create: false" and a
// missing create differ.
func defaults(orgs []string) map[string]any {
	d := map[string]any{
		"nats.url":             "nats://127.0.0.1:4222",
		"nats.replicas":        1,
		"nats.provision":       true,
		"nats.connectTimeout":  10 * time.Second,
		"serve.listen":         "127.0.0.1:9464",
		"log.level":            "info",
		"log.format":           "json",
		"callback.access":      AccessLink,
		"callback.loopbackURL": "http://localhost:8080/oauth/callback",
	}
	for _, org := range orgs {
		for key, v := range orgDefaults() {
			d["orgs."+org+"."+key] = v
		}
	}
	out := make(map[string]any, len(d))
	for key, v := range d {
		out[strings.ReplaceAll(key, ".", delim)] = v
	}
	return out
}

func orgDefaults() map[string]any {
	return map[string]any{
		"connect.flow":            FlowClientCredentials,
		"connect.sessionLifetime": 2 * time.Hour,
		"connect.apiVersion":      salesforce.DefaultAPIVersion,
		"connect.hostSuffixes":    []string{".salesforce.com", ".force.com", ".salesforce.mil"},
		"assign.match":            []string{"federation_id", "username"},
		"gate.limit":              10,
		"gate.percent":            5.0,
		"gate.window":             time.Hour,
		"gate.longWindow":         24 * time.Hour,
		"gate.urgent":             5,
		"gate.settle":             10 * time.Second,
		"push.create":             true,
		"push.update":             true,
		"push.deactivate":         true,
		"push.privileged.ask":     true,
		"push.callTimeout":        20 * time.Second,
		"push.claimTTL":           30 * time.Second,
		"push.linger":             50 * time.Millisecond,
		"push.bulkAbove":          5000,
		"push.check.interval":     5 * time.Minute,
		"push.check.page":         200,
		"push.check.deactivated":  DriftRepair,
		"push.check.fields":       DriftRepair,
		"push.check.taken":        DriftRepair,
		"push.check.given":        DriftReport,
	}
}
