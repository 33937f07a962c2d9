package bulk

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/call"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// nullCell clears a field; an empty cell leaves it alone. [D]
const nullCell = "#N/A"

// delimiter is the character a columnDelimiter stands for, or 0. [D]
func delimiter(name string) rune {
	return map[string]rune{"COMMA": ',', "TAB": '\t', "SEMICOLON": ';', "PIPE": '|', "CARET": '^', "BACKQUOTE": '`'}[name]
}

// bulkResult is what became of the rows.
type bulkResult struct {
	columns []string
	good    []bulkRow
	bad     []bulkRow
	rest    [][]string // not processed
}

type bulkRow struct {
	id      string
	created bool
	err     string
	cells   []string
}

// csvInput reads a record from a CSV row.
type csvInput struct {
	columns []string
	cells   []string
}

func (in csvInput) Each(fn func(string, any) *wire.APIError) *wire.APIError {
	for i, name := range in.columns {
		if i >= len(in.cells) || in.cells[i] == "" || strings.EqualFold(name, "Id") {
			continue
		}
		var v any = in.cells[i]
		if in.cells[i] == nullCell {
			v = nil
		}
		if err := fn(name, v); err != nil {
			return bulkError(err, i, name, in.cells[i])
		}
	}
	return nil
}

// bulkError words a value that does not fit its column. [R shape]
func bulkError(err *wire.APIError, column int, name, value string) *wire.APIError {
	if err.Code != "JSON_PARSER_ERROR" {
		return err
	}
	return wire.RecordError("INVALID_FIELD",
		fmt.Sprintf("Failed to deserialize field at col %d. Due to, '%s' is not a valid value for the type xsd:%s", column, value, xsdType(err.Message)), name)
}

// xsdType takes the type out of "Cannot deserialize instance of date from".
func xsdType(message string) string {
	words := strings.Fields(message)
	for i, w := range words {
		if w == "of" && i+1 < len(words) {
			return words[i+1]
		}
	}
	return "string"
}

func (in csvInput) Value(name string) (any, bool) {
	for i, column := range in.columns {
		if strings.EqualFold(column, name) && i < len(in.cells) && in.cells[i] != "" {
			return in.cells[i], true
		}
	}
	return nil, false
}

// rows reads what was uploaded, the header first.
func (j *bulkJob) rows() ([][]string, error) {
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(j.data, []byte("\xef\xbb\xbf"))))
	reader.Comma, reader.FieldsPerRecord = delimiter(j.delimiter), -1
	rows, err := reader.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("rows of a bulk job: %w", err)
	}
	return rows, nil
}

// endsAsSaid compares the end of the header with the lineEnding of the job.
func (j *bulkJob) endsAsSaid() bool {
	header, _, found := bytes.Cut(j.data, []byte("\n"))
	return !found || bytes.HasSuffix(header, []byte("\r")) == (j.ending == "CRLF")
}

// process applies a job's rows. A bad row does not fail the job; a bad header
// does. [R] The state lock is held.
func (c ingest) process(j *bulkJob) {
	o := c.Org.Object(j.object)
	rows, err := j.rows()
	said := j.endsAsSaid()
	j.data = nil
	if err != nil || len(rows) == 0 {
		j.message = "InvalidBatch : Failed to parse CSV" // [U]
		return
	}
	j.result.columns, j.result.rest = rows[0], rows[1:]
	if !said { // [R forcedotcom/cli #3113 and others]
		j.message = "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is " + j.ending
		return
	}
	for _, name := range rows[0] {
		if !c.Org.Column(o, name) { // [R]
			j.message = "InvalidBatch : Field name not found : " + name
			return
		}
	}
	for chunk := range slices.Chunk(j.result.rest, call.MaxRecords) {
		c.processChunk(j, o, chunk)
	}
	j.result.rest = nil
}

