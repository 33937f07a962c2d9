// Package register keeps one configuration in force, however many replicas of
// assignment run with however many files.
//
// The register is one message, changed by compare-and-set only. A replica whose
// configuration was never in force takes the next generation; one whose
// configuration was replaced stands by, and takes over when nothing has been
// heard for a while of anybody under the configuration in force. So a rolling
// change ends with everybody on the new one, and two files that are both in use
// do not take turns.
//
// Correctness hangs on neither beats nor clocks: every commit names the
// register's sequence, so that the server refuses whatever was worked out under
// a configuration that is no longer in force, be it from a replica that stood
// still for an hour. Beats only say when it is time to take over.
//
//   - keeper.go: a replica's life: look, take, hold, stand by
//   - commit.go: what is stored, and read, under the register
//   - beat.go: signs of life, and when somebody counts as gone
//   - sweep.go: what is done once after every switch, by one of all
package register
