package emulator

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// route is what a request asks for.
type route struct {
	op       string
	mutating bool
	data     bool // needs a session and counts as an API call
	run      func(c *call)
}

// route finds the work for a path and method.
func (c *call) route() route {
	if rest, ok := strings.CutPrefix(c.path, "/services/data"); ok && (rest == "" || rest[0] == '/') {
		return c.dataRoute()
	}
	if rest, ok := strings.CutPrefix(c.path, "/services/oauth2/"); ok {
		return c.oauthRoute(rest)
	}
	if strings.HasPrefix(c.path, "/id/") {
		return route{op: "identity", run: (*call).identity}
	}
	if c.path == "/.well-known/openid-configuration" {
		return route{op: "discovery", run: (*call).discovery}
	}
	if strings.HasPrefix(c.path, "/services/Soap/") {
		return route{op: "soap", run: (*call).soap}
	}
	return route{op: "unknown", run: func(c *call) { c.Fail(wire.ErrNotFound()) }}
}

func (c *call) oauthRoute(name string) route {
	switch name {
	case "token":
		return route{op: "token", run: (*call).token}
	case "authorize":
		return route{op: "authorize", run: (*call).authorize}
	case "revoke":
		return route{op: "revoke", run: (*call).revoke}
	case "introspect":
		return route{op: "introspect", run: (*call).introspect}
	case "userinfo":
		return route{op: "userinfo", run: (*call).userinfo}
	}
	return route{op: "unknown", run: func(c *call) { c.Fail(wire.ErrNotFound()) }}
}

// segments are the parts of the path below /services/data, decoded one by one:
// a slash that the client escaped belongs to a value, an external id say.
func (c *call) segments() []string {
	_, rest, _ := strings.Cut(c.r.URL.EscapedPath(), "/services/data")
	rest = strings.Trim(rest, "/")
	if rest == "" {
		return nil
	}
	parts := strings.Split(rest, "/")
	for i, part := range parts {
		parts[i] = pathName(part)
	}
	return parts
}

func (c *call) dataRoute() route {
	parts := c.segments()
	if len(parts) == 0 {
		return route{op: "versions", run: (*call).versions}
	}
	number, named := strings.CutPrefix(parts[0], "v")
	if !named {
		return notFoundRoute()
	}
	c.version = number
	if len(parts) == 1 {
		return c.reads(route{op: "resources", data: true, run: (*call).resources})
	}
	return c.resourceRoute(parts[1], parts[2:])
}

// resourceRoute serves HTTP calls and the subrequests of composite and batch.
func (c *call) resourceRoute(name string, rest []string) route {
	switch name {
	case "query", "queryAll":
		return c.queryRoute(rest)
	case "sobjects":
		return c.sobjectRoute(rest)
	case "composite":
		return c.compositeRoute(rest)
	case "jobs":
		return c.jobsRoute(rest)
	case "limits":
		return c.reads(route{op: "limits", data: true, run: (*call).limits})
	}
	return notFoundRoute()
}

// reads is a resource that can only be read.
func (c *call) reads(rt route) route {
	if c.method != http.MethodGet {
		return methodRoute(rt.op, "GET", "HEAD")
	}
	return rt
}

func notFoundRoute() route {
	return route{op: "unknown", data: true, run: func(c *call) { c.Fail(wire.ErrNotFound()) }}
}

func methodRoute(op string, allowed ...string) route {
	return route{op: op, data: true, run: func(c *call) { c.Fail(wire.ErrMethod(c.method, allowed...)) }}
}

func (c *call) queryRoute(rest []string) route {
	if c.method != http.MethodGet {
		return methodRoute("query", "GET", "HEAD")
	}
	if len(rest) == 1 {
		return route{op: "query.more", data: true, run: func(c *call) { c.queryMore(rest[0]) }}
	}
	return route{op: "query", data: true, run: (*call).query}
}

func (c *call) sobjectRoute(rest []string) route {
	switch len(rest) {
	case 0:
		return c.reads(route{op: "describe", data: true, run: (*call).describeGlobal})
	case 1:
		switch c.method {
		case http.MethodPost:
			return route{op: "sobject.create", data: true, mutating: true, run: func(c *call) { c.createRecord(rest[0]) }}
		case http.MethodGet:
			return route{op: "describe", data: true, run: func(c *call) { c.describeObject(rest[0], false) }}
		}
		return methodRoute("sobject.create", "GET", "HEAD", "POST")
	case 2:
		if rest[1] == "describe" {
			return c.reads(route{op: "describe", data: true, run: func(c *call) { c.describeObject(rest[0], true) }})
		}
		if rest[1] == "updated" || rest[1] == "deleted" {
			return c.reads(route{op: "sobject.changes", data: true, run: func(c *call) { c.changes(rest[0], rest[1] == "deleted") }})
		}
		return c.recordRoute(rest[0], "Id", rest[1])
	case 3:
		if strings.EqualFold(rest[2], "password") {
			return route{op: "password", data: true, mutating: c.method != http.MethodGet, run: func(c *call) { c.password(rest[1]) }}
		}
		if o := c.objectIn(rest[0]); store.IsID(rest[1]) && o != nil && o.Relation(rest[2]) != nil {
			return c.reads(route{op: "sobject.get", data: true, run: func(c *call) { c.readParent(rest[0], rest[1], rest[2]) }})
		}
		return c.recordRoute(rest[0], rest[1], rest[2])
	}
	return notFoundRoute()
}

