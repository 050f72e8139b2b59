//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sys/unix"

	"ottla/test/realfault"
)

// diskFull is row 12: the disk is filled from outside, and room comes back.
func diskFull(ctx context.Context, s *scene) error {
	if err := s.onImage(ctx, 256); err != nil {
		return err
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	filler := filepath.Join(s.image.Dir, "filler")
	return s.starve(ctx, times(10, 2), func() error { return realfault.Fill(filler) }, func() error { return os.Remove(filler) })
}

// starve takes something away from the node so that writes are refused, looks
// that it lives, and gives it back, so many times. take is called again while
// it lasts: the node may give room back.
func (s *scene) starve(ctx context.Context, n int, take, give func() error) error {
	p, err := realfault.NewProbe(ctx, s.address)
	if err != nil {
		return err
	}
	defer p.Close()
	for range n {
		err := s.without(ctx, p, take)
		if gerr := give(); err == nil {
			err = gerr
		}
		if err != nil {
			return err
		}
		if err := s.flowing(ctx); err != nil {
			return err
		}
		if err := realfault.Pause(ctx, time.Second); err != nil {
			return err
		}
	}
	return s.finish(ctx)
}

// without is the time in which something is missing; it counts one hit when
// writes stood still.
func (s *scene) without(ctx context.Context, p *realfault.Probe, take func() error) error {
	last, since, began := s.crew.Acked(), time.Now(), time.Now()
	for time.Since(began) < backWithin {
		if err := take(); err != nil {
			return err
		}
		if err := s.up(); err != nil {
			return err
		}
		if err := realfault.Pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
		if now := s.crew.Acked(); now != last {
			last, since = now, time.Now()
		}
		if time.Since(since) > time.Second {
			s.hits++
			_ = p.Write(ctx) // its topic may still have room or not; it must be answered, which up and flowing show
			return s.up()
		}
	}
	return fmt.Errorf("writes went on for %v: the fault does not bite", backWithin)
}

// inodesFull is row 13a: there are bytes left, and no inodes.
func inodesFull(ctx context.Context, s *scene) error {
	mount := filepath.Join(s.dir, "mnt")
	if err := os.MkdirAll(mount, 0o755); err != nil {
		return err
	}
	if b, err := exec.CommandContext(ctx, "mount", "-t", "tmpfs", "-o", "size=1g,nr_inodes=3000", "tmpfs", mount).CombinedOutput(); err != nil {
		return &realfault.Impossible{Reason: fmt.Sprintf("mounting a tmpfs: %v: %s", err, b)}
	}
	s.after = append(s.after, func() error { return unix.Unmount(mount, 0) })
	s.data = filepath.Join(mount, "data")
	small := "1048576" // so that segments roll, which needs inodes
	s.topic, s.size, s.rate = map[string]*string{"segment.bytes": &small}, 2000, 3000
	if err := s.open(ctx); err != nil {
		return err
	}
	files := filepath.Join(mount, "files")
	for i := range times(5, 1) {
		err := s.newTopicWithout(ctx, fmt.Sprintf("new-%d", i), func() error { return useInodes(files) })
		if rerr := os.RemoveAll(files); err == nil {
			err = rerr
		}
		if err == nil {
			err = s.eventually(ctx, fmt.Sprintf("new-%d", i))
		}
		if err == nil {
			err = s.flowing(ctx)
		}
		if err != nil {
			return err
		}
	}
	return s.finish(ctx)
}

// newTopicWithout looks what a topic's first record, which needs new files, is
// answered while there are no inodes. What has files may go on in them.
func (s *scene) newTopicWithout(ctx context.Context, topic string, take func() error) error {
	for until := time.Now().Add(2 * time.Second); time.Now().Before(until); {
		if err := take(); err != nil { // again and again: the node may give some back
			return err
		}
		if err := realfault.Pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	if err := s.createTopic(ctx, topic, nil); err != nil {
		s.hits++ // refused even earlier
		return s.up()
	}
	switch err := s.write(ctx, topic); {
	case err == nil:
		return errors.New("a new log was begun without an inode: the fault does not bite")
	case !kerr.IsRetriable(err):
		return fmt.Errorf("without inodes a write fails with %w, which clients do not retry", err)
	}
	s.hits++
	return s.up()
}

// eventually wants a record taken within backWithin, in a topic that is made
// where it is not there.
func (s *scene) eventually(ctx context.Context, topic string) error {
	for began := time.Now(); ; {
		_ = s.createTopic(ctx, topic, nil) // it may be there
		err := s.write(ctx, topic)
		if err == nil {
			return nil
		}
		if time.Since(began) > backWithin {
			return fmt.Errorf("%s takes no record %v after the fault was over: %w", topic, backWithin, err)
		}
		if err := realfault.Pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// write produces one record and does not retry.
func (s *scene) write(ctx context.Context, topic string) error {
	ctx, cancel := context.WithTimeout(ctx, backWithin)
	defer cancel()
	c, err := kgo.NewClient(kgo.SeedBrokers(s.address), kgo.DisableIdempotentWrite(), kgo.RecordRetries(0),
		kgo.RequestRetries(0), kgo.ProducerLinger(0))
	if err != nil {
		return err
	}
	defer c.Close()
	return c.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("one")}).FirstErr()
}

// useInodes makes empty files until there are no inodes left.
func useInodes(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil && !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	for {
		f, err := os.CreateTemp(dir, "")
		switch {
		case errors.Is(err, syscall.ENOSPC), errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
}

// fileLimit is row 13b: RLIMIT_FSIZE stands in the way of the segments.
func fileLimit(ctx context.Context, s *scene) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	var old uint64
	first := true
	take := func() (err error) {
		if first {
			var size int64
			if size, err = smallestSegment(s.data, "load-*"); err == nil {
				first = false
				old, err = limit(s.node.PID(), unix.RLIMIT_FSIZE, uint64(size))
			}
		}
		return err
	}
	give := func() error {
		first = true
		_, err := limit(s.node.PID(), unix.RLIMIT_FSIZE, old)
		return err
	}
	return s.starve(ctx, times(5, 1), take, give)
}

// smallestSegment is the size of the smallest of the newest segments.
func smallestSegment(data, topic string) (int64, error) {
	names, err := filepath.Glob(filepath.Join(data, topic, "*.log"))
	if err != nil || len(names) == 0 {
		return 0, fmt.Errorf("there are no segments of %s in %s: %w", topic, data, err)
	}
	smallest := int64(1 << 62)
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return 0, err
		}
		smallest = min(smallest, info.Size())
	}
	return smallest, nil
}

// readOnly is row 15a: the kernel finds an error of the file system and makes it
// read-only under load. Nothing may be acknowledged from then on.
//
// The node stands still while that happens. ext4 takes some milliseconds from
// the abort of its journal to the flag that refuses syncs, and in between
// fdatasync answers 0 for data that is gone after the next mount (seen on Linux
// 6.18 with strace: 0, and 6 ms later EROFS on the next file). No process can
// see through that; docs/durability.md has it under what is not covered.
func readOnly(ctx context.Context, s *scene) error {
	if err := s.onImage(ctx, 512); err != nil {
		return err
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	for range times(3, 2) {
		err := realfault.StandStill(ctx, s.node.PID())
		if err == nil {
			err = turnReadOnly(ctx, s.image.Dir)
		}
		if cerr := syscall.Kill(s.node.PID(), syscall.SIGCONT); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
		if err := s.ebbed(ctx); err != nil {
			return fmt.Errorf("on a read-only file system: %w", err)
		}
		before := s.crew.Acked()
		if err := realfault.Pause(ctx, time.Second); err != nil {
			return err
		}
		if n := s.crew.Acked() - before; n > 0 {
			return fmt.Errorf("%d records were acknowledged on a read-only file system", n)
		}
		s.hits++
		s.node.Kill()
		if err := s.image.Unmount(ctx); err != nil {
			return err
		}
		if err := s.image.Mount(ctx); err != nil {
			return err
		}
		if err := s.start(ctx); err != nil {
			return fmt.Errorf("start after a read-only file system: %w", err)
		}
		if err := s.flowing(ctx); err != nil {
			return err
		}
	}
	return s.finish(ctx)
}

// turnReadOnly does what an error of the disk does to ext4.
func turnReadOnly(ctx context.Context, mount string) error {
	if b, err := exec.CommandContext(ctx, "mount", "-o", "remount,errors=remount-ro", mount).CombinedOutput(); err != nil {
		return &realfault.Impossible{Reason: fmt.Sprintf("remount: %v: %s", err, b)}
	}
	var st unix.Stat_t
	if err := unix.Stat(mount, &st); err != nil {
		return err
	}
	link, err := os.Readlink("/sys/dev/block/" + strconv.Itoa(int(unix.Major(st.Dev))) + ":" + strconv.Itoa(int(unix.Minor(st.Dev))))
	if err != nil {
		return &realfault.Impossible{Reason: fmt.Sprintf("the device of %s is not in /sys: %v", mount, err)}
	}
	trigger := filepath.Join("/sys/fs/ext4", filepath.Base(link), "trigger_fs_error")
	if err := os.WriteFile(trigger, []byte("by test/faults\n"), 0o200); err != nil {
		return &realfault.Impossible{Reason: fmt.Sprintf("no error of the file system can be made: %v", err)}
	}
	var fsStat unix.Statfs_t
	if err := unix.Statfs(mount, &fsStat); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(mount, "probe"), nil, 0o600); !errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("%s is not read-only after an error of its file system (%w): %s", mount, err, strings.TrimSpace(link))
	}
	return nil
}
