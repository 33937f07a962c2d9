// Package call is one request on its way: who asks which org, whether it is let
// in, the fault that strikes it, its answer and its entry in the journal. What
// the request is for is a Route, whose work is in other rooms.
package call
