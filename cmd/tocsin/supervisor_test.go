package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/access"
	"tocsin/store"
)

// systemd plays the part of systemd: it returns what it is told, in order.
func systemd(t *testing.T) (socket string, hear func() string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "tocsin") // a socket's name is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return socket, func() string {
		t.Helper()
		b := make([]byte, 4096)
		conn.SetReadDeadline(time.Now().Add(time.Minute))
		n, err := conn.Read(b)
		if err != nil {
			t.Fatalf("nothing was said: %v", err)
		}
		return string(b[:n])
	}
}

// A service says that it is ready when it answers, that it lives while it does,
// and that it ends when it is told to.
func TestSupervisedService(t *testing.T) {
	socket, hear := systemd(t)
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "30000")
	dir := t.TempDir()
	if code := run([]string{"init", "--data", dir, "--org", "Example Telecom", "--email", "ana@example.org"}, nil, io.Discard, io.Discard); code != exitOK {
		t.Fatal("init failed")
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- newConsole(nil, io.Discard, io.Discard).run(ctx, []string{"serve", "--data", dir, "--http", "127.0.0.1:0", "--dns", "127.0.0.1:0"})
	}()
	if got := hear(); !strings.HasPrefix(got, "READY=1\n") || !strings.Contains(got, "STATUS=") {
		t.Errorf("first it said %q", got)
	}
	for range 3 {
		if got := hear(); got != "WATCHDOG=1" {
			t.Errorf("then it said %q", got)
		}
	}
	stop()
	got := hear()
	for got == "WATCHDOG=1" {
		got = hear()
	}
	if got != "STOPPING=1" {
		t.Errorf("at the end it said %q", got)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The watchdog hears nothing from a process whose writer hangs.
func TestWatchdogOfAHangingWriter(t *testing.T) {
	socket, hear := systemd(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	hang := make(chan struct{})
	turns := make(chan int, 2)
	n := 0
	go supervisor{socket, time.Millisecond}.watch(ctx, func(context.Context) {
		n++
		turns <- n
		if n == 2 {
			<-hang
		}
	})
	if got := hear(); got != "WATCHDOG=1" {
		t.Fatalf("it said %q", got)
	}
	<-turns
	<-turns // it hangs
	supervisor{socket: socket}.tell("END")
	if got := hear(); got != "END" {
		t.Errorf("it said %q while it hung", got)
	}
	stop()
	close(hang)
}

func TestNobodySupervises(t *testing.T) {
	supervisor{}.tell("READY=1")
	supervisor{socket: "/nowhere"}.tell("READY=1")
	supervisor{every: time.Hour}.watch(t.Context(), nil)
}

// A writer that hangs is found out also when so many wait that nobody else may.
func TestWatchdogOfAFullQueue(t *testing.T) {
	w := newWorld(t, "telco")
	hang, crowded := make(chan struct{}), make(chan struct{}, 2000)
	var waiting sync.WaitGroup
	for range cap(crowded) {
		waiting.Go(func() {
			_, err := w.DB.Apply(t.Context(), access.System("a test"), func(*store.Tx) error { <-hang; return nil })
			if errors.Is(err, store.ErrCrowded) {
				crowded <- struct{}{}
			}
		})
	}
	<-crowded
	ctx := &spied{Context: t.Context(), asked: make(chan struct{})}
	returned := make(chan struct{})
	go func() { w.alive(ctx); close(returned) }()
	select {
	case <-returned:
		t.Error("it lives, although its writer hangs")
	case <-ctx.asked: // it waits
	}
	close(hang)
	<-returned
	waiting.Wait()
}

// A spied context tells when somebody waits for it.
type spied struct {
	context.Context
	once  sync.Once
	asked chan struct{}
}

func (s *spied) Done() <-chan struct{} {
	s.once.Do(func() { close(s.asked) })
	return s.Context.Done()
}
