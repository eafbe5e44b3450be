//go:build ignore

// Command testlog reads what go test -json prints and prints what go test does
// without it: a line for each package, and of those that fail the tests that did.
// Before the last line it counts what was skipped for want of a program, which
// go test alone keeps to itself.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

type event struct {
	Action, Package, ImportPath, Test, Output string
}

var need = regexp.MustCompile(`SKIP-NEED (\S+)`)

// quiet lines are those that go test prints with -v only.
var quiet = regexp.MustCompile(`^=== |^\s*--- (PASS|SKIP)|^PASS$`)

func main() {
	said := map[string][]string{} // by package and test, until it is known how it ends
	missing := map[string]int{}
	last, failed := "", false
	result := func(line string) {
		if last != "" {
			fmt.Println(last)
		}
		last = line
	}
	for in := bufio.NewReader(os.Stdin); ; {
		line, err := in.ReadString('\n')
		if err != nil && line == "" {
			break
		}
		var e event
		if json.Unmarshal([]byte(line), &e) != nil {
			fmt.Print(line) // not of go test
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			text := strings.TrimRight(e.Output, "\n")
			if m := need.FindStringSubmatch(text); m != nil {
				missing[m[1]]++
			}
			switch {
			case e.Action == "build-output":
				fmt.Println(text)
			case e.Test == "" && (strings.HasPrefix(text, "ok ") || strings.HasPrefix(text, "? ") || strings.HasPrefix(text, "FAIL\t")):
				result(text)
			case !quiet.MatchString(text):
				said[key] = append(said[key], text)
			}
		case "pass", "skip":
			delete(said, key)
		case "fail":
			failed = true
			if last != "" && e.Test != "" {
				result("") // in front of what failed after it
			}
			for _, text := range said[key] {
				if text != "FAIL" {
					fmt.Println(text)
				}
			}
			delete(said, key)
		}
	}
	var programs []string
	for p := range missing {
		programs = append(programs, p)
	}
	slices.Sort(programs)
	for _, p := range programs {
		fmt.Printf("SKIP-NEED %s: %d skipped; as root on Debian, make test installs it\n", p, missing[p])
	}
	if len(programs) == 0 {
		fmt.Println("SKIP-NEED: nothing was skipped for want of a program")
	}
	if last != "" {
		fmt.Println(last)
	}
	if failed {
		fmt.Println("FAIL")
	}
}
