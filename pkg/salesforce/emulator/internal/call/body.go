package call

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// maxBody bounds a request; Bulk uploads may be 150 MB, everything else is far
// smaller. [D]
const maxBody = 160 << 20

// Read takes the body, unpacked.
func (c *Call) Read() error {
	var src io.Reader = c.Request.Body
	if strings.EqualFold(c.Request.Header.Get("Content-Encoding"), "gzip") {
		z, err := gzip.NewReader(src)
		if err != nil {
			return fmt.Errorf("gzip body: %w", err)
		}
		src = z
	}
	var body bytes.Buffer
	body.Grow(int(max(0, min(c.Request.ContentLength, 1<<20))))
	n, err := body.ReadFrom(io.LimitReader(src, maxBody+1))
	if err != nil {
		return fmt.Errorf("request body: %w", err)
	}
	if n > maxBody {
		return errors.New("request body too large")
	}
	c.Payload = body.Bytes()
	return nil
}

// RecordBody parses the body of a single-record call.
func (c *Call) RecordBody() (store.JSONInput, bool) {
	if len(c.Payload) == 0 && c.doc == nil {
		c.Fail(wire.ErrNoBody())
		return store.JSONInput{}, false
	}
	if err := c.MediaType("application/json"); err != nil {
		c.Fail(err)
		return store.JSONInput{}, false
	}
	doc, err := c.Document()
	if err != nil {
		c.Fail(wire.ErrJSON(err))
		return store.JSONInput{}, false
	}
	obj, ok := doc.(*wire.Object)
	if !ok {
		c.Fail(wire.PlatformError(400, "JSON_PARSER_ERROR", "The value provided is not a JSON object at "+wire.Position(c.Payload, 0))) // [U]
	}
	return store.JSONInput{Object: obj, Src: c.Payload}, ok
}

// MediaType refuses a body of another type than the resource takes. Text and
// code are [R nforce #74]; that a body without a type is taken is an
// assumption. [U]
func (c *Call) MediaType(want string) *wire.APIError {
	sent := c.Request.Header.Get("Content-Type")
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

// Document parses the body once.
func (c *Call) Document() (any, error) {
	if c.doc != nil || len(c.Payload) == 0 {
		return c.doc, nil
	}
	doc, err := wire.ReadJSON(c.Payload)
	if err != nil {
		return nil, err
	}
	c.doc = doc
	return doc, nil
}
