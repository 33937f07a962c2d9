// Package plan decides. It knows what one person should have, what Salesforce
// has of them as far as that was read, and what calls came to; from that it says
// what they need next, what to send, and how their attempt ended. It reads
// nothing and calls nobody: the same facts make the same decision.
//
// # A person's way
//
// [Person.Next] goes through a chain of named checks and returns what the first
// one that applies asks for. Whoever makes the call tells the person what came
// of it (Resolved, Found, Created, Updated, …) and asks again, until they have ended:
//
//	names → user → owner → assignments → create → freeze → take → update →
//	read back → unfreeze → give → applied
//
// Most people need two or three of these, and many none.
//
// # Where is what
//
//   - person.go: what is known of a person, and how their attempt may end
//   - triage.go: who needs anything at all, by desired and link alone
//   - turn.go: when to look again at somebody at whom another worker is
//   - chain.go, kinds.go: the checks, in order; the kinds of names
//   - change.go: what differs, and what to send
//   - learn.go: what calls came to
//   - unique.go: usernames that pass from one person to another
//   - lost.go: calls whose answer never came, and what reading back says of them
//   - drift.go: what somebody changed by hand, and a whole org that is another
//   - assigned.go: permission sets and groups that a person has and should have
//   - catalogue.go: the ids behind names
//   - names.go: what a person's names resolve to
//   - privilege.go: what makes an administrator, and what is done only after an admin's yes
//   - match.go: which existing user is a person's
//   - takeover.go: who may take over the user of somebody who has left
//   - policy.go: what configuration allows
//   - diagnose.go: the cause of a refusal, and every exception to the rule
//   - held.go: what a person is not given whose deactivation is held
//   - release.go: what is recorded at the end
package plan
