//go:build unix

package devnodes

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// apart keeps a terminal's Ctrl-C from the nodes: they stop when they are told.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// freeze lets a process stand still, or go on.
func freeze(p *os.Process, still bool) error {
	s := syscall.SIGCONT
	if still {
		s = syscall.SIGSTOP
	}
	if err := p.Signal(s); err != nil {
		return fmt.Errorf("send %v to process %d: %w", s, p.Pid, err)
	}
	return nil
}
