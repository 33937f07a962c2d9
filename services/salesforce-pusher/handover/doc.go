// Package handover moves a Salesforce user from one person to another: what has to
// be read and guarded for it, and what admins ask for ([events.VerbMerge],
// [events.VerbUnlink]). It calls nobody: who has the user by then is looked at like
// anybody else.
package handover
