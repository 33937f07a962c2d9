// Package publish puts the events of an export into DIRECTORY.
package publish
