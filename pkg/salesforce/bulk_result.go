package salesforce

import (
	"bytes"
	"context"
	"encoding/csv"
	"net/http"
	"strings"
)

// BulkRows names one of the three lists of a job's rows.
type BulkRows string

// The lists of a job's rows, as their paths are written.
const (
	BulkSuccessful  BulkRows = "successfulResults"
	BulkFailed      BulkRows = "failedResults"
	BulkUnprocessed BulkRows = "unprocessedrecords" // lower case [R]
)

// BulkResultRows reads one list of a job's rows, each as column to cell. The
// first two have the columns sf__Id and sf__Created or sf__Error besides. [R]
func (c *Client) BulkResultRows(ctx context.Context, jobID string, list BulkRows) ([]map[string]string, error) {
	k := call{method: http.MethodGet, path: c.bulkPath(jobID, "/"+string(list)), accept: "text/csv"}
	r, err := c.do(ctx, k)
	if err != nil {
		return nil, err
	}
	rows, ok := readCSV(r.body)
	if !ok {
		return nil, unreadable(r.status, false, "the %s are not CSV (%d bytes of %s)", list, len(r.body), mediaType(r.header))
	}
	return rows, nil
}

// readCSV reads rows under a header; an empty body has none.
func readCSV(body []byte) ([]map[string]string, bool) {
	lines, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil {
		return nil, false
	}
	if len(lines) == 0 {
		return nil, true
	}
	header := lines[0]
	for _, name := range header {
		if !nameLike.MatchString(name) {
			return nil, false
		}
	}
	rows := make([]map[string]string, len(lines)-1)
	for i, line := range lines[1:] {
		rows[i] = make(map[string]string, len(header))
		for j, cell := range line {
			rows[i][header[j]] = cell
		}
	}
	return rows, true
}

// BulkFinish waits for a job that was started with the load and matches its
// results with the records. Salesforce keeps them for seven days, so a program
// that was stopped in between can take up here. A record that is in none of the
// lists has an error with the outcome MaybeApplied.
func (c *Client) BulkFinish(ctx context.Context, jobID string, load BulkLoad) (BulkJob, []Result, error) {
	job, err := c.BulkWait(ctx, jobID, load.Delay)
	if err != nil {
		return BulkJob{ID: jobID}, nil, stillRunning(err)
	}
	verdicts := map[string]Result{}
	for _, list := range []BulkRows{BulkSuccessful, BulkFailed, BulkUnprocessed} {
		rows, err := c.BulkResultRows(ctx, jobID, list)
		if err != nil {
			return job, nil, stillRunning(err)
		}
		if err := judgeRows(verdicts, rows, list, load.MatchColumn, job); err != nil {
			return job, nil, err
		}
	}
	results := make([]Result, len(load.Records))
	for i, r := range load.Records {
		verdict, ok := verdicts[load.matchValue(r)]
		if !ok {
			verdict = unaccounted(job)
		}
		results[i] = verdict
	}
	return job, results, nil
}

// stillRunning: while the results are not read, each record is in doubt.
func stillRunning(err error) error {
	if e, ok := asError(err); ok {
		e.Outcome = MaybeApplied
	}
	return err
}

// judgeRows files each row's verdict under its match value. A value in two
// lists, or a list of a complete job of another length than the job says, tells
// nothing. What an aborted job counts is nowhere said, [U] and whoever is in none
// of its lists stays in doubt.
func judgeRows(verdicts map[string]Result, rows []map[string]string, list BulkRows, match string, job BulkJob) error {
	want := map[BulkRows]int{BulkSuccessful: job.Processed - job.Failed, BulkFailed: job.Failed, BulkUnprocessed: len(rows)}[list]
	if len(rows) != want && job.State == BulkStateComplete {
		return unreadable(http.StatusOK, true, "the job has %d %s, and %d were read", want, list, len(rows))
	}
	for _, row := range rows {
		key, ok := row[match]
		if _, twice := verdicts[key]; !ok || twice {
			return unreadable(http.StatusOK, true, "a row of the %s cannot be matched", list)
		}
		verdicts[key] = judgeRow(row, list, job)
	}
	return nil
}

func judgeRow(row map[string]string, list BulkRows, job BulkJob) Result {
	id := row["sf__Id"]
	switch {
	case list == BulkUnprocessed:
		return Result{Errors: []*Error{jobError(job, NotApplied)}}
	case list == BulkFailed:
		return Result{ID: id, Errors: []*Error{parseBulkError(row["sf__Error"])}}
	case !plausibleID(id):
		return Result{Errors: []*Error{{Code: CodeUnreadable, Message: "a success without an id", Outcome: MaybeApplied}}}
	}
	return Result{ID: id, Success: true, Created: row["sf__Created"] == "true"}
}

// unaccounted is the verdict on a record that is in none of the lists. A job
// that failed before its first row did nothing.
func unaccounted(job BulkJob) Result {
	if job.State == BulkStateFailed && job.Processed == 0 {
		return Result{Errors: []*Error{jobError(job, NotApplied)}}
	}
	return Result{Errors: []*Error{{Code: CodeUnreadable, Message: "the bulk job says nothing about this record", Outcome: MaybeApplied}}}
}

// jobError is the job's own failure, "InvalidBatch : Field name not found : x"
// [R], as the error of a record.
func jobError(job BulkJob, outcome Outcome) *Error {
	code, message, ok := strings.Cut(job.ErrorMessage, " : ")
	if !ok {
		code, message = "BULK_JOB_"+strings.ToUpper(job.State), job.ErrorMessage
	}
	e := classify(refusal{code: strings.TrimSpace(code), message: message})
	e.Outcome = outcome
	return e
}

// parseBulkError reads the cell "CODE:message:fields --". The message may hold
// colons; the fields may be missing. [R amp-labs]
func parseBulkError(cell string) *Error {
	code, rest, _ := strings.Cut(cell, ":")
	r := refusal{code: strings.TrimSpace(code), message: rest}
	if text, ok := strings.CutSuffix(strings.TrimSpace(rest), "--"); ok {
		r.message = strings.TrimSpace(text)
		if i := strings.LastIndexByte(text, ':'); i >= 0 {
			r.message = strings.TrimSpace(text[:i])
			for field := range strings.FieldsFuncSeq(text[i+1:], func(c rune) bool { return c == ',' || c == ' ' }) {
				r.fields = append(r.fields, field)
			}
		}
	}
	return classify(r)
}
