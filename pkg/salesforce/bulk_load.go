package salesforce

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// BulkLoad is a set of records for one job of the Bulk API 2.0.
type BulkLoad struct {
	Object          string
	Operation       BulkOperation
	ExternalIDField string
	// Columns are the fields that are sent. A record without a value for one
	// leaves the field alone; nil and "" clear it.
	Columns []string
	// MatchColumn is one of the columns, with another value in each record: the
	// order of a job's results is not that of its rows.
	MatchColumn string
	Records     []Record
	// Delay is the pause before each look at the job; see BulkWait.
	Delay func(n int) time.Duration
	// Opened, when given, is told the job's id before anything is uploaded, so
	// that it can be written down. An error gives the job up.
	Opened func(jobID string) error
}

// cleared is how CSV says null; an empty cell leaves the field alone. [R]
const cleared = "#N/A"

// BulkIngest runs a load: it opens a job, uploads, closes, waits, and matches
// the results. The results are in the order of the records, one each. On an
// error the job's id, if there is one, says where to look; when the outcome is
// MaybeApplied, BulkFinish takes up the job again.
func (c *Client) BulkIngest(ctx context.Context, load BulkLoad) (BulkJob, []Result, error) {
	if len(load.Records) == 0 {
		return BulkJob{}, nil, nil
	}
	job, err := c.BulkStart(ctx, load)
	if err != nil {
		return job, nil, err
	}
	return c.BulkFinish(ctx, job.ID, load)
}

// BulkStart opens a job, uploads the load and closes the job. Until the close
// nothing can have been applied; a job that cannot be closed is aborted.
func (c *Client) BulkStart(ctx context.Context, load BulkLoad) (BulkJob, error) {
	rows, err := load.csv()
	if err != nil {
		return BulkJob{}, err
	}
	job, err := c.BulkCreateJob(ctx, load.Object, load.Operation, load.ExternalIDField)
	if err != nil {
		return BulkJob{}, notApplied(err)
	}
	if load.Opened != nil {
		if err := load.Opened(job.ID); err != nil {
			c.abandon(ctx, job.ID)
			return job, err
		}
	}
	if err := c.BulkUpload(ctx, job.ID, rows); err != nil {
		c.abandon(ctx, job.ID)
		return job, notApplied(err)
	}
	closed, err := c.BulkClose(ctx, job.ID)
	if err != nil {
		return job, err
	}
	return closed, nil
}

// notApplied corrects the outcome of a call that changes no record.
func notApplied(err error) error {
	if e, ok := asError(err); ok {
		e.Outcome = NotApplied
	}
	return err
}

// abandon aborts a job that will not be used. Whether that works does not
// matter: an open job does nothing, and Salesforce drops it after seven days.
func (c *Client) abandon(ctx context.Context, jobID string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.CallTimeout)
	defer cancel()
	_, _ = c.BulkAbort(ctx, jobID)
}

// csv writes the rows, and refuses a load whose results could not be matched.
func (l BulkLoad) csv() ([]byte, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(l.Columns) // a bytes.Buffer does not fail
	seen := make(map[string]bool, len(l.Records))
	row := make([]string, len(l.Columns))
	for i, r := range l.Records {
		for j, column := range l.Columns {
			cell, err := bulkCell(r, column)
			if err != nil {
				return nil, programming("record %d: %s: %v", i, column, err)
			}
			row[j] = cell
		}
		match := l.matchValue(r)
		if match == "" || match == cleared || seen[match] {
			return nil, programming("record %d has no value of its own in %s, so its result could not be found", i, l.MatchColumn)
		}
		seen[match] = true
		_ = w.Write(row)
	}
	w.Flush()
	return b.Bytes(), nil
}

func (l BulkLoad) check() error {
	switch l.Operation {
	case BulkInsert, BulkUpdate, BulkUpsert, BulkDelete:
	default:
		return programming("an unknown bulk operation")
	}
	if !nameLike.MatchString(l.Object) {
		return programming("the name of the object is not one")
	}
	found := false
	for _, column := range l.Columns {
		found = found || column == l.MatchColumn
		if !nameLike.MatchString(column) {
			return programming("a column is not the name of a field")
		}
	}
	if !found {
		return programming("MatchColumn is not among the columns")
	}
	return nil
}

// matchValue is the record's cell in the match column.
func (l BulkLoad) matchValue(r Record) string {
	cell, err := bulkCell(r, l.MatchColumn)
	if err != nil {
		return ""
	}
	return cell
}

// FitsBulk says why a record cannot be a row of a load: CSV has no nested
// values, and the text #N/A would clear the field.
func FitsBulk(r Record) error {
	for _, column := range slices.Sorted(maps.Keys(r)) {
		if _, err := bulkCell(r, column); err != nil {
			return programming("%s: %v", column, err)
		}
	}
	return nil
}

// bulkCell writes one value as CSV has it.
func bulkCell(r Record, column string) (string, error) {
	value, ok := r[column]
	if !ok {
		return "", nil
	}
	switch v := value.(type) {
	case nil:
		return cleared, nil
	case string:
		if v == "" {
			return cleared, nil
		}
		if v == cleared {
			return "", errors.New("the text " + cleared + " would clear the field")
		}
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case json.Number:
		return v.String(), nil
	}
	return "", fmt.Errorf("a %T cannot be a cell", value)
}
