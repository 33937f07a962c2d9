//go:build unix

package natsd

import (
	"os"
	"syscall"
)

// flock takes the lock or fails at once; the kernel frees it however the
// process ends.
func flock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
