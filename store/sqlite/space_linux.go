package sqlite

import "syscall"

// FreeSpace is how much an ordinary user can still write in a folder, in octets.
func FreeSpace(dir string) (int64, error) {
	var s syscall.Statfs_t
	err := syscall.Statfs(dir, &s)
	return int64(s.Bavail) * int64(s.Bsize), err
}
