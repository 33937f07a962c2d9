// Package health asks a program over HTTP whether it does its work. An image
// FROM scratch has no shell and no curl, so the health check of a container is
// one of our own binaries.
package health
