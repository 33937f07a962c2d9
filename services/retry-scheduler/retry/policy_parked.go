package retry

import (
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// parkedPolicies are the causes that are parked at once: they stay as they are
// until somebody changes something, and another attempt costs API calls.
func parkedPolicies() []Policy {
	return slices.Concat(settingPolicies(), refusedPolicies(), forbearingPolicies(), mappingPolicies())
}

func settingPolicies() []Policy {
	return []Policy{
		parked(Policy{
			Cause:        events.CauseLicence,
			Title:        "No licence seat free",
			Meaning:      "All seats of the user licence behind the profile are taken.",
			Remedy:       "Free seats by deactivating users who no longer need one, or buy more, then retry.",
			RemedySignal: "UsedLicenses falls below TotalLicenses in Salesforce's UserLicense.",
		}),
		parked(Policy{
			Cause:        events.CauseCreateDisabled,
			Title:        "Creating users is switched off",
			Meaning:      "The configuration forbids creating users in this org (`push.create`), or the org does not let the integration user create them.",
			Remedy:       "Switch it on, then retry. If it is off on purpose, discard.",
			RemedySignal: "`push.create` is true.",
		}),
		parked(Policy{
			Cause:        events.CauseUpdateDisabled,
			Title:        "Updating users is switched off",
			Meaning:      "The configuration forbids updating users in this org (`push.update`).",
			Remedy:       "Switch it on, then retry. If it is off on purpose, discard.",
			RemedySignal: "`push.update` is true.",
		}),
		parked(Policy{
			Cause:        events.CauseDeactivateDisabled,
			Title:        "Deactivating users is switched off",
			Meaning:      "The configuration forbids deactivating users in this org (`push.deactivate`). The person has left and can still sign in.",
			Remedy:       "Deactivate the user by hand now, or switch it on and retry.",
			RemedySignal: "`push.deactivate` is true, or the user is inactive in Salesforce.",
		}),
	}
}

func refusedPolicies() []Policy {
	return []Policy{
		parked(Policy{
			Cause:   events.CauseAmbiguousMatch,
			Title:   "Several users fit one person",
			Meaning: "More than one Salesforce user matches this person, or the matching rules point to different users, or the user already belongs to somebody else. Rollcall does not guess.",
			Remedy: "In Salesforce, leave the federation id and username on the one user who is this person, then retry. A user that was theirs under an earlier number passes to them by that once the earlier record has left in every source; " +
				"where Salesforce or HR cannot be corrected, say so with `rollcall person merge`.",
			RemedySignal: "Exactly one user matches.",
		}),
		parked(Policy{
			Cause:        events.CauseInvalid,
			Title:        "Salesforce refuses a value",
			Meaning:      "A field's value is missing, too long, of the wrong form, or refused by a validation rule. Salesforce's words and the fields are in the dead letter.",
			Remedy:       "Correct the value in HR, which brings the person back by itself; or correct the mapping or the rule in Salesforce, then retry.",
			RemedySignal: "A new revision of the person.",
		}),
		parked(Policy{
			Cause:        events.CauseDuplicate,
			Title:        "A unique value is taken",
			Meaning:      "The username, nickname or federation id belongs to another user. Usernames are unique over all Salesforce orgs, so that user may be in an org you do not see. Or the user who fits is that of another person, whose key the dead letter names.",
			Remedy:       "Change the value in HR or the mapping, or free it in Salesforce, then retry. Where the two are one human under two numbers, let HR say that the earlier one has left, then retry; or `rollcall person merge EARLIER LATER`. A user that is the wrong person's is taken from them with `rollcall person release`.",
			RemedySignal: "A new revision of the person.",
		}),
		parked(Policy{
			Cause:        events.CauseForbidden,
			Title:        "The integration user may not",
			Meaning:      "Rollcall's user in Salesforce lacks a permission for this record or field.",
			Remedy:       "Give the integration user the permission named in Salesforce's words (Manage Users, field-level security), then retry.",
			RemedySignal: "The integration user's permissions change.",
		}),
		parked(Policy{
			Cause:        events.CauseMisconfigured,
			Title:        "Configured name not in the org",
			Meaning:      "A profile, role or setting named in the configuration is not there, or a flow or trigger in the org fails when a user is saved.",
			Remedy:       "Correct the name in the rule or make it in Salesforce; for a flow or trigger, ask who owns it. Then retry.",
			RemedySignal: "The named profile or role is there.",
		}),
		parked(Policy{
			Cause:        events.CauseDeactivationRefused,
			Title:        "Salesforce keeps the user active",
			Meaning:      "The user is a default owner, an approver or otherwise needed, so Salesforce refuses to deactivate them. The person has left and may still sign in.",
			Remedy:       "Freeze the user now. Put somebody else in the place that Salesforce's words name, then retry.",
			RemedySignal: "The user is inactive in Salesforce.",
		}),
		parked(Policy{
			Cause:        events.CauseUserGone,
			Title:        "The user is not in the org any more",
			Meaning:      "The Salesforce user whom Rollcall knew is gone, nobody else fits by the rules, and no new one was made: so it is with most who were looked at together, which means another org or a sandbox that was refreshed; or the configuration forbids creating users.",
			Remedy:       "If the org behind this name is not the right one, correct `connect` and run `rollcall resync --org`. If a sandbox was refreshed and its users are to be made anew, retry: that makes them.",
			RemedySignal: "A user who fits is in the org, or an admin says again.",
		}),
	}
}

// forbearingPolicies are of what Salesforce would do, and Rollcall does not.
func forbearingPolicies() []Policy {
	return []Policy{
		parked(Policy{
			Cause:        events.CauseProtected,
			Title:        "The user is protected",
			Meaning:      "The matching user is on the list of users that Rollcall never touches (`push.protect`), or is the integration user, as whom Rollcall itself signs in.",
			Remedy:       "If the person should be managed, take the username off the list and retry; otherwise discard. Nobody can have the integration user: correct the value by which the person fits it.",
			RemedySignal: "The username is off the list.",
		}),
		parked(Policy{
			Cause:        events.CausePrivileged,
			Title:        "An administrative profile or permission set is not named as such",
			Meaning:      "A rule or grant gives a profile, permission set or permission set group with administrative permissions (its permissions in Salesforce say so, or cannot be read), and the configuration does not name it under `push.privileged`. It is not given; where it is a permission set, everything else is.",
			Remedy:       "If it is meant, add the name to `push.privileged.profiles` or `push.privileged.permissionSets` of the org, and retry. If not, correct the rule, or take the permission out of it in Salesforce.",
			RemedySignal: "The name stands under `push.privileged`.",
		}),
		parked(Policy{
			Cause:        events.CauseApproval,
			Title:        "An admin has to say yes",
			Meaning:      "The person would get an administrative profile or permission set, or an existing Salesforce user who has administrative permissions or somebody's federation id. Neither is done because an event says so.",
			Remedy:       "See whether this human is meant to have it (`rollcall tasks show`), then say so with `rollcall person allow`. The yes holds for what was asked and no more. If not, correct HR or the rule, and discard.",
			RemedySignal: "An admin allows it.",
		}),
	}
}

func mappingPolicies() []Policy {
	return []Policy{
		parked(Policy{
			Cause:        events.CauseGroupMapping,
			Title:        "Configured permission set or group missing",
			Meaning:      "A permission set, group or queue named in the configuration is not in the org.",
			Remedy:       "Correct the name in the rule or grant, or make it in Salesforce, then retry.",
			RemedySignal: "The named permission set or group is there.",
		}),
		parked(Policy{
			Cause:        events.CauseMapping,
			Title:        "A mapping failed for this person",
			Meaning:      "An expression of the configuration failed on this person's data. Nothing was sent. The expression and the value are in the dead letter.",
			Remedy:       "Correct the data in HR, or the expression: either makes a new revision and brings the person back by itself.",
			RemedySignal: "A new revision of the person.",
		}),
		parked(Policy{
			Cause:        events.CausePoison,
			Title:        "An event that cannot be understood",
			Meaning:      "An event from upstream does not keep to the contract. It is kept in DIRECTORY as it came; it concerns no org yet.",
			Remedy:       "Have the source publish it again, corrected, and discard this one. After an update of Rollcall that understands it, retry.",
			RemedySignal: "The event is understood when read again.",
		}),
	}
}
