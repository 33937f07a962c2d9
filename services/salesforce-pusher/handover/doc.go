// Package handover moves a Salesforce user from one person to another: what has to
// be read and guarded for it, and what admins ask for ([events.VerbMerge],
// [events.VerbUnlink]). So does it note their yes to what is done only after one
// ([events.VerbAllow]). It calls nobody: who has the user by then, or what they may have,
// is looked at like anybody else.
package handover
