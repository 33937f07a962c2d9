package bulk

import (
	"encoding/base64"
	"strconv"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/soql"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// queryJob is a query job of Bulk API 2.0. Its rows are those of the moment it
// was made. [D api_asynch]
type queryJob struct {
	id        string
	object    string
	operation string
	ending    string
	delimiter string
	version   string
	user      string
	created   time.Time
	state     string
	header    []string
	columns   []soql.Path
	rows      []*store.Record
}

// createQueryJob: what is wrong with the query is said at once; the code is an
// assumption. [U]
func (c exports) createQueryJob() {
	in, ok := c.RecordBody()
	if !ok {
		return
	}
	j := &queryJob{operation: in.Object.Text("operation"), ending: orText(in.Object.Text("lineEnding"), "LF"),
		delimiter: orText(in.Object.Text("columnDelimiter"), "COMMA"), version: c.Version, user: c.Session.UserID, created: c.Started, state: jobUploaded}
	if j.operation != "query" && j.operation != "queryAll" {
		c.Fail(errJob("Unsupported operation: " + j.operation))
		return
	}
	if delimiter(j.delimiter) == 0 || j.ending != "LF" && j.ending != "CRLF" {
		c.Fail(errJob("Unsupported lineEnding or columnDelimiter"))
		return
	}
	q, err := soql.Parse(in.Object.Text("query"))
	if err != nil {
		c.Fail(wire.PlatformError(400, "API_ERROR", err.Error()))
		return
	}
	defer c.Lock()()
	if failure := c.runQueryJob(j, q); failure != nil {
		c.Fail(wire.PlatformError(400, "API_ERROR", failure.Message))
		return
	}
	c.Entry.Object, c.Entry.Records = j.object, len(j.rows)
	c.shelf().addQuery(j)
	c.Bytes(200, j.body(false))
}

// runQueryJob finds columns and rows: plain fields only, as in life.
func (c exports) runQueryJob(j *queryJob, q *soql.Query) *wire.APIError {
	plan, failure := soql.Compile(c.Org.Data, q, false)
	if failure != nil {
		return failure
	}
	if plan.Aggregates() {
		return errJob("Aggregate functions are not supported in a query job")
	}
	columns, plain := plan.Fields()
	if !plain {
		return errJob("Functions are not supported in a query job")
	}
	j.columns = columns
	for i := range columns {
		j.header = append(j.header, columns[i].Name())
	}
	j.object, j.rows = plan.Object().Name, plan.Run()
	return nil
}

func (s *shelf) addQuery(j *queryJob) {
	s.next++
	j.id = store.NewID("750", s.pod, s.next)
	s.queries[store.ShortID(j.id)] = j
	s.queryOrder = append(s.queryOrder, j.id)
	for len(s.queryOrder) > maxJobs {
		delete(s.queries, store.ShortID(s.queryOrder[0]))
		s.queryOrder = s.queryOrder[1:]
	}
}

// withQueryJob works on a job, or answers 404.
func (c exports) withQueryJob(id string, work func(j *queryJob)) {
	defer c.Lock()()
	j := c.shelf().queries[store.ShortID(id)]
	if j == nil {
		c.Fail(wire.ErrNotFound())
		return
	}
	c.Entry.Object = j.object
	work(j)
}

func (c exports) readQueryJob(id string) {
	c.withQueryJob(id, func(j *queryJob) {
		j.advance()
		c.Bytes(200, j.body(true))
	})
}

func (j *queryJob) advance() {
	switch j.state {
	case jobUploaded:
		j.state = jobInProgress
	case jobInProgress:
		j.state = jobComplete
	}
}

func (c exports) abortQueryJob(id string) {
	in, ok := c.RecordBody()
	if !ok {
		return
	}
	c.withQueryJob(id, func(j *queryJob) {
		if state := in.Object.Text("state"); state != jobAborted || j.state == jobComplete || j.state == jobAborted {
			c.Fail(errJob("Cannot change the state of a job from " + j.state + " to " + state))
			return
		}
		j.state, j.rows = jobAborted, nil
		c.Bytes(200, j.body(false))
	})
}

func (c exports) deleteQueryJob(id string) {
	c.withQueryJob(id, func(j *queryJob) {
		if j.state != jobComplete && j.state != jobAborted { // [D]
			c.Fail(errJob("A job must be JobComplete, Aborted or Failed to be deleted"))
			return
		}
		delete(c.shelf().queries, store.ShortID(id))
		c.None(204)
	})
}

func (c exports) listQueryJobs() {
	defer c.RLock()()
	b := []byte(`{"done":true,"records":[`)
	first := true
	for _, id := range c.shelf().queryOrder {
		if j := c.shelf().queries[store.ShortID(id)]; j != nil {
			if !first {
				b = append(b, ',')
			}
			b, first = append(b, j.body(false)...), false
		}
	}
	c.Bytes(200, append(b, `],"nextRecordsUrl":null}`...))
}

// queryResults writes a page as CSV. The locator of the last page is the word
// null. [D, C go-salesforce]
func (c exports) queryResults(id string) {
	query := c.Request.URL.Query()
	from, size := 0, 0
	c.withQueryJob(id, func(j *queryJob) {
		for j.state != jobComplete && j.state != jobAborted {
			j.advance()
		}
		var err error
		if locator := query.Get("locator"); locator != "" {
			from, err = offsetOf(locator)
		}
		if size = len(j.rows); query.Get("maxRecords") != "" && err == nil {
			size, err = strconv.Atoi(query.Get("maxRecords"))
		}
		if err != nil || from > len(j.rows) || size < 1 && len(j.rows) > 0 {
			c.Fail(wire.PlatformError(400, "API_ERROR", "invalid locator or maxRecords")) // [U]
			return
		}
		c.resultPage(j, from, min(from+size, len(j.rows)))
	})
}

func (c exports) resultPage(j *queryJob, from, to int) {
	comma, end := string(delimiter(j.delimiter)), map[string]string{"LF": "\n", "CRLF": "\r\n"}[j.ending]
	b := csvLine(nil, comma, end, j.header)
	cells := make([]string, len(j.columns))
	for _, r := range j.rows[from:to] {
		for i := range j.columns {
			cells[i] = wire.PlainValue(j.columns[i].Value(c.Org.Data, r))
		}
		b = csvLine(b, comma, end, cells)
	}
	locator := "null"
	if to < len(j.rows) {
		locator = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)))
	}
	c.Header.Set("Sforce-NumberOfRecords", strconv.Itoa(to-from))
	c.Header.Set("Sforce-Locator", locator)
	c.Kind(wire.CSVType)
	c.Set(200, b)
}

func offsetOf(locator string) (int, error) {
	text, err := base64.RawURLEncoding.DecodeString(locator)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(string(text), 10, 31)
	return int(n), err
}

// body writes the job; counters only when it is read alone. [D]
func (j *queryJob) body(full bool) []byte {
	at := wire.InstantOf(j.created).String()
	b := []byte(`{"id":"` + j.id + `","operation":"` + j.operation + `","object":"` + j.object + `","createdById":"` + j.user +
		`","createdDate":"` + at + `","systemModstamp":"` + at + `","state":"` + j.state +
		`","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":` + j.version)
	if full {
		done := 0
		if j.state == jobComplete {
			done = len(j.rows)
		}
		b = append(b, `,"jobType":"V2Query","numberRecordsProcessed":`+strconv.Itoa(done)+`,"retries":0,"totalProcessingTime":0`...)
	}
	return append(b, `,"lineEnding":"`+j.ending+`","columnDelimiter":"`+j.delimiter+`"}`...)
}
