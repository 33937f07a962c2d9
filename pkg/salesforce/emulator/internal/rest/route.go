package rest

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/call"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// data finds the work for a data call.
func (c router) data() call.Route {
	parts := c.Segments()
	if len(parts) == 0 {
		return call.Route{Op: "versions", Run: versions}
	}
	number, named := strings.CutPrefix(parts[0], "v")
	if !named {
		return call.NotFoundRoute()
	}
	c.Version = number
	if len(parts) == 1 {
		return c.reads(call.Route{Op: "resources", Data: true, Run: resources})
	}
	return c.resourceRoute(parts[1], parts[2:])
}

// resourceRoute serves HTTP calls and the subrequests of composite and batch.
func (c router) resourceRoute(name string, rest []string) call.Route {
	switch name {
	case "query", "queryAll":
		return c.queryRoute(rest)
	case "sobjects":
		return c.sobjectRoute(rest)
	case "composite":
		return c.compositeRoute(rest)
	case "jobs":
		return c.api.jobs(c.Call, rest)
	case "limits":
		return c.reads(call.Route{Op: "limits", Data: true, Run: limits})
	}
	return call.NotFoundRoute()
}

func (c router) queryRoute(rest []string) call.Route {
	cursors := c.api.cursors
	if c.Method != http.MethodGet {
		return call.MethodRoute("query", "GET", "HEAD")
	}
	if len(rest) == 1 {
		return call.Route{Op: "query.more", Data: true, Run: func(c *call.Call) { queries{c, cursors}.queryMore(rest[0]) }}
	}
	return call.Route{Op: "query", Data: true, Run: func(c *call.Call) { queries{c, cursors}.query() }}
}

func (c router) sobjectRoute(rest []string) call.Route {
	switch len(rest) {
	case 0:
		return c.reads(call.Route{Op: "describe", Data: true, Run: func(c *call.Call) { describes{addressed{c}}.describeGlobal() }})
	case 1:
		switch c.Method {
		case http.MethodPost:
			return call.Route{Op: "sobject.create", Data: true, Mutating: true, Run: func(c *call.Call) { records{addressed{c}}.createRecord(rest[0]) }}
		case http.MethodGet:
			return call.Route{Op: "describe", Data: true, Run: func(c *call.Call) { describes{addressed{c}}.describeObject(rest[0], false) }}
		}
		return call.MethodRoute("sobject.create", "GET", "HEAD", "POST")
	case 2:
		if rest[1] == "describe" {
			return c.reads(call.Route{Op: "describe", Data: true, Run: func(c *call.Call) { describes{addressed{c}}.describeObject(rest[0], true) }})
		}
		if rest[1] == "updated" || rest[1] == "deleted" {
			return c.reads(call.Route{Op: "sobject.changes", Data: true, Run: func(c *call.Call) { records{addressed{c}}.changes(rest[0], rest[1] == "deleted") }})
		}
		return c.recordRoute(rest[0], "Id", rest[1])
	case 3:
		if strings.EqualFold(rest[2], "password") {
			return call.Route{Op: "password", Data: true, Mutating: c.Method != http.MethodGet, Run: func(c *call.Call) { records{addressed{c}}.password(rest[1]) }}
		}
		if o := (addressed{c.Call}).objectIn(rest[0]); store.IsID(rest[1]) && o != nil && o.Relation(rest[2]) != nil {
			return c.reads(call.Route{Op: "sobject.get", Data: true, Run: func(c *call.Call) { records{addressed{c}}.readParent(rest[0], rest[1], rest[2]) }})
		}
		return c.recordRoute(rest[0], rest[1], rest[2])
	}
	return call.NotFoundRoute()
}

func (c router) recordRoute(object, key, value string) call.Route {
	byID := strings.EqualFold(key, "Id")
	switch c.Method {
	case http.MethodGet:
		return call.Route{Op: "sobject.get", Data: true, Run: func(c *call.Call) { records{addressed{c}}.readRecord(object, key, value) }}
	case http.MethodPatch:
		if byID {
			return call.Route{Op: "sobject.update", Data: true, Mutating: true, Run: func(c *call.Call) { records{addressed{c}}.updateRecord(object, value) }}
		}
		return call.Route{Op: "sobject.upsert", Data: true, Mutating: true, Run: func(c *call.Call) { records{addressed{c}}.upsertRecord(object, key, value) }}
	case http.MethodDelete:
		return call.Route{Op: "sobject.delete", Data: true, Mutating: true, Run: func(c *call.Call) { records{addressed{c}}.deleteRecord(object, key, value) }}
	}
	return call.MethodRoute("sobject.update", "DELETE", "GET", "HEAD", "PATCH")
}

func (c router) compositeRoute(rest []string) call.Route {
	api := c.api
	if len(rest) == 0 {
		return call.Route{Op: "composite", Data: true, Mutating: true, Run: func(c *call.Call) { composites{c, api}.composite() }}
	}
	switch rest[0] {
	case "batch":
		return call.Route{Op: "batch", Data: true, Mutating: true, Run: func(c *call.Call) { composites{c, api}.batch() }}
	case "sobjects":
		return c.collectionRoute(rest[1:])
	}
	return call.NotFoundRoute()
}

func (c router) collectionRoute(rest []string) call.Route {
	write := func(op string, run func(*call.Call)) call.Route {
		return call.Route{Op: op, Data: true, Mutating: true, Run: run}
	}
	switch {
	case len(rest) == 0 && c.Method == http.MethodPost:
		return write("collections.create", func(c *call.Call) { collections{addressed{c}}.createCollection() })
	case len(rest) == 0 && c.Method == http.MethodPatch:
		return write("collections.update", func(c *call.Call) { collections{addressed{c}}.updateCollection() })
	case len(rest) == 0 && c.Method == http.MethodDelete:
		return write("collections.delete", func(c *call.Call) { collections{addressed{c}}.deleteCollection() })
	case len(rest) == 1 && (c.Method == http.MethodGet || c.Method == http.MethodPost):
		return call.Route{Op: "collections.get", Data: true, Run: func(c *call.Call) { collections{addressed{c}}.readCollection(rest[0]) }}
	case len(rest) == 2 && c.Method == http.MethodPatch:
		return write("collections.upsert", func(c *call.Call) { collections{addressed{c}}.upsertCollection(rest[0], rest[1]) })
	}
	if len(rest) > 2 {
		return call.NotFoundRoute()
	}
	return call.MethodRoute("collections.create", "DELETE", "GET", "PATCH", "POST")
}

// versionLabel counts down from Summer '26. [R for 20.0 and 67.0]
func versionLabel(number int) string {
	seasons := [...]string{"Winter", "Spring", "Summer"}
	steps := number - 20 // 20.0 is Winter '11
	return seasons[steps%3] + " '" + strconv.Itoa(11+steps/3)
}

// versions needs no token. [R]
func versions(c *call.Call) {
	b := []byte{'['}
	for n := 20; n <= call.NewestVersion; n++ {
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
func resources(c *call.Call) {
	prefix := "/services/data/v" + c.Version + "/"
	list := map[string]string{"identity": c.IdentityURL(c.Actor.ID)}
	for _, name := range [...]string{"sobjects", "query", "queryAll", "composite", "limits", "jobs"} {
		list[name] = prefix + name
	}
	c.JSON(200, list)
}

// reads is a resource that can only be read.
func (c router) reads(rt call.Route) call.Route {
	if c.Method != http.MethodGet {
		return call.MethodRoute(rt.Op, "GET", "HEAD")
	}
	return rt
}
