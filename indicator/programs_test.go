package indicator

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tocsin/internal/lab"
)

// Others' programs say whether we read what they write.

// TestSsdeepProgram compares files that are more and less alike with the
// program and with our own arithmetic.
func TestSsdeepProgram(t *testing.T) {
	program := lab.Need(t, "ssdeep")
	dir, r := t.TempDir(), rand.New(rand.NewPCG(1, 1))
	var files []string
	for i := range 12 {
		content := make([]byte, 300<<r.IntN(9))
		for j := range content {
			content[j] = byte(r.IntN(1 + i*20)) // the first ones repeat themselves
		}
		for j := range 8 {
			for range 1 + len(content)*j/500 {
				content[r.IntN(len(content))]++
			}
			name := filepath.Join(dir, fmt.Sprintf("f%d-%d", i, j))
			if err := os.WriteFile(name, content[:len(content)-j*len(content)/12], 0o600); err != nil {
				t.Fatal(err)
			}
			files = append(files, name)
		}
	}
	out, err := exec.Command(program, append([]string{"-b", "-s"}, files...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	hashes := map[string]Ssdeep{}
	for line := range strings.Lines(string(out)) {
		if name := strings.Trim(line[strings.LastIndexByte(line, ',')+1:], "\"\n"); strings.HasPrefix(name, "f") && name != "filename" {
			v, err := Parse("ssdeep", line)
			if err != nil {
				t.Fatal(err)
			}
			d, _ := v.Keys()[0].Ssdeep()
			hashes[name] = d
		}
	}
	list := filepath.Join(dir, "list")
	if err := os.WriteFile(list, out, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err = exec.Command(program, "-x", "-a", "-s", list).Output()
	if err != nil {
		t.Fatal(err)
	}
	pairs, alike, related := 0, 0, 0
	for _, m := range regexp.MustCompile(`:(f\S+) matches \S+:(f\S+) \((\d+)\)`).FindAllStringSubmatch(string(out), -1) {
		a, b := hashes[m[1]], hashes[m[2]]
		want, _ := strconv.Atoi(m[3])
		if got := a.Similarity(b); got != want {
			t.Fatalf("%v and %v: %d, the program says %d", a, b, got, want)
		}
		pairs++
		if want > 0 && want < 100 {
			alike++
		}
		if overlap(a.Runs(nil), b.Runs(nil)) {
			related++
		} else if want > 0 && want < 100 {
			t.Fatalf("%v and %v are alike and share no run", a, b)
		}
	}
	if pairs < 5000 || alike < 100 || related > pairs/2 {
		t.Errorf("%d pairs, %d of them alike, %d with a run in common", pairs, alike, related)
	}
}

func overlap(a, b []uint64) bool {
	return slices.ContainsFunc(a, func(run uint64) bool { return slices.Contains(b, run) })
}

// TestTLSHProgram reads what the program writes, and compares as it does.
func TestTLSHProgram(t *testing.T) {
	program := lab.Need(t, "tlsh")
	dir, r := t.TempDir(), rand.New(rand.NewPCG(1, 2))
	for i := range 4 {
		content := make([]byte, 500<<(2*i))
		for j := range content {
			content[j] = byte(r.IntN(40 + 70*i))
		}
		for j := range 6 {
			for range len(content) * j / 60 {
				content[r.IntN(len(content))]++
			}
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%d-%d", i, j)), content[:len(content)-j*len(content)/20], 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := exec.Command(program, "-r", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]TLSH{}
	for line := range strings.Lines(string(out)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "\t")
		v, err := Parse("tlsh", sum)
		if err != nil || v.String() != strings.ToLower(sum) {
			t.Fatalf("%q becomes %q, %v", sum, v, err)
		}
		d, ok := v.Keys()[0].TLSH()
		if !ok || TLSHKey(d) != v.Keys()[0] {
			t.Fatalf("%s is %v, %v", v, d, ok)
		}
		sums[name] = d
	}
	out, err = exec.Command(program, "-xref", "-r", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	pairs, alike := 0, 0
	for line := range strings.Lines(string(out)) {
		part := strings.Split(strings.TrimSpace(line), "\t")
		want, err := strconv.Atoi(strings.TrimSpace(part[len(part)-1]))
		if len(part) != 3 || err != nil {
			t.Fatalf("%q", line)
		}
		if got := sums[part[0]].Distance(sums[part[1]]); got != want {
			t.Fatalf("%s: %d, the program says %d", line, got, want)
		}
		if pairs++; want <= 60 {
			alike++
		}
	}
	if pairs < 200 || alike < 5 {
		t.Errorf("%d pairs, %d alike", pairs, alike)
	}
}

// TestYARAProgram holds that whatever the program compiles is taken: published
// rules, and what becomes of ours when a line is left out.
func TestYARAProgram(t *testing.T) {
	program := lab.Need(t, "yara")
	dir := t.TempDir()
	compiles := func(rules string) bool {
		name := filepath.Join(dir, "rules")
		if err := os.WriteFile(name, []byte(rules), 0o600); err != nil {
			t.Fatal(err)
		}
		return exec.Command(program, "-w", name, os.DevNull).Run() == nil
	}
	taken := func(rules string) bool {
		_, err := Parse("yara", rules)
		return err == nil
	}
	lines := strings.SplitAfter("import \"pe\"\n"+yaraRule+"\nrule b : c {\n\tcondition:\n\t\tfor any i in (1..2) : ( i == 1 )\n}\n", "\n")
	sound, broken := 0, 0
	for i := range len(lines) + 1 {
		rules := strings.Join(slices.Delete(slices.Clone(lines), min(i, len(lines)), min(i+1, len(lines))), "")
		switch {
		case compiles(rules):
			sound++
			if !taken(rules) {
				t.Errorf("refused, though it compiles:\n%s", rules)
			}
		case !taken(rules):
			broken++
		}
	}
	if sound < 2 || broken < 5 {
		t.Errorf("%d sound, %d broken that we refuse too", sound, broken)
	}
}
