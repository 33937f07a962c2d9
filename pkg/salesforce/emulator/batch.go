package emulator

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// batch answers POST /composite/batch: independent parts, no rollback. [R]
func (c *call) batch() {
	in, ok := c.recordBody()
	if !ok {
		return
	}
	list, _ := in.object.get("batchRequests")
	items, _ := list.([]any)
	if len(items) == 0 || len(items) > maxSubrequests { // [U] code and text
		c.fail(platformError(400, "LIMIT_EXCEEDED", fmt.Sprintf("A batch takes 1 to %d subrequests", maxSubrequests)))
		return
	}
	defer c.lock()()
	c.entry.Mutating = false
	halt, failed := in.object.flag("haltOnError"), false
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
	c.bytes(200, fmt.Appendf(nil, `{"hasErrors":%t,"results":[%s]}`, failed, results))
}

// batchPart runs one part. Its url has no /services/data/ prefix. [R]
func (c *call) batchPart(item any) (int, []byte) {
	obj, ok := item.(*jsonObject)
	if !ok {
		return 400, errorBody(platformError(400, "JSON_PARSER_ERROR", "Subrequest is not an object"))
	}
	address := strings.TrimPrefix(strings.TrimPrefix(obj.text("url"), "/"), "services/data/")
	body, _ := obj.get("richInput")
	part := c.partOf(obj.text("method"), "/services/data/"+address, body, nil)
	part.serve()
	c.absorb(part)
	out := part.res.body
	switch {
	case part.res.status == http.StatusNoContent || len(out) == 0:
		return part.res.status, []byte("null")
	case part.res.status >= 400:
		// Errors inside a batch are HTML-escaped in the record. [R]
		out = bytes.ReplaceAll(bytes.ReplaceAll(out, []byte("'"), []byte("&#39;")), []byte("<"), []byte("&lt;"))
	}
	return part.res.status, out
}
