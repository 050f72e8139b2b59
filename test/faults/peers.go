//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sys/unix"

	"ottla/test/realfault"
)

// frame is a request as it goes over the wire, with a header of version 1.
func frame(r kmsg.Request, correlation int32) []byte {
	b := binary.BigEndian.AppendUint32(nil, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(r.Key()))
	b = binary.BigEndian.AppendUint16(b, uint16(r.GetVersion()))
	b = binary.BigEndian.AppendUint32(b, uint32(correlation))
	b = append(b, 0, 6, 'f', 'a', 'u', 'l', 't', 's')
	b = r.AppendTo(b)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// ask sends ApiVersions 0 and waits for the whole answer.
func ask(c net.Conn, within time.Duration) error {
	if err := c.SetDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	defer func() { _ = c.SetDeadline(time.Time{}) }() // of a connection that may be gone
	if _, err := c.Write(frame(&kmsg.ApiVersionsRequest{}, 1)); err != nil {
		return err
	}
	_, err := answer(c)
	return err
}

// answer reads one answer, without its length.
func answer(c net.Conn) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > 64<<20 {
		return nil, fmt.Errorf("an answer of %d bytes", n)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(c, b)
	return b, err
}

// dialMany opens connections, each of which has asked one question.
func dialMany(address string, n int) ([]net.Conn, error) {
	var all []net.Conn
	for len(all) < n {
		c, err := net.DialTimeout("tcp", address, answerWithin)
		if err == nil {
			all = append(all, c)
			err = ask(c, answerWithin)
		}
		if err != nil {
			hangUp(all)
			return nil, fmt.Errorf("connection %d of %d: %w", len(all), n, err)
		}
	}
	return all, nil
}

func hangUp(all []net.Conn) {
	for _, c := range all {
		_ = c.Close() // nothing is waited for
	}
}

// vanish ends a connection without a word to the peer, as when a machine loses
// its power: a socket in repair mode sends neither FIN nor RST.
func vanish(c net.Conn) error {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		return err
	}
	var serr error
	if err := raw.Control(func(fd uintptr) { serr = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_REPAIR, 1) }); err != nil {
		return err
	}
	if serr != nil {
		return &realfault.Impossible{Reason: fmt.Sprintf("a connection cannot vanish silently (TCP_REPAIR): %v", serr)}
	}
	return c.Close()
}

// halfOpen is row 20: peers are gone and nobody says so, half of them within a
// request. All that they held is free again within a minute.
func halfOpen(ctx context.Context, s *scene) error {
	s.settings = append(s.settings, "connections.max.idle.ms=8000")
	if err := s.open(ctx); err != nil {
		return err
	}
	n := times(1000, 200)
	conns, err := dialMany(s.address, n)
	if err != nil {
		return err
	}
	full, err := descriptorCount(s.node.PID())
	if err != nil {
		return err
	}
	for i, c := range conns {
		if i%2 == 0 {
			if _, err := c.Write([]byte{0, 0, 10, 0, 0, 18}); err != nil { // a frame of 2560 bytes begins
				return err
			}
		}
		if err := vanish(c); err != nil {
			return err
		}
	}
	began := time.Now()
	for {
		now, err := descriptorCount(s.node.PID())
		if err != nil {
			return err
		}
		if now <= full-n+n/10 { // what the load itself opens and closes meanwhile
			break
		}
		if time.Since(began) > time.Minute {
			return fmt.Errorf("%d descriptors are still open a minute after %d peers vanished (%d before)", now, n, full)
		}
		if err := realfault.Pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	s.hits = n
	s.note("all closed after %v", time.Since(began).Round(time.Second))
	return s.finish(ctx)
}

// neverRead is row 24: clients ask for much and read nothing.
func neverRead(ctx context.Context, s *scene) error {
	s.size, s.rate = 10_000, 2000
	if err := s.open(ctx); err != nil {
		return err
	}
	if err := realfault.Pause(ctx, 3*time.Second); err != nil { // something to fetch
		return err
	}
	base, err := realfault.Resident(s.node.PID())
	if err != nil {
		return err
	}
	n := times(200, 50)
	mem := watchMemory(s.node.PID())
	for range n {
		c, err := net.DialTimeout("tcp", s.address, answerWithin)
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }() // never read
		if err := c.(*net.TCPConn).SetReadBuffer(4096); err != nil {
			return err
		}
		if err := greedy(c, s.crew.Topic); err != nil {
			return err
		}
	}
	for range times(40, 3) { // longer than the broker waits for a reader, unless short
		if err := realfault.Pause(ctx, time.Second); err != nil {
			return err
		}
		if err := s.flowing(ctx); err != nil {
			return err
		}
	}
	s.hits = n
	grown := mem.stop() - base
	s.note("%d KiB a client", grown>>10/int64(n))
	if grown > int64(n)<<20+64<<20 {
		return fmt.Errorf("%d clients that do not read cost %d MiB", n, mebibytes(grown))
	}
	return s.finish(ctx)
}

// greedy sends fetches for everything, and takes no answer.
func greedy(c net.Conn, topic string) error {
	r := kmsg.NewPtrFetchRequest()
	r.SetVersion(4)
	r.ReplicaID, r.MaxBytes = -1, 50<<20
	t := kmsg.NewFetchRequestTopic()
	t.Topic = topic
	for p := range int32(6) {
		f := kmsg.NewFetchRequestTopicPartition()
		f.Partition, f.PartitionMaxBytes = p, 10<<20
		t.Partitions = append(t.Partitions, f)
	}
	r.Topics = append(r.Topics, t)
	if err := c.SetWriteDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return err
	}
	for i := range int32(50) {
		if _, err := c.Write(frame(r, i)); err != nil {
			return nil // it takes no more, as it may
		}
	}
	return nil
}

// crowd is row 28: thousands of connections that do little.
func crowd(ctx context.Context, s *scene) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	n := times(10_000, 2000)
	began := time.Now()
	conns, err := dialMany(s.address, n)
	if err != nil {
		return err
	}
	defer hangUp(conns)
	took := time.Since(began)
	s.hits = n
	rss, err := realfault.Resident(s.node.PID())
	if err != nil {
		return err
	}
	s.note("opened in %v, %d MiB resident", took.Round(100*time.Millisecond), mebibytes(rss))
	if rss > 256<<20 {
		return fmt.Errorf("%d idle connections: %d MiB resident, at most 256", n, mebibytes(rss))
	}
	for _, c := range conns {
		if err := ask(c, answerWithin); err != nil {
			return fmt.Errorf("a connection among %d is not served: %w", n, err)
		}
	}
	return s.finish(ctx)
}
