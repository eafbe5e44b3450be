package lab_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"tocsin/internal/lab"
)

func TestProcessEndsWithItsTest(t *testing.T) {
	// Every process that the shell leads holds the pipe's end.
	alive, held, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	t.Run("inner", func(t *testing.T) {
		cmd := exec.Command(lab.Need(t, "sh"), "-c", "sleep 60 & echo up; sleep 60")
		cmd.ExtraFiles = []*os.File{held}
		p := lab.Start(t, cmd)
		held.Close()
		p.WaitLog(t, "up\n")
		select {
		case <-p.Done():
			t.Error("it ended too early")
		default:
		}
	})
	alive.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := alive.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("it outlived its test: %v", err)
	}
}

// A test's process may die with no cleanup. What it started dies with it.
func TestProcessEndsWithItsParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends programs with their parent")
	}
	for _, how := range []string{"panic", "exit", "kill"} {
		t.Run(how, func(t *testing.T) {
			lab.Need(t, "unbound")
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			parent := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestDiesWithoutCleanup$")
			parent.Env = append(os.Environ(), "LAB_DIE="+how, "TMPDIR="+t.TempDir())
			out, err := parent.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			var port int
			for lines := bufio.NewScanner(out); lines.Scan(); {
				if text, ok := strings.CutPrefix(lines.Text(), "unbound listens on "); ok {
					port, _ = strconv.Atoi(text)
				}
			}
			if err := parent.Wait(); err == nil || port == 0 {
				t.Fatalf("the parent ended with %v; its Unbound had port %d", err, port)
			}
			for !free(port) {
				if ctx.Err() != nil {
					t.Fatal("Unbound outlived its parent")
				}
				runtime.Gosched()
			}
		})
	}
}

// TestDiesWithoutCleanup is the parent that TestProcessEndsWithItsParent starts.
func TestDiesWithoutCleanup(t *testing.T) {
	how := os.Getenv("LAB_DIE")
	if how == "" {
		return
	}
	r := lab.StartUnbound(t, lab.StartRoot(t), "")
	_, port, _ := net.SplitHostPort(r.Addr())
	fmt.Println("unbound listens on " + port)
	switch how {
	case "panic":
		go panic("a test fails badly")
		select {}
	case "exit":
		os.Exit(3)
	case "kill":
		self, _ := os.FindProcess(os.Getpid())
		self.Kill()
		select {}
	}
}

// A configuration that a program refuses fails the test at once, with the
// program's own words.
func TestRefusedConfigurationFails(t *testing.T) {
	for name, c := range map[string]struct {
		start func(testing.TB, *lab.Root)
		says  string
	}{
		"unbound without respip": {func(tb testing.TB, root *lab.Root) {
			lab.StartUnbound(tb, root, "rpz:\n\tname: block.rpz\n\tprimary: 127.0.0.1@9\n")
		}, "unbound ended"},
		"bind with an unknown zone": {func(tb testing.TB, root *lab.Root) {
			lab.StartBIND(tb, root, lab.Config{Options: `response-policy { zone "block.rpz"; };`})
		}, "named ended"},
	} {
		t.Run(name, func(t *testing.T) {
			root := lab.StartRoot(t)
			w := &witness{TB: t}
			func() {
				defer func() { recover() }()
				c.start(w, root)
			}()
			if w.said == "" {
				t.Fatal("it started")
			}
			if !strings.Contains(w.said, c.says) {
				t.Errorf("the test ended with %q, want %q", w.said, c.says)
			}
		})
	}
}
