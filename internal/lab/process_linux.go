package lab

import (
	"os/exec"
	"syscall"
)

// leash has the kernel kill the program when the test's process is gone,
// however it went: no cleanup runs after a panic in another goroutine, a test
// timeout or a SIGKILL. The program leads a process group of its own, so that
// its children can be ended with it. (The kernel forgets the leash when a
// program changes its user, so the lab has none do that; see [demote].)
func leash(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	cmd.SysProcAttr.Setpgid = true
}

func kill(cmd *exec.Cmd) { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

// demote has a program run as another user from its first moment on, before it is
// put on the leash.
func demote(cmd *exec.Cmd, uid, gid uint32) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid}}
}
