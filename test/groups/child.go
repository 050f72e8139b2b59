//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ottla/test/history"
)

// monotonic is the machine's clock, the same for all its processes.
func monotonic() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(fmt.Sprintf("Linux without a monotonic clock: %v", err))
	}
	return t.Nano()
}

// baseOf is the monotonic time at which a history began.
func baseOf(w *history.Writer) int64 { return monotonic() - w.Now() }

// lines is the journal of a process: each operation is a line of its output.
type lines struct {
	base int64

	mu   sync.Mutex // guards what follows
	last int64
	out  *os.File
}

// Now is the time since the history began.
func (l *lines) Now() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = max(l.last+1, monotonic()-l.base)
	return l.last
}

// Add writes at once: the process may be killed after it.
func (l *lines) Add(op history.Op) {
	line, err := json.Marshal(op)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		_, err = l.out.Write(append(line, '\n'))
	}
	if err != nil { // nobody listens any more
		fmt.Fprintln(os.Stderr, "groups: a member cannot tell what it does:", err)
		os.Exit(1)
	}
}

// beChild is a member as a process: it works until it is told to leave by
// SIGTERM, or until its parent has gone.
func beChild(text string) error {
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return fmt.Errorf("read the orders: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent ends
		os.Exit(1)
	}()
	m, err := newMember(o, &lines{base: o.Base, out: os.Stdout}, nil)
	if err != nil {
		return err
	}
	m.work(ctx)
	m.client.CloseAllowingRebalance()
	m.crashed()
	return nil
}

// child is the parent's end of it.
type child struct {
	orders
	cmd     *exec.Cmd
	stdin   io.Closer
	ended   chan struct{}
	journal journal

	mu     sync.Mutex // guards frozen
	frozen bool
}

// startChild starts a member's process, whose lines go to w.
func startChild(o orders, w journal) (*child, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	c := &child{orders: o, cmd: exec.Command(self, "-member", string(text)), ended: make(chan struct{}), journal: w}
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a member: %w", err)
	}
	go c.listen(out)
	return c, nil
}

// listen takes over all that the process says, until it has ended.
func (c *child) listen(out io.Reader) {
	defer close(c.ended)
	c.take(out)
	_ = c.cmd.Wait() // it ended as it was told to
	crash(c.journal, c.orders)
}

// take takes all lines over. The last may be cut off, when the process was
// killed in it.
func (c *child) take(out io.Reader) {
	r := bufio.NewReaderSize(out, 1<<16)
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			break
		}
		var op history.Op
		if err := json.Unmarshal(line, &op); err != nil {
			op = history.Op{Process: c.Reads, Kind: history.Crash, Outcome: history.Fail, Error: err.Error()}
		}
		c.journal.Add(op)
	}
}

func (c *child) done() <-chan struct{} { return c.ended }

// leave asks it to leave the group and waits.
func (c *child) leave() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	c.wake()
	select {
	case <-c.ended:
	case <-time.After(leaveWithin): // without a broker it cannot
		c.die()
	}
}

// die kills it; no word reaches the broker.
func (c *child) die() {
	_ = c.cmd.Process.Kill() // it may have ended
	<-c.ended
}

// silence freezes it for a while.
func (c *child) silence(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	c.frozen = true
	err := c.cmd.Process.Signal(syscall.SIGSTOP)
	c.mu.Unlock()
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("freeze a member: %w", err)
	}
	select {
	case <-c.ended:
	case <-ctx.Done():
	case <-time.After(d):
	}
	c.wake()
	return nil
}

func (c *child) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.frozen {
		_ = c.cmd.Process.Signal(syscall.SIGCONT) // it may have ended
		c.frozen = false
	}
}
