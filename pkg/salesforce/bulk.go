package salesforce

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// BulkOperation is what a Bulk API 2.0 ingest job does.
type BulkOperation string

// The operations of ingest jobs.
const (
	BulkInsert BulkOperation = "insert"
	BulkUpdate BulkOperation = "update"
	BulkUpsert BulkOperation = "upsert"
	BulkDelete BulkOperation = "delete"
)

// States of a job: Open, UploadComplete, InProgress, and three that are final.
// A job with refused rows is complete all the same. [R]
const (
	BulkStateOpen           = "Open"
	BulkStateUploadComplete = "UploadComplete"
	BulkStateInProgress     = "InProgress"
	BulkStateComplete       = "JobComplete"
	BulkStateFailed         = "Failed"
	BulkStateAborted        = "Aborted"
)

// maxBulkUpload bounds one upload; Salesforce takes 150 MB after its own
// encoding, and advises 100 MB. [D]
const maxBulkUpload = 100 << 20

// BulkJob is an ingest job as Salesforce reports it.
type BulkJob struct {
	ID           string        `json:"id"`
	Operation    BulkOperation `json:"operation"`
	Object       string        `json:"object"`
	State        string        `json:"state"`
	ErrorMessage string        `json:"errorMessage"`
	Processed    int           `json:"numberRecordsProcessed"`
	Failed       int           `json:"numberRecordsFailed"`
}

// Done says whether the job will not change any more.
func (j BulkJob) Done() bool {
	return j.State == BulkStateComplete || j.State == BulkStateFailed || j.State == BulkStateAborted
}

// BulkCreateJob opens a job. The external id field is for upserts only. A job
// that is never closed does nothing and is dropped by Salesforce.
func (c *Client) BulkCreateJob(ctx context.Context, object string, op BulkOperation, externalIDField string) (BulkJob, error) {
	body := map[string]any{"object": object, "operation": op, "contentType": "CSV", "lineEnding": "LF"}
	if externalIDField != "" {
		body["externalIdFieldName"] = externalIDField
	}
	return c.bulkJob(ctx, call{method: http.MethodPost, path: c.dataPath("jobs/ingest"), body: body}, "")
}

// BulkUpload uploads the rows of a job, once.
func (c *Client) BulkUpload(ctx context.Context, jobID string, rows []byte) error {
	if len(rows) > maxBulkUpload {
		return programming("%d bytes to upload; a job takes %d", len(rows), maxBulkUpload)
	}
	_, err := c.do(ctx, call{
		method: http.MethodPut, path: c.bulkPath(jobID, "/batches"), raw: rows, contentType: "text/csv", accept: "application/json",
	})
	return err
}

// BulkClose says that the upload is complete: from here the job runs.
func (c *Client) BulkClose(ctx context.Context, jobID string) (BulkJob, error) {
	return c.bulkState(ctx, jobID, BulkStateUploadComplete)
}

// BulkAbort stops a job; rows that were done stay done.
func (c *Client) BulkAbort(ctx context.Context, jobID string) (BulkJob, error) {
	return c.bulkState(ctx, jobID, BulkStateAborted)
}

// BulkStatus reads a job.
func (c *Client) BulkStatus(ctx context.Context, jobID string) (BulkJob, error) {
	return c.bulkJob(ctx, call{method: http.MethodGet, path: c.bulkPath(jobID, "")}, jobID)
}

// BulkDeleteJob removes a finished job and its results.
func (c *Client) BulkDeleteJob(ctx context.Context, jobID string) error {
	return c.noContent(ctx, call{method: http.MethodDelete, path: c.bulkPath(jobID, "")})
}

// BulkWait polls a job until it is done. The pause before the nth look is
// delay(n), counted from 0; nil means DefaultBulkDelay.
func (c *Client) BulkWait(ctx context.Context, jobID string, delay func(n int) time.Duration) (BulkJob, error) {
	if delay == nil {
		delay = DefaultBulkDelay
	}
	timer := time.NewTimer(delay(0))
	defer timer.Stop()
	for n := 1; ; n++ {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return BulkJob{}, &Error{Class: Timeout, Code: CodeNoAnswer, Message: "the bulk job is not done in time", Outcome: MaybeApplied, cause: ctx.Err()}
		}
		job, err := c.BulkStatus(ctx, jobID)
		if err != nil || job.Done() {
			return job, err
		}
		timer.Reset(delay(n))
	}
}

// DefaultBulkDelay doubles from one second to half a minute: a small job takes
// seconds, and each look is an API call.
func DefaultBulkDelay(n int) time.Duration {
	return min(30*time.Second, time.Second<<min(n, 5))
}

func (c *Client) bulkState(ctx context.Context, jobID, state string) (BulkJob, error) {
	k := call{method: http.MethodPatch, path: c.bulkPath(jobID, ""), body: map[string]any{"state": state}}
	return c.bulkJob(ctx, k, jobID)
}

// bulkJob sends a call that is answered with a job: the one asked for.
func (c *Client) bulkJob(ctx context.Context, k call, want string) (BulkJob, error) {
	var job BulkJob
	if err := c.doJSON(ctx, k, &job); err != nil {
		return BulkJob{}, err
	}
	if !plausibleID(job.ID) || job.State == "" || (want != "" && !sameID(want, job.ID)) {
		return BulkJob{}, unreadable(http.StatusOK, k.mutating(), "the answer is not the bulk job")
	}
	return job, nil
}

// bulkPath is built from the id; the contentUrl of a job has no leading slash
// [R] and says nothing more.
func (c *Client) bulkPath(jobID, rest string) string {
	return c.dataPath("jobs/ingest/" + url.PathEscape(jobID) + rest)
}
