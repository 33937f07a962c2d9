// Chaos runs the whole system while everything goes wrong that a seed draws, and
// judges afterwards whether what must always hold does. It is no part of a program
// that ships.
//
//	make chaos                          # two minutes of a fresh seed, which is printed
//	make chaos SEED=7 MINUTES=1         # this one
//	make chaos-seeds SEEDS=20           # one after the other
//	make chaos-faults                   # the programs broken on purpose: is each fault caught?
//	go run ./test/chaos -check FILE     # judge a dump again
//
// The services are processes of their own beside a NATS server; Salesforce is the
// emulator, in this process. A plan says when HR publishes what and what befalls
// whom; then everything is healed, and when all is quiet a dump is taken. The
// checker reads the dump alone. docs/chaos.md says more.
//
// # Where is what
//
//   - main.go: one run; all.go: many of them; faults.go: programs that are broken
//   - plan: what happens, drawn from a seed
//   - stage: how it is carried out
//   - dump: what is left of it
//   - check: the eight rules
//   - faults: what is broken on purpose
//   - seeds: those that went wrong once; seeds_test.go runs them
package main
