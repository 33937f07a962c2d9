//go:build !unix

package natsd

import "os"

// flock does nothing where the system has no such lock.
func flock(*os.File) error { return nil }
