//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/realfault"
)

// absurd is row 25: lengths and counts that no request has. Each is answered or
// costs its connection, at once, and no memory.
func absurd(ctx context.Context, s *scene) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	base, err := realfault.Resident(s.node.PID())
	if err != nil {
		return err
	}
	mem := watchMemory(s.node.PID())
	for range times(20, 3) {
		for _, a := range absurdities() {
			if err := tell(s.address, a.bytes); err != nil {
				return fmt.Errorf("%s: %w", a.name, err)
			}
			s.hits++
			if err := s.up(); err != nil {
				return fmt.Errorf("after %s: %w", a.name, err)
			}
		}
	}
	if err := promises(ctx, s); err != nil {
		return err
	}
	grown := mem.stop() - base
	s.note("%d MiB more at the peak", mebibytes(grown))
	if grown > 128<<20 {
		return fmt.Errorf("absurd requests cost %d MiB", mebibytes(grown))
	}
	return s.finish(ctx)
}

// promises announces the largest request that is allowed, many times at once,
// and sends nothing.
func promises(ctx context.Context, s *scene) error {
	for range times(200, 50) {
		c, err := net.DialTimeout("tcp", s.address, answerWithin)
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }() // nothing comes of it
		if _, err := c.Write(binary.BigEndian.AppendUint32(nil, 100<<20)); err != nil {
			return err
		}
		s.hits++
	}
	return realfault.Pause(ctx, time.Second)
}

type absurdity struct {
	name  string
	bytes []byte
}

// sized puts a length before a request.
func sized(b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...) }

// header is one of version 1, or of version 2 without tagged fields.
func header(key, version int16, flexible bool) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(key))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = append(b, 0, 0, 0, 1, 0, 1, 'f')
	if flexible {
		b = append(b, 0)
	}
	return b
}

func absurdities() []absurdity {
	const most = "\x7f\xff\xff\xff"
	uvarint := "\xff\xff\xff\xff\x0f"
	garbage := func() []byte {
		b := make([]byte, 1+rand.IntN(300))
		for i := range b {
			b[i] = byte(rand.Uint32())
		}
		return b
	}
	with := func(h []byte, rest string) []byte { return sized(append(h, rest...)) }
	all := []absurdity{
		{"a request of 2 GiB", []byte(most)},
		{"a negative length", []byte("\xff\xff\xff\xff")},
		{"a length of nothing", []byte("\x00\x00\x00\x00")},
		{"a length of one", []byte("\x00\x00\x00\x01x")},
		{"an HTTP request", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")},
		{"2^31 topics in Metadata", with(header(3, 1, false), most)},
		{"2^31 topics in Produce", with(header(0, 3, false), "\xff\xff\x00\x01\x00\x00\x00\x01"+most)},
		{"2^31 topics in Fetch", with(header(1, 4, false), "\xff\xff\xff\xff\x00\x00\x00\x01\x00\x00\x00\x01"+most+"\x00"+most)},
		{"2^31 topics in ListOffsets", with(header(2, 1, false), "\xff\xff\xff\xff"+most)},
		{"2^31 protocols in JoinGroup", with(header(11, 0, false), "\x00\x01g\x00\x00\x27\x10\x00\x00\x00\x00"+most)},
		{"2^32 topics in Metadata 9", with(header(3, 9, true), uvarint)},
		{"2^32 tagged fields in a header", with(header(18, 3, false), uvarint)},
		{"a tagged field of 4 GiB", with(header(18, 3, false), "\x01\x00"+uvarint)},
		{"a varint without end", with(header(3, 9, true), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")},
		{"a string beyond the end", with(header(10, 0, false), "\x7f\xff")},
		{"a negative string", with(header(10, 0, false), "\xff\xf0")},
		{"an API that is not there", with(header(9999, 0, false), "")},
		{"a version that is not there", with(header(3, 999, false), "")},
		{"a negative version", with(header(3, -1, false), "")},
		{"nothing after the key", sized([]byte{0, 3})},
		{"a million tagged fields", with(header(18, 3, false), millionTags())},
		{"a Produce of garbage", with(header(0, 7, false), string(garbage()))},
	}
	for range 20 {
		all = append(all, absurdity{"garbage", sized(garbage())})
	}
	return all
}

// millionTags are the tagged fields of a header, each empty.
func millionTags() string {
	const n = 1_000_000
	b := binary.AppendUvarint(nil, n)
	for i := range uint64(n) {
		b = append(binary.AppendUvarint(b, 1000+i), 0)
	}
	return string(b)
}

// tell sends bytes on a connection of its own and then wants an answer or the
// end of the connection.
func tell(address string, b []byte) error {
	c, err := net.DialTimeout("tcp", address, answerWithin)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // it has done its work
	if err := c.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return err
	}
	if _, err := c.Write(b); err != nil {
		return nil // the broker has hung up already
	}
	if _, err := c.Write(frame(&kmsg.ApiVersionsRequest{}, 7)); err != nil {
		return nil
	}
	if _, err := answer(c); err != nil {
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			return fmt.Errorf("neither an answer nor the end of the connection: %w", err)
		}
	}
	return nil
}
