// Package rules says what every person should have in every Salesforce org: it
// folds a source's events into [events.PersonState] and [events.GroupState], and
// makes of those, of the configuration and of what an org last had for somebody
// an [events.Desired] per person and org. It knows no bus and calls nobody: the
// same state may be worked out under two configurations, or two states under
// one, and nothing comes of it but the answer.
//
// # Where is what
//
//   - rules.go: the configuration, compiled, and asked
//   - reader.go: what a source published, understood
//   - series.go, fold.go: what a source's events come to
//   - authority.go: whether somebody is employed
//   - merge.go, attribute.go, groupnames.go: one person of several sources, and
//     the groups they are in
//   - desired.go: what a person should have in one org
//   - kept.go: what they would have if they did not leave
//   - cover.go: by which rule somebody is covered, and why by none
//   - mapping.go, expression.go, functions.go, path.go, vars.go: an org's
//     configuration, compiled, and what its expressions see
//
// # Folding
//
// A source's events about one person, or one group, have one order: series,
// sourceversion, sequence in DIRECTORY. What they come to is a function of the
// set of them, whatever replicas read them in whatever order, and however often:
//
//   - a source sends sourceversion always or never, as configured; an event of
//     another kind is rejected for itself, and not for what it is compared with
//   - a series begins at a removal, whatever its sourceversion, and no event
//     with a lower sequence belongs to it; the last removal begins the series
//     that counts
//   - within the series the event with the higher sourceversion counts, of
//     equal ones that with the higher sequence; the removal is one of them, so
//     an export older than it brings nobody back
//   - "active" is from the newest event of the series that says it, which may be
//     superseded in all else; where none says it the person is active
//
// A removal may be read after events that follow it. So the state keeps, beside
// what counts, what would count then: an event that is superseded by one with a
// lower sequence. There is hardly ever one; [maxStanding] bounds them.
//
// # Merging
//
// A person is what the sources say of them that have not removed them. Each
// attribute is taken from the first source that speaks of it (has it, and not
// empty), in the order that config's precedence gives for the attribute's path,
// else for the path's first part ("name", "enterprise", "custom"), else for
// "*"; sources that the order does not name follow in alphabetical order. A
// list (emails, phoneNumbers, …) is taken whole from one source.
//
// Groups are named source/name.
//
// # Authority
//
// Whether somebody is employed is decided by one source: the first of config's
// authority that has them, which is that it has spoken of them and not removed
// them. It says whether they are active; where none of its events does, they are.
// Whoever all authorities have removed that ever spoke of them is gone. An
// authority that has never spoken of somebody says nothing about them, and a source
// that is none adds attributes and groups.
//
// Of somebody of whom no authority has ever spoken nothing is decided. Nobody
// gets a user, or one that is inactive back; an active Desired stays active and
// its fields follow. Where no rule matches any more, or no source has the person,
// it has a Problem: to take a user away on the word of those who decide nothing
// would be as wrong as never to say that somebody has one.
//
// All of this is a function of what the sources said, but for whether there was a
// Desired, and whether it was active, before the first authority spoke.
//
// One single source is the authority. Several without one are asked in the order
// that precedence has for "active": the first that says it is believed, and one
// that has removed the person has said it, unless a source before it has them.
//
// # Desired state
//
// A person who is not employed, or whom no rule matches, is a leaver in every org
// that had a Desired for them: no field is evaluated, so nobody's deactivation
// waits for a mapping, and the values an existing user is recognised by are
// kept.
//
// Somebody who is not employed and never had a Desired is sought: their user may
// be older than Rollcall, or their number written in another way. Their Desired
// holds every value by which the org recognises users that can be worked out;
// where there is none, nobody can be found, and none is written. Only those of
// whom it is said that they have left are sought: somebody active whom no rule
// matches may have a user that Rollcall does not manage, and gets no Desired.
// Whoever was only sought waits on lane leaver after a live event, and on lane
// backfill after a load or a sweep, where they come by the thousand and most have
// no user: a real leaver does not stand behind them.
//
// An expression that fails for one person becomes that Desired's Problem, with
// the expression and the attributes it looked at: nothing is sent for them, and
// nobody else is concerned. That holds for a rule's condition too: a condition
// that cannot be decided is not false.
//
// A Desired that has not changed is not to be written, and makes no work: [Seal]
// says so.
package rules
