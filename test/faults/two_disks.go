//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/realfault"
)

const (
	aside         = "aside" // a topic beside the load's, of asideSize partitions
	asideSize     = 6
	notServed     = 6  // NOT_LEADER_OR_FOLLOWER: the client is to look for another leader
	noLeader      = 5  // LEADER_NOT_AVAILABLE
	storageFailed = 56 // KAFKA_STORAGE_ERROR
)

// oneOfTwo is row 15b: of two disks the one without the metadata becomes
// read-only. What lies on the other is read and written as before; what lies on
// this one is refused, and nothing is acknowledged there.
func oneOfTwo(ctx context.Context, s *scene) error {
	if err := s.onImage(ctx, 512); err != nil {
		return err
	}
	failing := s.data
	s.data = filepath.Join(s.dir, "data") + "," + failing
	if err := s.open(ctx); err != nil {
		return err
	}
	if err := s.makeAside(ctx); err != nil {
		return err
	}
	for range times(3, 1) {
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
		if err := s.oneServes(failing); err != nil {
			return err
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
			return fmt.Errorf("start after one disk was read-only: %w", err)
		}
		if err := s.flowing(ctx); err != nil {
			return err
		}
	}
	return s.finish(ctx)
}

// makeAside makes the topic and writes a record to each partition.
func (s *scene) makeAside(ctx context.Context) error {
	a, err := s.admin()
	if err != nil {
		return err
	}
	defer a.Close()
	r, err := a.CreateTopic(ctx, asideSize, 1, nil, aside)
	if err == nil {
		err = r.Err
	}
	if err != nil {
		return fmt.Errorf("create topic %s: %w", aside, err)
	}
	return s.each(func(c net.Conn, p int32) error { return write(c, p, 0) })
}

// each calls do for each partition of the topic aside, over one connection.
func (s *scene) each(do func(c net.Conn, p int32) error) error {
	c, err := net.DialTimeout("tcp", s.address, answerWithin)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // it has done its work
	for p := range int32(asideSize) {
		if err := do(c, p); err != nil {
			return fmt.Errorf("partition %d of %s: %w", p, aside, err)
		}
	}
	return nil
}

// oneServes looks at each partition of the topic aside, of which some lie in the
// directory that failed.
func (s *scene) oneServes(failing string) error {
	served, refused := 0, 0
	err := s.each(func(c net.Conn, p int32) error {
		_, err := os.Stat(filepath.Join(failing, fmt.Sprintf("%s-%d", aside, p)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			served++
			return errors.Join(write(c, p, 0), read(c, p, 0))
		case err != nil:
			return err
		}
		refused++
		return errors.Join(write(c, p, storageFailed, notServed, noLeader), read(c, p, storageFailed, notServed, noLeader))
	})
	if err == nil && (served == 0 || refused == 0) {
		err = fmt.Errorf("%d partitions of %s lie on the good disk, %d on the other: nothing is to be seen", served, aside, refused)
	}
	return err
}

// write produces a record and wants one of the codes.
func write(c net.Conn, partition int32, want ...int16) error {
	b, err := batch(0, 1, 20)
	if err != nil {
		return err
	}
	code, err := produceTo(c, aside, partition, b)
	return wanted("a write", code, err, want)
}

// read fetches from offset 0 and wants one of the codes; with 0, records come.
func read(c net.Conn, partition int32, want ...int16) error {
	r := kmsg.NewPtrFetchRequest()
	r.SetVersion(4)
	r.ReplicaID, r.MaxWaitMillis, r.MinBytes, r.MaxBytes = -1, 0, 1, 1<<20
	t, p := kmsg.NewFetchRequestTopic(), kmsg.NewFetchRequestTopicPartition()
	t.Topic, p.Partition, p.PartitionMaxBytes = aside, partition, 1<<20
	t.Partitions = append(t.Partitions, p)
	r.Topics = append(r.Topics, t)
	resp := kmsg.NewPtrFetchResponse()
	resp.SetVersion(4)
	if err := exchange(c, r, resp); err != nil {
		return err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return fmt.Errorf("an answer about %d topics", len(resp.Topics))
	}
	got := resp.Topics[0].Partitions[0]
	if got.ErrorCode == 0 && (len(got.RecordBatches) < recordsAt || binary.BigEndian.Uint64(got.RecordBatches) != 0) {
		return fmt.Errorf("a read from offset 0 gives %d bytes that do not begin there", len(got.RecordBatches))
	}
	return wanted("a read", got.ErrorCode, nil, want)
}

func wanted(what string, code int16, err error, want []int16) error {
	if err != nil {
		return fmt.Errorf("%s is not answered: %w", what, err)
	}
	for _, w := range want {
		if code == w {
			return nil
		}
	}
	return fmt.Errorf("%s is answered with code %d, want one of %v", what, code, want)
}
