// Package events is the contract between Rollcall's services and with the
// systems upstream of it: every stream, subject, consumer, bucket and header
// name, every payload that travels under one, and the rules for reading them.
//
// # The one idea
//
// A message is never "do this"; it is "look at this person again". State lives
// in ROSTER, one message per subject (the newest):
//
//   - [PersonState]: what HR last said, every source, newest version of each
//   - [Desired]: what that means for one org; its revision is its own sequence
//   - [Link]: what Salesforce has as far as we know, and who is working on it
//   - [Outcome]: what happened when somebody last tried
//
// [Work] only names a person. Handling it twice, late, or a week later
// converges to the newest state or finds nothing to do.
//
// # Reading
//
// Everything that comes from outside is read by [DecodeEvent], which refuses
// what two readers could understand differently: duplicate keys, keys that
// differ only in case, unknown attributes, excess size or depth.
package events

//go:generate go run ./internal/gendoc -out ../../docs/contract.md
