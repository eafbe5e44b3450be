package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tocsin/internal/lab"
)

// The Debian package is the same each time it is built, lintian finds nothing in
// it, and what it installs runs as its unit starts it.
func TestDebianPackage(t *testing.T) {
	lab.Need(t, "dpkg-deb")
	lab.Need(t, "git")
	deb := packaged(t)
	if again := packaged(t); sumOf(read(t, deb)) != sumOf(read(t, again)) {
		t.Error("built twice, it is not the same")
	}
	root := t.TempDir()
	output(t, exec.Command("dpkg-deb", "-x", deb, root))
	control := output(t, exec.Command("dpkg-deb", "-f", deb, "Package", "Depends", "Maintainer", "Installed-Size"))
	if !strings.Contains(control, "Package: tocsin\n") || strings.Contains(control, "@") != strings.Contains(control, "maintainers@") {
		t.Errorf("control: %s", control)
	}
	t.Run("lintian", func(t *testing.T) {
		lintian := lab.Need(t, "lintian")
		if out, err := exec.Command(lintian, "--fail-on", "error,warning", "--allow-root", deb).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("dpkg", func(t *testing.T) { throughDpkg(t, deb) })
	t.Run("unit", func(t *testing.T) { sandboxed(t, root) })
	t.Run("runs", func(t *testing.T) { installed(t, root) })
}

// packaged builds a package and returns its file.
func packaged(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("../../deploy/debian/build", t.TempDir())
	cmd.Env = append(os.Environ(), "DEB_COMPRESS=gzip")
	return strings.TrimSpace(output(t, cmd))
}

func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", cmd, err, out, errs.Bytes())
	}
	return string(out)
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	must(t, err)
	return b
}

// throughDpkg has dpkg install the package into a folder, and remove it: its
// scripts run, settings that were changed stay until it is purged, and what people
// shared stays even then.
func throughDpkg(t *testing.T, deb string) {
	dpkg := lab.Need(t, "dpkg")
	if os.Getuid() != 0 {
		t.Skip("dpkg takes root, also for a folder")
	}
	root := t.TempDir()
	for _, dir := range []string{"var/lib/dpkg/updates", "var/lib/dpkg/info", "var/log"} {
		must(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	must(t, os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o644))
	do := func(args ...string) string {
		return output(t, exec.Command(dpkg, append([]string{"--root=" + root, "--force-script-chrootless", "--force-depends", "--no-triggers"}, args...)...))
	}
	if said := do("--install", deb); !strings.Contains(said, "tocsin init --data /var/lib/tocsin") {
		t.Errorf("it does not say how to go on: %s", said)
	}
	data, conf := filepath.Join(root, "var/lib/tocsin"), filepath.Join(root, "etc/tocsin/tocsin.conf")
	if info, err := os.Stat(data); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data folder: %v, %v", info, err)
	}
	must(t, os.WriteFile(conf, []byte("data = /srv/tocsin\n"), 0o644))
	must(t, os.WriteFile(filepath.Join(data, databaseFile), nil, 0o600))
	do("--install", "--force-confold", deb)
	if got := read(t, conf); string(got) != "data = /srv/tocsin\n" {
		t.Errorf("settings were lost: %s", got)
	}
	do("--remove", "tocsin")
	if _, err := os.Stat(conf); err != nil {
		t.Errorf("settings are gone before a purge: %v", err)
	}
	if said := do("--purge", "tocsin"); !strings.Contains(said, "are kept") {
		t.Errorf("it does not say what is kept: %s", said)
	}
	if _, err := os.Stat(conf); err == nil {
		t.Error("settings are left after a purge")
	}
	if _, err := os.Stat(filepath.Join(data, databaseFile)); err != nil {
		t.Errorf("what people shared is gone: %v", err)
	}
}

