package push_test

import (
	"slices"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// backup is what ROSTER says of what Salesforce has.
func (r *rig) backup() []bus.Write {
	r.t.Helper()
	var out []bus.Write
	err := r.bus.Scan(r.t.Context(), events.StreamRoster, ">", 1, func(e bus.Entry) error {
		if ofSalesforce(e.Subject) {
			out = append(out, bus.Write{Subject: e.Subject, Data: e.Data})
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

func ofSalesforce(subject string) bool {
	a, err := events.ParseSubject(subject)
	return err == nil && (a.Kind == "link" || a.Kind == "owner" || a.Kind == "outcome")
}

// restore puts a backup in the place of what there is; anew says that everybody is to
// be looked at anew, as an operator asks for.
func (r *rig) restore(backup []bus.Write, anew bool) {
	r.t.Helper()
	var gone []uint64
	err := r.bus.Scan(r.t.Context(), events.StreamRoster, ">", 1, func(e bus.Entry) error {
		if ofSalesforce(e.Subject) {
			gone = append(gone, e.Seq)
		}
		return nil
	})
	for _, seq := range gone {
		if err == nil {
			err = r.bus.Remove(r.t.Context(), events.StreamRoster, seq)
		}
	}
	for _, w := range backup {
		if err == nil {
			_, err = r.bus.Commit(r.t.Context(), events.StreamRoster, []bus.Group{{w}})
		}
	}
	if err != nil {
		r.t.Fatal(err)
	}
	for i := range 10 {
		if l := r.link(person(i).Key); anew && l.UserID != "" {
			l.Unsure, l.AppliedHash = true, ""
			r.write(l)
		}
	}
}

// TestARosterRestoredFromABackup is older than Salesforce: of what was done since, its
// links, owners and outcomes do not know. Nobody gets a second user, nobody who has
// left is active, and what we gave is taken away when it is not desired any more.
func TestARosterRestoredFromABackup(t *testing.T) {
	t.Parallel()
	for name, anew := range map[string]bool{"as it is": false, "with everybody looked at anew": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			w := r.start()
			sparse := func(i int) events.Desired {
				return person(i, func(d *events.Desired) { d.Assignments = sets("Sales_Base") })
			}
			full := func(i int) events.Desired {
				return person(i, func(d *events.Desired) { d.Assignments = sets("HR_Data", "Sales_Base") })
			}
			renamed := person(3, func(d *events.Desired) {
				d.Match.Username, d.Fields["Username"] = "renamed@example.com", "renamed@example.com"
			})
			r.existing(map[string]any{"Username": person(1).Match.Username, "FederationIdentifier": "fed0001"})
			r.awaitOutcomes(r.want(sparse(1), person(2), person(3)))
			backup := r.backup()
			old := r.link(renamed.Key).UserID
			newest := []events.Desired{full(1), leaver(2), renamed, full(4), full(5)}
			r.awaitOutcomes(r.want(newest...))
			w.stop()

			r.restore(backup, anew)
			r.start()
			r.awaitOutcomes(r.want(newest...)) // assignment has read DIRECTORY again
			for i, d := range newest {
				o := r.outcome(d.Key)
				users, err := r.org.Query("SELECT Id, IsActive FROM User WHERE FederationIdentifier = '" + person(i+1).Match.FederationID + "'")
				if err != nil || len(users) != 1 || users[0]["IsActive"] != d.Active || o.Result != events.ResultApplied {
					t.Errorf("%s: users %v, %v; outcome %s %+v", d.Key, users, err, o.Result, o.Failure)
				}
			}
			if id := r.link(renamed.Key).UserID; id != old || r.user("renamed@example.com").ID != old {
				t.Errorf("the renamed one has user %s, and had %s", id, old)
			}
			r.awaitOutcomes(r.want(sparse(1), sparse(4), leaver(5)))
			if u := r.user(person(5).Match.Username); u.IsActive {
				t.Error("a leaver is active")
			}
			r.push(sparse(5)) // and is back
			for _, i := range []int{1, 4, 5} {
				if u := r.user(person(i).Match.Username); !u.IsActive || !slices.Equal(u.PermissionSets, []string{"Sales_Base"}) {
					t.Errorf("person %d: active %v, has %v", i, u.IsActive, u.PermissionSets)
				}
			}
		})
	}
}
