// Package chart holds the Helm chart (deploy/helm/rollcall) and what is watched
// of Rollcall (deploy/compose/prometheus, deploy/compose/grafana) against the
// types and the metrics they are for. It has tests only, and is a module of its
// own so that what Helm and Kubernetes need is nobody else's dependency.
package chart
