package realfault

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// StandStill stops a process (SIGSTOP) and returns when none of its threads is
// in a system call any more. Whatever faults the file system then, no call of
// the process is under way in it: ext4 answers a sync that it is busy with
// while its journal is cut off with success (docs/durability.md).
func StandStill(ctx context.Context, pid int) error {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return fmt.Errorf("stop process %d: %w", pid, err)
	}
	for began := time.Now(); ; {
		moving, err := movingThreads(pid)
		if err != nil || moving == 0 {
			return err
		}
		if time.Since(began) > time.Minute {
			return fmt.Errorf("%d threads of process %d do not stand still", moving, pid)
		}
		if err := Pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
}

// movingThreads counts the threads of a process that are not stopped.
func movingThreads(pid int) (int, error) {
	stats, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "stat"))
	if err != nil {
		return 0, fmt.Errorf("list the threads of process %d: %w", pid, err)
	}
	moving := 0
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // the thread has ended
		}
		if _, state, ok := bytes.Cut(b, []byte(") ")); !ok || state[0] != 'T' {
			moving++
		}
	}
	return moving, nil
}
