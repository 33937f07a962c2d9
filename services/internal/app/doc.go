// Package app is the life of a process: flags, configuration, telemetry, NATS,
// the probes, signals, and an end that lets the batch in hand finish.
//
// A service's main.go names the service and says how it is built; everything
// else is here, once. [Run] is [Main] without the process around it, so that a
// test can start a program.
package app
