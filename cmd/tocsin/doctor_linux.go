package main

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockState asks the kernel how its clock is (adjtimex(2)).
func clockState() kernelClock {
	const unsynchronised = 0x40 // STA_UNSYNC
	var t syscall.Timex
	if _, err := syscall.Adjtimex(&t); err != nil {
		return kernelClock{}
	}
	return kernelClock{known: true, kept: t.Status&unsynchronised == 0, off: time.Duration(t.Maxerror) * time.Microsecond}
}

// openFiles returns how many files this process has open, and may have.
func openFiles() (used, limit uint64) {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) == nil {
		limit = r.Cur
	}
	entries, _ := os.ReadDir("/proc/self/fd")
	return uint64(len(entries)), limit
}

// replaced reports whether the program that runs is no longer the one on disk.
func replaced() bool {
	path, err := os.Readlink("/proc/self/exe")
	return err == nil && strings.HasSuffix(path, " (deleted)")
}

func meminfo() io.Reader {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return strings.NewReader("")
	}
	return strings.NewReader(string(b))
}

// A diskState is what the kernel says of where a folder is.
type diskState struct {
	free         int64 // octets
	inodes, left uint64
	kind         string // what is special about the file system
}

// kinds of file systems that matter here, by their magic numbers (statfs(2)).
var fileSystems = map[int64]string{0x6969: "NFS", 0xfe534d42: "SMB", 0xff534d42: "SMB", 0x517b: "SMB", 0x01021997: "9P", 0x01021994: "memory"}

func diskOf(dir string) (d diskState, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return d, err
	}
	return diskState{int64(s.Bavail) * int64(s.Bsize), s.Files, s.Ffree, fileSystems[int64(s.Type)]}, nil
}

// owner is the user that a file belongs to.
func owner(info os.FileInfo) (uid uint32, ok bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return s.Uid, true
}

// listener returns the process that listens there, if this user may see it: the
// socket's number stands in /proc/net, and beneath the process that has it.
func listener(network, addr string) (pid int, name string) {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return 0, ""
	}
	for _, table := range []string{network, network + "6"} {
		f, err := os.Open("/proc/net/" + table)
		if err != nil {
			continue
		}
		inode := socketAt(f, at.Port(), network == "tcp")
		f.Close()
		if inode != "" {
			return whoHas("socket:[" + inode + "]")
		}
	}
	return 0, ""
}

// socketAt returns the number of the socket that is bound to a port.
func socketAt(table io.Reader, port uint16, listens bool) (inode string) {
	const listening = "0A"
	local := fmt.Sprintf(":%04X", port)
	for lines := bufio.NewScanner(table); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) > 9 && strings.HasSuffix(f[1], local) && (!listens || f[3] == listening) {
			return f[9]
		}
	}
	return ""
}

func whoHas(socket string) (pid int, name string) {
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		if to, err := os.Readlink(link); err != nil || to != socket {
			continue
		}
		parts := strings.Split(link, "/")
		pid, _ = strconv.Atoi(parts[2])
		comm, _ := os.ReadFile("/proc/" + parts[2] + "/comm")
		return pid, strings.TrimSpace(string(comm))
	}
	return 0, ""
}
