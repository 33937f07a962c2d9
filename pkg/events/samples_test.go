package events_test

import (
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// at is the time all samples happen at.
func at(minute int) time.Time { return time.Date(2026, time.March, 2, 9, minute, 0, 0, time.UTC) }

const (
	sampleKey      = events.Key("mfrggzdfmztwq2lknnwg23tpobyxe43u")
	sampleGroupKey = events.Key("nbswy3dpeb3w64tmmqqgc3tefbuxi4tf")
	sampleTrace    = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
)

func ptr[T any](v T) *T { return &v }

func sampleValued() []events.Valued {
	return []events.Valued{{Value: "sample.person@example.com", Display: "work", Type: "work", Primary: true}}
}

// samplePerson has every attribute.
func samplePerson() *events.Person {
	return &events.Person{
		ExternalID: "hr-1001", UserName: "sample.person@example.com", DisplayName: "Sample Person", NickName: "Sam",
		Name: &events.Name{
			Formatted: "Dr. Sample Q. Person III", FamilyName: "Person", GivenName: "Sample", MiddleName: "Q.",
			HonorificPrefix: "Dr.", HonorificSuffix: "III",
		},
		ProfileURL: "https://people.example.com/1001", Title: "Engineer", UserType: "Employee",
		PreferredLanguage: "en", Locale: "en_US", Timezone: "Europe/Berlin", Active: ptr(false),
		Emails: sampleValued(), PhoneNumbers: sampleValued(), Roles: sampleValued(), Entitlements: sampleValued(),
		Addresses: []events.PostalAddress{{
			Formatted: "1 Main St, Springfield", StreetAddress: "1 Main St", Locality: "Springfield", Region: "IL",
			PostalCode: "62701", Country: "US", Type: "work", Primary: true,
		}},
		Enterprise: &events.Enterprise{
			EmployeeNumber: "1001", CostCenter: "CC1", Organization: "Example", Division: "North", Department: "Sales",
			Manager: &events.Manager{Value: "1000", Ref: "https://scim.example.com/Users/1000", DisplayName: "Sample Manager"},
		},
		Custom: map[string]string{"badge": "B-7", "building": "HQ <2> & annex"},
	}
}

// sampleGroup has every attribute.
func sampleGroup() *events.Group {
	return &events.Group{
		ExternalID: "g-7", ID: "7", DisplayName: "Sales", Members: []events.Member{
			{Value: "1001", Display: "Sample Person", Type: "User", Ref: "https://scim.example.com/Users/1001"},
		},
	}
}

// sampleEvents are one event of each type, with every attribute.
func sampleEvents() map[string]*events.Event {
	all := map[string]*events.Event{}
	for name, eventType := range map[string]string{
		"person.upserted": events.TypePersonUpserted, "person.removed": events.TypePersonRemoved,
		"group.upserted": events.TypeGroupUpserted, "group.removed": events.TypeGroupRemoved,
	} {
		e := &events.Event{
			SpecVersion: "1.0", ID: "evt-1", Source: "https://hr.example.com", Type: eventType, Subject: "1001",
			Time: at(0), DataContentType: "application/json", DataSchema: "urn:rollcall:events:" + name + ".v1",
			SourceVersion: "42", Lane: events.LaneBackfill, BatchID: "export-7", BatchSize: 300, Traceparent: sampleTrace, Tracestate: "vendor=1",
		}
		if events.Kind(eventType) == events.KindPerson {
			e.Person = samplePerson()
		} else {
			e.Group = sampleGroup()
		}
		all[name] = e
	}
	return all
}

func sampleOrigin() events.Origin {
	return events.Origin{EventID: "evt-1", Source: "hr", Seq: 17, Time: at(0), Traceparent: sampleTrace}
}

func sampleFailure() events.Failure {
	return events.Failure{
		Cause: events.CauseInvalid, Code: "FIELD_INTEGRITY_EXCEPTION", Message: "there is a problem with this value",
		Fields: []string{"TimeZoneSidKey"}, Operation: "create", Expression: "person.timezone", Value: "Mars/Olympus",
		ErrorID: "1234567890-1234 (-123456789)", Asks: ptr(sampleAsks()),
	}
}

func sampleAsks() events.Asks {
	return events.Asks{UserID: "005000000000003AAA", Grants: []string{"profile/System Administrator"}}
}

func samplePersonState() events.PersonState {
	return events.PersonState{
		V: 2, Key: sampleKey, CorrelationID: "1001",
		Sources: map[string]events.SourceState{
			"hr": {
				Origin: sampleOrigin(), SourceVersion: "42", Removed: true, Person: samplePerson(),
				Series:     &events.Removal{Origin: sampleOrigin(), SourceVersion: "40"},
				Active:     []events.Activity{{Position: events.Position{Seq: 13, SourceVersion: "41"}, Active: true}},
				Superseded: []events.Superseded{{Origin: sampleOrigin(), SourceVersion: "39", Person: samplePerson(), Group: sampleGroup()}},
			},
		},
		Groups: map[events.Key]events.Membership{
			sampleGroupKey: {Source: "directory", Name: "Sales", Revision: 12, Left: true},
		},
	}
}

func sampleGroupState() events.GroupState {
	return events.GroupState{
		V: 2, Key: sampleGroupKey, Source: "directory", Revision: 12, Origin: sampleOrigin(), SourceVersion: "7", Removed: true,
		Group: sampleGroup(), Series: &events.Removal{Origin: sampleOrigin(), SourceVersion: "6"},
		Superseded: []events.Superseded{{Origin: sampleOrigin(), SourceVersion: "5", Person: samplePerson(), Group: sampleGroup()}},
	}
}

func sampleDesired() events.Desired {
	return events.Desired{
		V: 3, Org: "production", Key: sampleKey, Rule: "sales", Active: true, Lane: events.LaneChange,
		Match: events.Match{
			FederationID: "1001", Username: "sample.person@example.com", Email: "sample.person@example.com", ExternalID: "hr-1001",
		},
		Sought:  true,
		Fields:  map[string]any{"LastName": "Person", "Title": nil, "IsOnLeave__c": false, "Floor__c": 2.5},
		Profile: "Standard User", Role: "Sales", Assignments: map[string][]string{"permissionSets": {"Sales_Tools"}, "groups": {"All_Sales"}},
		Problem: ptr(sampleFailure()), Held: []events.Hold{sampleHold()},
		Was: map[events.Aspect]events.Past{events.AspectAccess: {Wish: "76543210", To: "456789ab", Counted: true, At: at(4)}}, Hash: "0123456789abcdef0123456789abcdef", Origin: sampleOrigin(),
	}
}

func sampleLink() events.Link {
	return events.Link{
		V: 2, Org: "production", Key: sampleKey, UserID: "005000000000001AAA", Active: true, Frozen: true, FreezeLost: true,
		AppliedRevision: 21, AppliedHash: "0123456789abcdef0123456789abcdef",
		FieldHashes: map[string]string{"LastName": "a1b2c3"}, Assigned: map[string]string{"permission_set/Sales_Tools": "0Pa000000000001AAA"},
		Moved:   &events.Moved{UserID: "005000000000002AAA", To: "e2", At: at(1), Request: "req-1"},
		Allowed: &events.Allowed{Asks: sampleAsks(), At: at(1), Request: "req-2", Used: true},
		Claim:   &events.Claim{Worker: "pusher-1", Revision: 22, Until: at(1)},
		Unsure:  true, UnsureUntil: at(4), SentUsername: "sample.person@example.com", Job: "750000000000001AAA", Attempts: 2, FailedRevision: 22, FirstFailedAt: at(0), Failures: 3, At: at(1),
		Seen: at(1), Drift: &events.Drift{
			At: at(2), Repair: []string{events.DriftTaken}, Left: []string{events.DriftFrozen}, Names: []string{"ps/Sales_Tools"}, Repairs: 1, Since: at(2),
		},
	}
}

func sampleCheck() events.Check {
	return events.Check{
		V: 1, Org: "production", OrganizationID: "00D000000000001AAA", Watermark: at(1), Cursor: 40, RoundTo: 90, RoundBegan: at(0),
		SeenSince: at(0), RoundEnded: at(1), Again: []string{"005000000000001AAA"}, Reported: map[string]int{events.DriftFrozen: 1},
		Counting: map[string]int{events.DriftGiven: 1}, Gone: 2, Stopped: "another org", Holder: "pusher-1", Until: at(2), At: at(1),
	}
}

func sampleSelection() *events.Selection {
	return &events.Selection{Org: "production", Keys: []events.Key{sampleKey}, State: events.SelectDrifted}
}

func sampleOutcome() events.Outcome {
	return events.Outcome{
		V: 1, Org: "production", Key: sampleKey, Revision: 22, Lane: events.LaneChange, Result: events.ResultFailed,
		Actions: []string{"created", "assigned"}, UserID: "005000000000001AAA", Failure: ptr(sampleFailure()), Attempt: 2,
		FirstFailedAt: at(0), Failures: 3, At: at(1), Origin: sampleOrigin(), Username: "sample.person@example.com",
	}
}

func sampleDeadLetter() events.DeadLetter {
	return events.DeadLetter{
		V: 1, Org: "production", Key: sampleKey, Username: "sample.person@example.com", UserID: "005000000000001AAA",
		Revision: 22, Lane: events.LaneChange, Failure: sampleFailure(), Attempts: 5, RevisionAttempts: 2, FirstAt: at(0), LastAt: at(2),
		Origin: sampleOrigin(), Evidence: 30,
	}
}

func sampleHealth() events.Health {
	return events.Health{
		V: 1, Org: "production", State: events.HealthHeld, Failure: ptr(sampleFailure()), Since: at(0), TokenGeneration: 4,
		NextProbe: at(1), Prober: "pusher-1", Probes: 2, Used: 900, Limit: 1000, At: at(1),
	}
}

func sampleTokenRecord() events.TokenRecord {
	return events.TokenRecord{
		V: 1, Org: "production", State: events.TokenHeld, Generation: 4, Sealed: []byte("sealed"), SealedRefresh: []byte("sealed too"),
		Failure: ptr(sampleFailure()), Advice: "Rotate the consumer secret.", Since: at(0), CredentialMark: "c0ffee",
		Lease: &events.Lease{Holder: "token-refresher-1", Until: at(1)}, RetryAt: at(2), Tries: 3, At: at(1),
		Intent: &events.Intent{Mark: "decade", At: at(0)}, Steady: true,
	}
}

func sampleTarget() events.Target {
	return events.Target{Org: "production", Cause: events.CauseInvalid, Key: sampleKey, Seq: 8, Aspect: events.AspectAccess}
}

func sampleHold() events.Hold {
	return events.Hold{Aspect: events.AspectAccess, Cause: events.CauseConfig, Wish: "89abcdef", Since: at(5), Rejected: true}
}

func sampleHeld() events.Held {
	return events.Held{
		V: 1, Org: "production", Key: sampleKey, Username: "sample.person@example.com",
		Holds: []events.HeldAspect{{
			Hold: sampleHold(), Takes: []string{"permissionSets/Sales_Tools"}, Rule: "sales", Next: "staff", Config: "01234567", Origin: sampleOrigin(),
		}},
	}
}

func sampleGuard() events.Guard {
	taken := []events.Taken{{At: at(0), People: 3}}
	return events.Guard{
		V: 1, Org: "production", At: at(6), Active: 632, Before: []events.ActiveCount{{At: at(0), Active: 635}}, Urgent: taken,
		Counts: map[events.ChangeCause]map[events.Aspect]events.TakingCount{
			events.CauseSource("hr"): {events.AspectActive: {Taken: taken, Held: 600, Since: at(5)}},
		},
	}
}

func sampleRelease() events.Release {
	return events.Release{
		V: 1, Org: "production", Key: sampleKey, Wishes: []events.Wish{{
			Aspect: events.AspectAccess, Wish: "89abcdef", Since: at(5), Reject: true, Urgent: true, By: "admin@example.com", At: at(6), Request: "req-1",
		}},
	}
}

func sampleConfiguration() events.Configuration {
	id := events.ConfigurationID{Hash: "9f86d081884c7d65", Program: "v1.4.0"}
	return events.Configuration{V: 1, Generation: 3, ConfigurationID: id, Replica: "assignment-1/K3QXB2", Seen: []events.ConfigurationID{id}}
}