func (c *call) recordRoute(object, key, value string) route {
	byID := strings.EqualFold(key, "Id")
	switch c.method {
	case http.MethodGet:
		return route{op: "sobject.get", data: true, run: func(c *call) { c.readRecord(object, key, value) }}
	case http.MethodPatch:
		if byID {
			return route{op: "sobject.update", data: true, mutating: true, run: func(c *call) { c.updateRecord(object, value) }}
		}
		return route{op: "sobject.upsert", data: true, mutating: true, run: func(c *call) { c.upsertRecord(object, key, value) }}
	case http.MethodDelete:
		return route{op: "sobject.delete", data: true, mutating: true, run: func(c *call) { c.deleteRecord(object, key, value) }}
	}
	return methodRoute("sobject.update", "DELETE", "GET", "HEAD", "PATCH")
}

func (c *call) compositeRoute(rest []string) route {
	if len(rest) == 0 {
		return route{op: "composite", data: true, mutating: true, run: (*call).composite}
	}
	switch rest[0] {
	case "batch":
		return route{op: "batch", data: true, mutating: true, run: (*call).batch}
	case "sobjects":
		return c.collectionRoute(rest[1:])
	}
	return notFoundRoute()
}

func (c *call) collectionRoute(rest []string) route {
	write := func(op string, run func(*call)) route { return route{op: op, data: true, mutating: true, run: run} }
	switch {
	case len(rest) == 0 && c.method == http.MethodPost:
		return write("collections.create", (*call).createCollection)
	case len(rest) == 0 && c.method == http.MethodPatch:
		return write("collections.update", (*call).updateCollection)
	case len(rest) == 0 && c.method == http.MethodDelete:
		return write("collections.delete", (*call).deleteCollection)
	case len(rest) == 1 && (c.method == http.MethodGet || c.method == http.MethodPost):
		return route{op: "collections.get", data: true, run: func(c *call) { c.readCollection(rest[0]) }}
	case len(rest) == 2 && c.method == http.MethodPatch:
		return write("collections.upsert", func(c *call) { c.upsertCollection(rest[0], rest[1]) })
	}
	if len(rest) > 2 {
		return notFoundRoute()
	}
	return methodRoute("collections.create", "DELETE", "GET", "PATCH", "POST")
}

const (
	oldestVersion = 31 // 21-30 were retired in Summer '25 [D]
	newestVersion = 67
)

// checkVersion refuses versions that are gone (410 [R Pipedream #3134]) or
// never were (404). The texts are assumptions. [U]
func (c *call) checkVersion() *wire.APIError {
	number, err := strconv.ParseFloat(c.version, 64)
	if err != nil || !strings.HasSuffix(c.version, ".0") || number > newestVersion {
		return wire.ErrNotFound()
	}
	if number < oldestVersion {
		return wire.PlatformError(http.StatusGone, "UNSUPPORTED_API_VERSION", "API version "+c.version+" is retired")
	}
	return nil
}

// versionLabels counts down from Summer '26. [R for 20.0 and 67.0]
func versionLabel(number int) string {
	seasons := [...]string{"Winter", "Spring", "Summer"}
	steps := number - 20 // 20.0 is Winter '11
	return seasons[steps%3] + " '" + strconv.Itoa(11+steps/3)
}

// versions needs no token. [R]
func (c *call) versions() {
	b := []byte{'['}
	for n := 20; n <= newestVersion; n++ {
		if n > 20 {
			b = append(b, ',')
		}
		v := strconv.Itoa(n) + ".0"
		b = wire.AppendString(append(b, `{"version":`...), v)
		b = wire.AppendString(append(b, `,"url":`...), "/services/data/v"+v)
		b = wire.AppendString(append(b, `,"label":`...), versionLabel(n))
		b = append(b, '}')
	}
	c.Bytes(200, append(b, ']'))
}

// resources lists what a version offers.
func (c *call) resources() {
	prefix := "/services/data/v" + c.version + "/"
	list := map[string]string{"identity": c.identityURL(c.actor.ID)}
	for _, name := range [...]string{"sobjects", "query", "queryAll", "composite", "limits", "jobs"} {
		list[name] = prefix + name
	}
	c.JSON(200, list)
}
