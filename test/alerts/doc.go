// Package alerts sees every alert (deploy/compose/prometheus) fire, and fall
// silent, in Prometheus' own engine. It has tests only, and is a module of its
// own so that what Prometheus needs is nobody else's dependency.
package alerts
