package health

import (
	"errors"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/tokens"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// Trouble is what holds a whole org: nil if err is something else.
func Trouble(err error, operation string) *events.Failure {
	var held *tokens.Held
	if errors.As(err, &held) {
		f := held.Failure
		f.Cause, f.Operation = events.CauseCredentials, operation
		if f.Message == "" {
			f.Message = held.Advice
		}
		return &f
	}
	if errors.Is(err, tokens.ErrNoNewer) {
		return &events.Failure{Cause: events.CauseCredentials, Operation: operation,
			Message: "Salesforce refused the session, and no newer one came in time."}
	}
	var e *salesforce.Error
	if !errors.As(err, &e) {
		return nil
	}
	return plan.OrgTrouble(e, operation)
}
