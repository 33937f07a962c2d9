package push_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

func plainBody(req *http.Request) ([]byte, error) {
	defer func() { _ = req.Body.Close() }()
	if req.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(req.Body)
	}
	z, err := gzip.NewReader(req.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// names answers the catalogue: whatever is asked, the first answer has the
// profile's name and the last one the permission set's.
func (y *yes) names(n int) any {
	var answers []any
	for i := range n {
		name := map[int]string{0: emulator.StandardUserProfile, n - 1: "Sales_Base"}[i]
		answers = append(answers, map[string]any{"referenceId": fmt.Sprintf("ref%d", i), "httpStatusCode": 200, "httpHeaders": map[string]any{},
			"body": map[string]any{"totalSize": 1, "done": true, "records": []any{map[string]any{"Id": "00e00000000000" + fmt.Sprint(1+i), "Name": name}}}})
	}
	return map[string]any{"compositeResponse": answers}
}

func (y *yes) results(records []map[string]any) any {
	out := make([]any, len(records))
	for i, r := range records {
		id, _ := r["Id"].(string)
		if id == "" {
			y.next++
			id = fmt.Sprintf("005%012d", y.next)
		}
		out[i] = map[string]any{"id": id, "success": true, "errors": []any{}}
	}
	return out
}
