// Package stage carries a plan out: it builds the services, runs them as processes
// beside a NATS server and an emulated Salesforce, lets happen what the plan says,
// heals everything, waits until all is quiet and takes the dump.
//
//   - build.go and hurry.go: the programs, and which of their patiences are shorter here
//   - config.go and rollcall.yaml: what the services run with
//   - stage.go: what is up, and how it comes down
//   - process.go, process_linux.go, process_other.go: one program
//   - org.go: the orgs, what is planted in them, and hostility
//   - speak.go: events, as HR and the directory publish them
//   - befall.go: trouble, as the plan says
//   - quiet.go: healing, and waiting
//   - listen.go and take.go: what is kept for the checker
//   - run.go: one run, from its plan to its dump
package stage
