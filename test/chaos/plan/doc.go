// Package plan draws what happens in one run of chaos: who is hired, changed and
// let go, and what goes wrong meanwhile. A seed and a length draw one plan, on any
// machine; nothing in it depends on what the system does.
//
//   - plan.go: a plan, its options, how it is printed
//   - story.go: what HR and the directory say
//   - trouble.go: what befalls processes, NATS and the org
package plan
