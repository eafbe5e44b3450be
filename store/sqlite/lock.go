package sqlite

import "os"

// LockFolder is for whoever keeps only projections in a folder, beside a store
// elsewhere: one process alone uses it until the file is closed.
func LockFolder(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return lockFolder(dir)
}
