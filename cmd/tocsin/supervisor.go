package main

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"time"

	"tocsin/access"
	"tocsin/store"
)

// A supervisor is whoever started us and wants to know how we are: systemd, by
// the protocol of sd_notify(3), which is a datagram of lines. The zero
// supervisor listens to nothing.
type supervisor struct {
	socket string
	every  time.Duration // it ends us if it hears nothing for so long; 0: it does not
}

// supervised returns who supervises this process.
func supervised() supervisor {
	s := supervisor{socket: os.Getenv("NOTIFY_SOCKET")}
	if pid := os.Getenv("WATCHDOG_PID"); pid == "" || pid == strconv.Itoa(os.Getpid()) {
		micros, _ := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
		s.every = time.Duration(micros) * time.Microsecond
	}
	return s
}

// tell sends a state, as "READY=1". Whether anyone hears it changes nothing.
func (s supervisor) tell(state string) {
	if s.socket == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: s.socket, Net: "unixgram"})
	if err != nil {
		return
	}
	defer conn.Close()
	conn.Write([]byte(state))
}

// watch tells the watchdog that alive still returns, whatever it says: a disk
// that is full is no reason to be started again, a process that hangs is.
func (s supervisor) watch(ctx context.Context, alive func(context.Context)) {
	if s.socket == "" || s.every <= 0 {
		return
	}
	t := time.NewTicker(s.every / 3)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			alive(ctx)
			s.tell("WATCHDOG=1")
		}
	}
}

// alive returns when the one writer has ended a transaction, whatever became of
// it. Nobody asks later: there is nothing to see.
func (x *exchange) alive(ctx context.Context) {
	was := x.meters.ended.Load()
	_, err := x.DB.Apply(ctx, access.System("the watchdog: does the writer still write?"), func(*store.Tx) error { return nil })
	if !errors.Is(err, store.ErrCrowded) {
		return
	}
	// It did not get to the writer: see whether the writer gets on with the others.
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for x.meters.ended.Load() == was {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}
