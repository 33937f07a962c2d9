package rest

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// batch answers POST /composite/batch: independent parts, no rollback. [R]
func (c composites) batch() {
	in, ok := c.RecordBody()
	if !ok {
		return
	}
	list, _ := in.Object.Get("batchRequests")
	items, _ := list.([]any)
	if len(items) == 0 || len(items) > maxSubrequests { // [U] code and text
		c.Fail(wire.PlatformError(400, "LIMIT_EXCEEDED", fmt.Sprintf("A batch takes 1 to %d subrequests", maxSubrequests)))
		return
	}
	defer c.Lock()()
	c.Entry.Mutating = false
	halt, failed := in.Object.Flag("haltOnError"), false
	var results []byte
	for i, item := range items {
		if i > 0 {
			results = append(results, ',')
		}
		if failed && halt { // [D] 412, text [U]
			results = append(results, `{"statusCode":412,"result":[{"errorCode":"BATCH_PROCESSING_HALTED","message":"Batch processing halted per request"}]}`...)
			continue
		}
		status, body := c.batchPart(item)
		failed = failed || status >= 400
		results = fmt.Appendf(results, `{"statusCode":%d,"result":%s}`, status, body)
	}
	c.Bytes(200, fmt.Appendf(nil, `{"hasErrors":%t,"results":[%s]}`, failed, results))
}

// batchPart runs one part. Its url has no /services/data/ prefix. [R]
func (c composites) batchPart(item any) (int, []byte) {
	obj, ok := item.(*wire.Object)
	if !ok {
		return 400, wire.ErrorBody(wire.PlatformError(400, "JSON_PARSER_ERROR", "Subrequest is not an object"))
	}
	address := strings.TrimPrefix(strings.TrimPrefix(obj.Text("url"), "/"), "services/data/")
	body, _ := obj.Get("richInput")
	part := c.PartOf(obj.Text("method"), "/services/data/"+address, body, nil)
	c.serve(part)
	c.Absorb(part)
	out := part.Body
	switch {
	case part.Status == http.StatusNoContent || len(out) == 0:
		return part.Status, []byte("null")
	case part.Status >= 400:
		// Errors inside a batch are HTML-escaped in the record. [R]
		out = bytes.ReplaceAll(bytes.ReplaceAll(out, []byte("'"), []byte("&#39;")), []byte("<"), []byte("&lt;"))
	}
	return part.Status, out
}
