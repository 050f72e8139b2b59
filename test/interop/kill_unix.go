//go:build unix

package main

import (
	"os/exec"
	"syscall"
	"time"
)

// endGroup makes the end of p's context the end of all the processes that p
// started.
func endGroup(p *exec.Cmd) {
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.Cancel = func() error { return syscall.Kill(-p.Process.Pid, syscall.SIGKILL) }
	p.WaitDelay = 5 * time.Second
}
