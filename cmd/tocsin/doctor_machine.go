package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A clock is what the kernel knows of its own.
type kernelClock struct {
	known, kept bool
	off         time.Duration // how far it may be off, as whoever keeps it says
}

// keepsTime says whether somebody keeps this machine's clock.
func keepsTime(k kernelClock) finding {
	zone, _ := time.Now().Zone()
	switch {
	case !k.known:
		return note("", "it can't be found out here whether the clock is kept; the time zone is %s", zone)
	case !k.kept:
		return note("have it kept: chrony or systemd-timesyncd; in a container, look at its host", "no time service keeps this machine's clock, as far as its kernel knows").
			because("TSIG fails when two clocks are five minutes apart (RFC 8945), and claims end by the clock")
	case k.off > maxSkew:
		return ill("see what the time service says: chronyc tracking", "the clock may be off by %s", k.off.Round(time.Second)).
			because("TSIG fails when two clocks are five minutes apart (RFC 8945)")
	}
	return well("the clock is kept; the time zone is %s", zone)
}

// free reports whether a server could listen there. While one runs its ports are
// taken, as they should be.
func free(flag, addr, networks string, serves bool) finding {
	for network := range strings.FieldsSeq(networks) {
		var l io.Closer
		var err error
		if network == "udp" {
			l, err = net.ListenPacket(network, addr)
		} else {
			l, err = net.Listen(network, addr)
		}
		if err != nil && serves && errors.Is(err, syscall.EADDRINUSE) {
			return well("%s is taken, as it is while the exchange runs", addr)
		}
		if err != nil {
			who := ""
			if errors.Is(err, syscall.EADDRINUSE) {
				who = holder(network, addr)
			}
			return ill("", "%s%s", unlistened(err, map[string]string{addr: flag}), who).because("serve would not start")
		}
		l.Close()
	}
	return well("%s is free", addr)
}

// holder says who listens there, as far as this user may see.
func holder(network, addr string) string {
	pid, name := listener(network, addr)
	if pid == 0 {
		return "; who has it shows as root: ss -lptun"
	}
	return fmt.Sprintf("; it is %s, process %d", name, pid)
}

// fewFiles is how few open files are few: a resolver takes two connections, and
// there may be hundreds.
const fewFiles = 4096

// files says whether there are enough file descriptors.
func files(used, limit uint64) finding {
	switch {
	case limit > 0 && used > limit*8/10:
		return ill("raise LimitNOFILE in the unit (ulimit -n), and see who holds so many connections: ss -tnp", "%d of %d open files are taken", used, limit).
			because("when all are, nobody new can connect")
	case limit < fewFiles:
		return note("raise LimitNOFILE in the unit (ulimit -n)", "at most %d files can be open", limit).
			because("each connection takes one")
	}
	return well("%d of %d open files are taken", used, limit)
}

// littleMemory is how little memory is little: one large import takes more.
const littleMemory = 256 << 20

// memory says whether there is enough memory, by /proc/meminfo.
func memory(meminfo io.Reader) finding {
	all := map[string]int64{}
	for lines := bufio.NewScanner(meminfo); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err == nil {
			all[name] = n << 10
		}
	}
	available, ok := all["MemAvailable"]
	switch {
	case !ok:
		return note("", "how much memory is free can't be found out here")
	case available < littleMemory:
		return ill("find out who takes it (top), or give the machine more", "%s MiB of memory are available", count(available>>20)).
			because("when none is left the kernel ends the exchange; nothing acknowledged is lost, but it has to start again")
	}
	return well("%s MiB are available", count(available>>20))
}
