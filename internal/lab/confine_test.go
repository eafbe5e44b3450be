package lab

import (
	"os/exec"
	"testing"
)

// Where AppArmor confines a resolver, the lab runs a copy of it.
func TestCopiesRun(t *testing.T) {
	for _, program := range []string{"unbound", "named"} {
		t.Run(program, func(t *testing.T) {
			path := copied(t, Need(t, program), t.TempDir())
			if out, err := exec.Command(path, "-V").CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
