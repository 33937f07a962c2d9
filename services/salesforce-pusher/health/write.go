package health

import (
	"context"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// nobody is the id of no user: Salesforce numbers records from one on. [U]
const nobody = "005000000000000AAA"

// TryWrite asks the org to change something, and changes nothing: an update of no
// field of a user who does not exist. Such a record is refused by itself, by
// INVALID_CROSS_REFERENCE_KEY [R, for ids that are not there] with 200 for the
// call, so any answer about the record says that changes are taken; an org that
// takes none refuses the call, or the record by a code that speaks of the org
// [D read-only mode]. That Salesforce looks at the org before the id is an
// assumption. [U] An update of the integration user would need its id, and may
// run what the org has planted on users.
func TryWrite(ctx context.Context, c *salesforce.Client) error {
	got, err := c.UpdateRecords(ctx, "User", []salesforce.Record{{plan.FieldID: nobody}})
	if err != nil {
		return err
	}
	for _, r := range got {
		if err := r.Err(); err != nil && plan.ErrorIn(err).OrgWide() {
			return err
		}
	}
	return nil
}

// codeReadOnly is what an org says of each record in the read-only mode of a
// planned maintenance. [D Partner WSDL]
const codeReadOnly = "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"

// stillReadOnly asks whether that mode lasts. In it, a record that is not there may
// be refused for that alone, while the Bulk API is shut as a whole [D help
// setup_maintenance_mode_overview]. The job that is opened where it is not holds
// no row, and is taken away again; one that stays does nothing.
func stillReadOnly(ctx context.Context, c *salesforce.Client) error {
	job, err := c.BulkCreateJob(ctx, "User", salesforce.BulkUpdate, "")
	if err != nil {
		if e := plan.ErrorIn(err); e.Code == codeReadOnly {
			return err
		}
		return nil // the Bulk API may be in trouble of its own
	}
	if _, err := c.BulkAbort(ctx, job.ID); err == nil {
		_ = c.BulkDeleteJob(ctx, job.ID) // Salesforce drops it after a week
	}
	return nil
}

// writes says whether what failed was to change something.
func writes(f *events.Failure) bool {
	if f == nil {
		return false
	}
	switch f.Operation {
	case plan.OpCreate, plan.OpUpdate, plan.OpDeactivate, plan.OpFreeze, plan.OpAssign, plan.OpUnassign:
		return true
	}
	return false
}
