//go:build !unix

package sqlite

import (
	"os"
	"path/filepath"
)

// lockFolder has no portable lock that goes with the process; SQLite's own
// locks still keep two writers apart.
func lockFolder(dir string) (*os.File, error) {
	return os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
}
