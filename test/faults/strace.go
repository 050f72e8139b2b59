//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"ottla/test/realfault"
)

// tracer injects faults into the system calls of a running process.
type tracer struct {
	cmd  *exec.Cmd
	out  string
	done chan struct{}
}

// attachWithin bounds the attachment to all threads.
const attachWithin = time.Minute

// inject begins a fault, such as "error=EIO", in some system calls of all
// threads of a process.
func inject(ctx context.Context, dir string, pid int, calls, fault string) (*tracer, error) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return nil, &realfault.Impossible{Reason: "there is no strace"}
	}
	t := &tracer{out: filepath.Join(dir, "strace.out"), done: make(chan struct{})}
	t.cmd = exec.CommandContext(ctx, strace, "-f", "-p", strconv.Itoa(pid), "-o", t.out,
		"-e", "trace="+calls, "-e", "inject="+calls+":"+fault)
	said, err := t.cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("run strace: %w", err)
	}
	if err := t.cmd.Start(); err != nil {
		return nil, fmt.Errorf("run strace: %w", err)
	}
	attached := make(chan struct{})
	var words bytes.Buffer
	go func() {
		defer close(t.done)
		lines, first := bufio.NewScanner(said), true
		for lines.Scan() {
			if strings.Contains(lines.Text(), "attached") && first {
				first = false
				close(attached)
			}
			words.WriteString(lines.Text() + "\n")
		}
		_, _ = io.Copy(io.Discard, said) // until it ends
		_ = t.cmd.Wait()                 // it ends by our signal
	}()
	select {
	case <-attached:
		return t, nil
	case <-t.done:
		return nil, &realfault.Impossible{Reason: "strace cannot attach: " + strings.TrimSpace(words.String())}
	case <-time.After(attachWithin):
		_ = t.cmd.Process.Kill()
		return nil, fmt.Errorf("strace did not attach within %v", attachWithin)
	}
}

// hits counts the calls that were changed so far.
func (t *tracer) hits() int {
	b, err := os.ReadFile(t.out)
	if err != nil {
		return 0
	}
	return bytes.Count(b, []byte("(INJECTED)")) + bytes.Count(b, []byte("(DELAYED)"))
}

// detach ends the fault; the process goes on.
func (t *tracer) detach() error {
	if err := t.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("detach strace: %w", err)
	}
	<-t.done
	return nil
}
