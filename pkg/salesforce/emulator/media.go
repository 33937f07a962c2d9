package emulator

import (
	"mime"
	"net/http"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// mediaType refuses a body of another type than the resource takes. Text and
// code are [R nforce #74]; that a body without a type is taken is an
// assumption. [U]
func (c *call) mediaType(want string) *wire.APIError {
	sent := c.r.Header.Get("Content-Type")
	if sent == "" || c.part {
		return nil
	}
	kind, _, err := mime.ParseMediaType(sent)
	if err != nil {
		kind = sent
	}
	if strings.EqualFold(kind, want) {
		return nil
	}
	return wire.PlatformError(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "MediaType of '"+kind+"' is not supported by this resource")
}

// acceptable refuses callers that want nothing but XML: Salesforce would serve
// it, the emulator speaks JSON only. Code and text are its own. [U]
func (c *call) acceptable() *wire.APIError {
	accept := strings.ToLower(strings.Join(c.r.Header.Values("Accept"), ","))
	if !strings.Contains(accept, "xml") || strings.Contains(accept, "json") || strings.Contains(accept, "*/*") || strings.Contains(accept, "text/csv") {
		return nil
	}
	return wire.PlatformError(http.StatusNotAcceptable, "NOT_ACCEPTABLE", "This emulator answers with JSON only")
}