// sandboxed has systemd read the units, and count what the service may do.
func sandboxed(t *testing.T, root string) {
	analyze := lab.Need(t, "systemd-analyze")
	var units []string
	for _, name := range []string{"tocsin.service", "tocsin-backup.service", "tocsin-backup.timer"} {
		text := read(t, filepath.Join(root, "lib/systemd/system", name))
		// The program is elsewhere here, and the manual is not installed.
		text = bytes.ReplaceAll(text, []byte("/usr/bin/tocsin"), []byte(filepath.Join(root, "usr/bin/tocsin")))
		text = regexp.MustCompile(`(?m)^Documentation=.*\n`).ReplaceAll(text, nil)
		file := filepath.Join(t.TempDir(), name)
		must(t, os.WriteFile(file, text, 0o600))
		units = append(units, file)
	}
	for _, u := range units {
		cmd := exec.Command(analyze, "verify", "--man=no", u)
		cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+filepath.Dir(u)+":"+filepath.Dir(units[1])+":")
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", filepath.Base(u), err, out)
		}
	}
	for _, u := range units[:2] {
		// Exposure in tenths: 20 is what a service has that listens and may bind low ports.
		if out, err := exec.Command(analyze, "security", "--offline=yes", "--threshold=20", "--no-pager", u).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", filepath.Base(u), err, out[max(0, len(out)-500):])
		}
	}
}

// installed founds an exchange with the installed program and starts it with the
// installed settings, which it changes as an operator would: another folder, other
// ports.
func installed(t *testing.T, root string) {
	program, conf, data := filepath.Join(root, "usr/bin/tocsin"), filepath.Join(root, "etc/tocsin/tocsin.conf"), filepath.Join(t.TempDir(), "data")
	output(t, exec.Command(program, "config", "--check", conf))
	text := string(read(t, conf))
	http1, dns1 := lab.Port(t), lab.Port(t)
	for was, is := range map[string]string{"data = /var/lib/tocsin": "data = " + data, "http = 127.0.0.1:8470": fmt.Sprintf("http = 127.0.0.1:%d", http1),
		"dns = 127.0.0.1:5470": fmt.Sprintf("dns = 127.0.0.1:%d", dns1)} {
		if !strings.Contains(text, "\n"+was+"\n") {
			t.Fatalf("the settings have no line %q", was)
		}
		text = strings.Replace(text, was, is, 1)
	}
	must(t, os.WriteFile(conf, []byte(text), 0o600))
	output(t, exec.Command(program, "init", "--data", data, "--org", "Example Telecom", "--email", "ana@example.org"))

	command := regexp.MustCompile(`(?m)^ExecStart=(.*)$`).FindSubmatch(read(t, filepath.Join(root, "lib/systemd/system/tocsin.service")))
	args := strings.Fields(string(command[1]))
	for i := range args {
		args[i] = strings.NewReplacer("/usr/bin/", root+"/usr/bin/", "/etc/", root+"/etc/").Replace(args[i])
	}
	socket, hear := systemd(t)
	cmd := exec.Command(args[0], args[1:]...)
	// A service has none of our environment: TOCSIN_DATA comes before a file.
	cmd.Env = []string{"NOTIFY_SOCKET=" + socket, "PATH=" + os.Getenv("PATH")}
	var log bytes.Buffer
	cmd.Stderr = &log
	p := lab.Start(t, cmd)
	if said := hear(); !strings.HasPrefix(said, "READY=1") {
		t.Errorf("it said %q", said)
	}
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/healthz", http1))
	must(t, err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("/healthz: %s", resp.Status)
	}
	p.Signal(os.Interrupt)
	select {
	case <-p.Done():
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
	if code := cmd.ProcessState.ExitCode(); code != exitOK {
		t.Errorf("it ended with %d:\n%s", code, log.String())
	}
}

// The manual page has every command and says nothing that man can't read.
func TestManualPage(t *testing.T) {
	parser, err := newParser(t.Context(), newConsole(nil, os.Stdout, os.Stderr))
	must(t, err)
	text := manual(parser.Model)
	for _, n := range parser.Model.Leaves(true) {
		if !strings.Contains(text, ".SS "+roff(strings.TrimSpace(n.Summary()))) {
			t.Errorf("nothing about %s", n.Path())
		}
	}
	man := lab.Need(t, "man")
	cmd := exec.Command(man, "--warnings", "-l", "-")
	cmd.Stdin = strings.NewReader(text)
	cmd.Env = append(os.Environ(), "MANWIDTH=80", "LC_ALL=C.UTF-8")
	var warned bytes.Buffer
	cmd.Stderr = &warned
	if out, err := cmd.Output(); err != nil || len(out) < 1000 || warned.Len() > 0 {
		t.Errorf("%v, %d octets: %s", err, len(out), warned.Bytes())
	}
}
