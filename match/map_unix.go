//go:build unix

package match

import (
	"fmt"
	"os"
	"syscall"
)

// mapFile maps f for reading. The mapping outlives f, and f's name.
func mapFile(f *os.File) (data []byte, unmap func([]byte) error, err error) {
	st, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if st.Size() < headerSize { // an empty file can't be mapped
		return nil, nil, fmt.Errorf("%s: %w: %d octets", st.Name(), errDamaged, st.Size())
	}
	data, err = syscall.Mmap(int(f.Fd()), 0, int(st.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("map %s: %w", f.Name(), err)
	}
	return data, syscall.Munmap, nil
}
