package call

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Route is what a request asks for.
type Route struct {
	Op       string
	Mutating bool
	Data     bool // needs a session and counts as an API call
	Run      func(c *Call)
}

// Segments are the parts of the path below /services/data, decoded one by one:
// a slash that the client escaped belongs to a value, an external id say.
func (c *Call) Segments() []string {
	_, rest, _ := strings.Cut(c.Request.URL.EscapedPath(), "/services/data")
	rest = strings.Trim(rest, "/")
	if rest == "" {
		return nil
	}
	parts := strings.Split(rest, "/")
	for i, part := range parts {
		parts[i] = PathName(part)
	}
	return parts
}

// NotFoundRoute is a data call to nothing.
func NotFoundRoute() Route {
	return Route{Op: "unknown", Data: true, Run: func(c *Call) { c.Fail(wire.ErrNotFound()) }}
}

// MethodRoute is a data call with a method that the resource does not have.
func MethodRoute(op string, allowed ...string) Route {
	return Route{Op: op, Data: true, Run: func(c *Call) { c.Fail(wire.ErrMethod(c.Method, allowed...)) }}
}

// The API versions that are served.
const (
	oldestVersion = 31 // 21-30 were retired in Summer '25 [D]
	NewestVersion = 67
)

// CheckVersion refuses versions that are gone (410 [R Pipedream #3134]) or
// never were (404). The texts are assumptions. [U]
func (c *Call) CheckVersion() *wire.APIError {
	number, err := strconv.ParseFloat(c.Version, 64)
	if err != nil || !strings.HasSuffix(c.Version, ".0") || number > NewestVersion {
		return wire.ErrNotFound()
	}
	if number < oldestVersion {
		return wire.PlatformError(http.StatusGone, "UNSUPPORTED_API_VERSION", "API version "+c.Version+" is retired")
	}
	return nil
}

// PathName decodes one segment of a path.
func PathName(s string) string {
	if out, err := url.PathUnescape(s); err == nil {
		return out
	}
	return s
}