// processChunk is one transaction of up to 200 rows, as in life.
func (c ingest) processChunk(j *bulkJob, o *store.Object, rows [][]string) {
	t := c.Begin(len(rows))
	keys := store.NewUpsertKeys(o.Field("Id"))
	if j.operation == "upsert" {
		keys = store.NewUpsertKeys(o.Field(j.external))
		for _, cells := range rows {
			keys.Add(csvInput{j.result.columns, cells})
		}
	}
	for _, cells := range rows {
		in := csvInput{j.result.columns, cells}
		mark := t.Mark()
		res := j.apply(t, o, in, keys)
		if !res.OK() {
			t.RollbackTo(mark)
			c.Entry.Failed++
			id, _ := in.Value("Id")
			j.result.bad = append(j.result.bad, bulkRow{id: wire.PlainValue(id), err: errorCell(res.Errs[0]), cells: cells})
			continue
		}
		j.result.good = append(j.result.good, bulkRow{id: res.ID, created: res.Created, cells: cells})
	}
	c.Note(t, len(rows))
}

func (j *bulkJob) apply(t *store.Tx, o *store.Object, in csvInput, keys store.UpsertKeys) store.Outcome {
	id, _ := in.Value("Id")
	if err := keys.Repeated(in); err != nil {
		return store.Failed(err)
	}
	switch j.operation {
	case "insert":
		return t.Insert(o, in)
	case "update":
		if id == nil {
			return store.Failed(wire.RecordError("MISSING_ARGUMENT", "Id not specified in an update call"))
		}
		return t.Update(o, wire.PlainValue(id), in)
	case "upsert":
		f := o.Field(j.external)
		key, _ := in.Value(f.Name)
		if key == nil && f.Kind == store.KindID {
			return t.Insert(o, in)
		}
		if key == nil {
			return store.Failed(wire.RecordError("MISSING_ARGUMENT", f.Name+" not specified"))
		}
		res, rows := t.Upsert(o, f, wire.PlainValue(key), in, false)
		if rows != nil {
			return store.Failed(wire.RecordError("DUPLICATE_EXTERNAL_ID", f.Name+": more than one record found for external id field"))
		}
		return res
	}
	if id == nil {
		return store.Failed(wire.RecordError("MISSING_ARGUMENT", "Id not specified in a delete call"))
	}
	return t.Remove(o, wire.PlainValue(id))
}

// errorCell is CODE:message:fields --, without the blank when there are no
// fields. [R]
func errorCell(e *wire.APIError) string {
	if len(e.Fields) == 0 {
		return e.Code + ":" + e.Message + ":--"
	}
	return e.Code + ":" + e.Message + ":" + strings.Join(e.Fields, ",") + " --"
}

// jobResults writes successfulResults, failedResults or unprocessedrecords. [R]
func (c ingest) jobResults(id, which string) {
	defer c.Lock()()
	j := c.job(id)
	if j == nil {
		return
	}
	for j.next != "" && j.queued == nil {
		j.advance()
	}
	comma, end := string(delimiter(j.delimiter)), "\n"
	var b []byte
	switch which {
	case "successfulResults":
		b = csvLine(b, comma, end, append([]string{"sf__Id", "sf__Created"}, j.result.columns...))
		for _, r := range j.result.good {
			b = csvLine(b, comma, end, append([]string{r.id, strconv.FormatBool(r.created)}, r.cells...))
		}
	case "failedResults":
		b = csvLine(b, comma, end, append([]string{"sf__Id", "sf__Error"}, j.result.columns...))
		for _, r := range j.result.bad {
			b = csvLine(b, comma, end, append([]string{r.id, r.err}, r.cells...))
		}
	case "unprocessedrecords":
		b = csvLine(b, comma, end, j.result.columns)
		for _, cells := range j.result.rest {
			b = csvLine(b, comma, end, cells)
		}
	default:
		c.Fail(wire.ErrNotFound())
		return
	}
	c.Kind(wire.CSVType)
	c.Set(200, b)
}

// csvLine quotes every cell, as recorded.
func csvLine(b []byte, comma, end string, cells []string) []byte {
	for i, cell := range cells {
		if i > 0 {
			b = append(b, comma...)
		}
		b = append(b, '"')
		b = append(b, strings.ReplaceAll(cell, `"`, `""`)...)
		b = append(b, '"')
	}
	return append(b, end...)
}
