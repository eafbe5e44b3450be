//go:build !linux

package sqlite

import "errors"

func FreeSpace(string) (int64, error) { return 0, errors.ErrUnsupported }
