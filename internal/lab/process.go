package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Process is a program that a test started. Its output is kept, and shown if
// the test fails.
type Process struct {
	cmd  *exec.Cmd
	log  tail
	done chan struct{}
}

// Start runs a command until the test ends. Its output is collected unless the
// command already has a place for it.
func Start(tb testing.TB, cmd *exec.Cmd) *Process {
	tb.Helper()
	p := launch(tb, cmd)
	tb.Cleanup(func() {
		p.Kill()
		if tb.Failed() {
			tb.Logf("output of %s:\n%s", p, p.Tail(60))
		}
	})
	return p
}

// launch is Start for what somebody else ends.
func launch(tb testing.TB, cmd *exec.Cmd) *Process {
	tb.Helper()
	p := &Process{cmd: cmd, done: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = &p.log
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &p.log
	}
	cmd.WaitDelay = time.Second
	leash(cmd)

	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		tb.Fatalf("start %s: %v", cmd.Path, err)
	}
	return p
}

// run stays on one thread for as long as the program lives: Linux ties the
// leash to the thread that started the program, not to the process.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.done)
	err := p.cmd.Start()
	started <- err
	if err == nil {
		p.cmd.Wait() // How a killed program ended is of no interest.
	}
}

// String returns the name of the program.
func (p *Process) String() string { return filepath.Base(p.cmd.Path) }

// Signal sends a signal to the program.
func (p *Process) Signal(sig os.Signal) error { return p.cmd.Process.Signal(sig) }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill ends the program and whatever it started, at once, and waits for its end.
func (p *Process) Kill() {
	select {
	case <-p.done:
	default:
		kill(p.cmd)
		<-p.done
	}
}

// Log returns what the program has printed.
func (p *Process) Log() string { return p.log.String() }

// Tail returns the last lines of the log.
func (p *Process) Tail(lines int) string {
	all := strings.SplitAfter(p.Log(), "\n")
	return strings.Join(all[max(0, len(all)-lines-1):], "")
}

// WaitLog waits until the program has printed text.
func (p *Process) WaitLog(tb testing.TB, text string) {
	tb.Helper()
	p.wait(tb, fmt.Sprintf("print %q", text), func() (bool, any) {
		return strings.Contains(p.Log(), text), "no such line"
	})
}

// wait looks at something until it holds, and returns how long that took. It
// fails the test, telling what it saw last, when patience ends or the program
// does.
func (p *Process) wait(tb testing.TB, what string, look func() (holds bool, saw any)) time.Duration {
	tb.Helper()
	start := time.Now()
	again := time.NewTicker(pace)
	defer again.Stop()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		holds, saw := look()
		if holds {
			return time.Since(start)
		}
		select {
		case <-again.C:
		case <-p.done:
			tb.Fatalf("%s ended (%v) before it would %s", p, p.cmd.ProcessState, what)
		case <-late.C:
			tb.Fatalf("%s did not %s within %v, but: %v", p, what, patience, saw)
		}
	}
}

// unconfined returns a path under which a program may read and write in dir.
// Debian and Ubuntu confine named and unbound by AppArmor to their folders in
// /etc and /var; the profile is bound to the program's path, so a copy is free.
func unconfined(tb testing.TB, path, dir string) string {
	tb.Helper()
	enabled, _ := os.ReadFile("/sys/module/apparmor/parameters/enabled")
	profile := strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", ".")
	if _, err := os.Stat(filepath.Join("/etc/apparmor.d", profile)); err != nil || !strings.HasPrefix(string(enabled), "Y") {
		return path
	}
	return copied(tb, path, dir)
}

func copied(tb testing.TB, path, dir string) string {
	tb.Helper()
	program, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	path = filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(path, program, 0o755); err != nil {
		tb.Fatal(err)
	}
	return path
}

// write puts a file into dir and returns its path.
func write(tb testing.TB, dir, name, text string) string {
	tb.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
	return path
}

// A tail keeps the last megabyte or so that was written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 1 << 20

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if len(t.buf) > 2*tailSize {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-tailSize:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
