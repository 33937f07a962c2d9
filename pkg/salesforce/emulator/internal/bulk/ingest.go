package bulk

import (
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// States of a Bulk API 2.0 job. [R]
const (
	jobOpen       = "Open"
	jobUploaded   = "UploadComplete"
	jobInProgress = "InProgress"
	jobComplete   = "JobComplete"
	jobFailed     = "Failed"
	jobAborted    = "Aborted"
)

// maxJobs bounds the jobs an org keeps; the oldest goes first.
const maxJobs = 1000

// bulkJob is one ingest job.
type bulkJob struct {
	id        string
	object    string
	operation string
	external  string
	ending    string
	delimiter string
	version   string
	user      string
	created   time.Time
	state     string
	next      string // the state that the next look at the job shows
	message   string
	data      []byte
	uploaded  bool
	// queued does the work of a job that is closed and waits for its turn.
	queued func()
	result bulkResult
}

// shelf holds an org's jobs; the state lock guards it.
type shelf struct {
	pod        string
	jobs       map[string]*bulkJob
	order      []string
	queries    map[string]*queryJob
	queryOrder []string
	next       uint64
	held       bool // closed jobs wait
}

func newShelf(pod string) *shelf {
	return &shelf{pod: pod, jobs: map[string]*bulkJob{}, queries: map[string]*queryJob{}}
}

func (s *shelf) add(j *bulkJob) {
	s.next++
	j.id = store.NewID("750", s.pod, s.next)
	s.jobs[store.ShortID(j.id)] = j
	s.order = append(s.order, j.id)
	for len(s.order) > maxJobs {
		delete(s.jobs, store.ShortID(s.order[0]))
		s.order = s.order[1:]
	}
}

func errJob(message string) *wire.APIError { return wire.PlatformError(400, "INVALIDJOB", message) } // [U] texts

func (c ingest) createJob() {
	in, ok := c.RecordBody()
	if !ok {
		return
	}
	o := c.Org.Object(in.Object.Text("object"))
	if o == nil {
		c.Fail(wire.PlatformError(400, "INVALIDENTITY", "Unable to find object: "+in.Object.Text("object"))) // [U]
		return
	}
	j := &bulkJob{object: o.Name, operation: in.Object.Text("operation"), external: in.Object.Text("externalIdFieldName"),
		ending: orText(in.Object.Text("lineEnding"), "LF"), delimiter: orText(in.Object.Text("columnDelimiter"), "COMMA"),
		version: c.Version, user: c.Session.UserID, created: c.Started, state: jobOpen}
	if err := j.problem(c.Org.Data, o); err != nil {
		c.Fail(err)
		return
	}
	c.Entry.Object = o.Name
	defer c.Lock()()
	c.shelf().add(j)
	c.Bytes(200, j.body(true, false))
}

func (j *bulkJob) problem(d *store.Data, o *store.Object) *wire.APIError {
	switch j.operation {
	case "insert", "update", "delete", "hardDelete":
	case "upsert":
		if d.Key(o, j.external) == nil {
			return errJob("External ID was not found: " + j.external)
		}
	default:
		return errJob("Unsupported operation: " + j.operation)
	}
	if delimiter(j.delimiter) == 0 || j.ending != "LF" && j.ending != "CRLF" {
		return errJob("Unsupported lineEnding or columnDelimiter")
	}
	return nil
}

func orText(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// job finds a job or answers 404.
func (c ingest) job(id string) *bulkJob {
	j := c.shelf().jobs[store.ShortID(id)]
	if j == nil {
		c.Fail(wire.ErrNotFound())
		return nil
	}
	c.Entry.Object = j.object
	return j
}

// uploadJob takes the CSV: one PUT per job, 201 and no body. [R]
func (c ingest) uploadJob(id string) {
	defer c.Lock()()
	j := c.job(id)
	if j == nil {
		return
	}
	if j.state != jobOpen || j.uploaded {
		c.Fail(errJob("Found multiple contents for job: <" + j.id + ">, please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job and make sure you only do 'PUT' once on a given Job."))
		return
	}
	if err := c.MediaType("text/csv"); err != nil {
		c.Fail(err)
		return
	}
	j.data, j.uploaded = append([]byte(nil), c.Payload...), true
	c.None(201)
}

// closeJob takes {"state":"UploadComplete"} or Aborted.
func (c ingest) closeJob(id string) {
	in, ok := c.RecordBody()
	if !ok {
		return
	}
	state := in.Object.Text("state")
	defer c.Lock()()
	j := c.job(id)
	if j == nil {
		return
	}
	switch {
	case state == jobAborted && (j.state == jobOpen || j.next != ""):
		c.abort(j)
	case state == jobUploaded && j.state == jobOpen:
		// The rows are applied now, under one lock; what a client sees of it
		// is still UploadComplete, then InProgress, then the end.
		j.state, j.next = jobUploaded, jobInProgress
		if c.shelf().held {
			j.queued = func() { c.process(j) }
			break
		}
		c.process(j)
	default:
		c.Fail(errJob("Cannot change the state of a job from " + j.state + " to " + state))
		return
	}
	c.Bytes(200, j.body(false, false))
}

// abort stops a job: what was uploaded and not closed is left unprocessed, and
// rows that were applied stay applied. [D]
func (c ingest) abort(j *bulkJob) {
	if j.state == jobOpen || j.queued != nil {
		if rows, err := j.rows(); err == nil && len(rows) > 0 {
			j.result.columns, j.result.rest = rows[0], rows[1:]
		}
	}
	j.state, j.next, j.data, j.queued = jobAborted, "", nil, nil
}

// advance moves the visible state on by one look.
func (j *bulkJob) advance() {
	switch {
	case j.queued != nil:
	case j.next == jobInProgress:
		j.state, j.next = jobInProgress, jobComplete
	case j.next == jobComplete && j.message != "":
		j.state, j.next = jobFailed, ""
	case j.next == jobComplete:
		j.state, j.next = jobComplete, ""
	}
}

func (c ingest) readJob(id string) {
	defer c.Lock()()
	j := c.job(id)
	if j == nil {
		return
	}
	j.advance()
	c.Bytes(200, j.body(false, true))
}

func (c ingest) listJobs() {
	defer c.RLock()()
	b := []byte(`{"done":true,"records":[`)
	first := true
	for _, id := range c.shelf().order {
		if j := c.shelf().jobs[store.ShortID(id)]; j != nil {
			if !first {
				b = append(b, ',')
			}
			b, first = append(b, j.body(false, false)...), false
		}
	}
	c.Bytes(200, append(b, `],"nextRecordsUrl":null}`...))
}

// deleteJob: 204; a job that is open or at work cannot be deleted [D], text [U].
func (c ingest) deleteJob(id string) {
	defer c.Lock()()
	j := c.job(id)
	if j == nil {
		return
	}
	if j.state == jobOpen || j.state == jobInProgress {
		c.Fail(errJob("A job must be UploadComplete, JobComplete, Aborted or Failed to be deleted"))
		return
	}
	delete(c.shelf().jobs, store.ShortID(id))
	c.None(204)
}

// body writes the job as recorded: contentUrl without a leading slash and only
// while it is new, counters only on a full read. [R amp-labs bulk]
func (j *bulkJob) body(fresh, full bool) []byte {
	b := []byte{'{'}
	add := func(name, value string) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(wire.AppendString(b, name), ':'), value...)
	}
	word := func(name, value string) { add(name, string(wire.AppendString(nil, value))) }
	at := wire.InstantOf(j.created).String()
	word("id", j.id)
	word("operation", j.operation)
	word("object", j.object)
	word("createdById", j.user)
	word("createdDate", at)
	word("systemModstamp", at)
	word("state", j.state)
	if j.operation == "upsert" {
		word("externalIdFieldName", j.external)
	}
	word("concurrencyMode", "Parallel")
	word("contentType", "CSV")
	add("apiVersion", j.version)
	if fresh {
		word("contentUrl", "services/data/v"+j.version+"/jobs/ingest/"+j.id+"/batches")
	}
	if full {
		word("jobType", "V2Ingest")
	}
	if fresh || full {
		word("lineEnding", j.ending)
		word("columnDelimiter", j.delimiter)
	}
	if full {
		j.counters(add)
	}
	if full && j.state == jobFailed {
		word("errorMessage", j.message)
	}
	return append(b, '}')
}

func (j *bulkJob) counters(add func(name, value string)) {
	done, bad := 0, 0
	if j.next == "" {
		done, bad = len(j.result.good)+len(j.result.bad), len(j.result.bad)
	}
	add("numberRecordsProcessed", strconv.Itoa(done))
	add("numberRecordsFailed", strconv.Itoa(bad))
	for _, name := range strings.Fields("retries totalProcessingTime apiActiveProcessingTime apexProcessingTime") {
		add(name, "0")
	}
}
