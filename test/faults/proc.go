//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ottla/test/realfault"
)

// peak watches the memory of a process until it is asked for the most it saw.
type peak struct {
	most atomic.Int64
	quit chan struct{}
	done chan struct{}
}

func watchMemory(pid int) *peak {
	p := &peak{quit: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(p.done)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			if n, err := realfault.Resident(pid); err == nil {
				p.most.Store(max(p.most.Load(), n))
			}
			select {
			case <-p.quit:
				return
			case <-tick.C:
			}
		}
	}()
	return p
}

// stop returns the most bytes that were seen.
func (p *peak) stop() int64 {
	close(p.quit)
	<-p.done
	return p.most.Load()
}

// descriptorCount is how many files and sockets a process has open.
func descriptorCount(pid int) (int, error) {
	d, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "fd"))
	if err != nil {
		return 0, fmt.Errorf("count the descriptors of the node: %w", err)
	}
	return len(d), nil
}

// limit lowers or raises a soft limit of a process and returns what it was.
func limit(pid, resource int, soft uint64) (uint64, error) {
	var old unix.Rlimit
	if err := unix.Prlimit(pid, resource, nil, &old); err != nil {
		return 0, fmt.Errorf("read a limit of the node: %w", err)
	}
	if err := unix.Prlimit(pid, resource, &unix.Rlimit{Cur: soft, Max: old.Max}, nil); err != nil {
		return 0, fmt.Errorf("set a limit of the node: %w", err)
	}
	return old.Cur, nil
}

// mebibytes is for notes.
func mebibytes(n int64) int64 { return n >> 20 }
