//go:build unix

package sqlite

import (
	"os"
	"path/filepath"
	"syscall"

	"tocsin"
)

// lockFolder makes sure that one process alone uses the folder. The lock goes
// with the process, however it ends.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, tocsin.Errorf(tocsin.Invalid, "can't use the folder %s: %w", dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, tocsin.Errorf(tocsin.Conflict, "another tocsin is using the folder %s; stop it first, or talk to it with --url", dir)
	}
	return f, nil
}
