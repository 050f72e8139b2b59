//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"ottla/test/realfault"
)

// descriptors is row 16: connections use up all descriptors. Those who are
// connected go on, and when some are free again, new ones are taken.
func descriptors(ctx context.Context, s *scene) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	for range times(5, 1) {
		if err := exhaust(ctx, s); err != nil {
			return err
		}
	}
	return s.finish(ctx)
}

func exhaust(ctx context.Context, s *scene) error {
	used, err := descriptorCount(s.node.PID())
	if err != nil {
		return err
	}
	old, err := limit(s.node.PID(), unix.RLIMIT_NOFILE, uint64(used+10))
	if err != nil {
		return err
	}
	refused := 0
	var open []net.Conn
	for range 100 {
		c, err := net.DialTimeout("tcp", s.address, time.Second)
		if err != nil {
			refused++
			continue
		}
		open = append(open, c)
	}
	for _, c := range open {
		if ask(c, 200*time.Millisecond) != nil {
			refused++
		}
	}
	s.hits += refused
	err = realfault.Pause(ctx, 2*time.Second)
	for _, c := range open {
		_ = c.Close() // nothing was asked of it
	}
	if _, lerr := limit(s.node.PID(), unix.RLIMIT_NOFILE, old); err == nil {
		err = lerr
	}
	if err != nil {
		return err
	}
	began := time.Now()
	for { // a new client comes in
		c, err := net.DialTimeout("tcp", s.address, time.Second)
		if err == nil {
			err = ask(c, time.Second)
			_ = c.Close() // one question was all
		}
		if err == nil {
			break
		}
		if time.Since(began) > backWithin {
			return fmt.Errorf("no new connection is served %v after descriptors are free again: %w", backWithin, err)
		}
	}
	return s.flowing(ctx)
}

// cgroups is where version 1 of the memory controller is mounted.
const cgroups = "/sys/fs/cgroup/memory"

// memoryLimit is row 17: the node lives in 128 MiB, page cache included, with
// many clients, and is not killed.
func memoryLimit(ctx context.Context, s *scene) error {
	group := filepath.Join(cgroups, "ottla-faults-"+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(group, 0o755); err != nil {
		return &realfault.Impossible{Reason: fmt.Sprintf("no memory cgroup (version 1): %v", err)}
	}
	s.after = append(s.after, func() error { return os.Remove(group) })
	const most = 128 << 20
	if err := os.WriteFile(filepath.Join(group, "memory.limit_in_bytes"), []byte(strconv.Itoa(most)), 0o600); err != nil {
		return &realfault.Impossible{Reason: fmt.Sprintf("memory cannot be limited: %v", err)}
	}
	s.wrap = []string{"sh", "-c", `echo $$ > "$0/cgroup.procs" && exec "$@"`, group}
	s.size, s.rate = 10_000, 3000
	if err := s.open(ctx); err != nil {
		return err
	}
	conns, err := dialMany(s.address, times(1000, 300))
	if err != nil {
		return err
	}
	defer hangUp(conns)
	for range times(60, 10) {
		if err := realfault.Pause(ctx, time.Second); err != nil {
			return err
		}
		if err := s.up(); err != nil {
			return err
		}
	}
	if s.hits, err = number(filepath.Join(group, "memory.failcnt")); err != nil {
		return err
	}
	b, err := os.ReadFile(filepath.Join(group, "memory.oom_control"))
	if err != nil {
		return err
	}
	if _, kills, ok := strings.Cut(string(b), "oom_kill "); ok && strings.TrimSpace(kills) != "0" {
		return fmt.Errorf("the kernel killed %s time(s) for want of memory", strings.TrimSpace(kills))
	}
	rss, err := realfault.Resident(s.node.PID())
	if err != nil {
		return err
	}
	s.note("%d MiB resident of %d", mebibytes(rss), mebibytes(most))
	return s.finish(ctx)
}

func number(name string) (int, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}
