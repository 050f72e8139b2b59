//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// mostAnswer bounds an answer: ten messages are far smaller.
const mostAnswer = 1 << 20

// callWithin bounds a call; none of them waits long.
const callWithin = time.Minute

// caller is one connection that speaks HTTP/1.1 with requests that were written
// beforehand.
type caller struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte // of the last answer; good until the next call
}

func dial(ctx context.Context, addr string) (*caller, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &caller{conn: c, in: newReader(c)}, nil
}

func newReader(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, 16<<10) }

func (c *caller) close() { _ = c.conn.Close() } // nothing is under way any more, or the run has failed

// call sends a request and gives the body of its answer, which has to be 200 OK.
func (c *caller) call(request []byte) ([]byte, error) {
	_ = c.conn.SetDeadline(time.Now().Add(callWithin))
	if _, err := c.conn.Write(request); err != nil {
		return nil, fmt.Errorf("send a request: %w", err)
	}
	return c.answer()
}

// answer reads the answer to a request that was sent.
func (c *caller) answer() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return nil, fmt.Errorf("read an answer: %w", err)
	}
	ok := bytes.HasPrefix(line, []byte("HTTP/1.1 200 "))
	status := string(bytes.TrimSpace(line))
	length, err := c.headers()
	if err != nil {
		return nil, fmt.Errorf("read the headers of an answer (%s): %w", status, err)
	}
	if cap(c.out) < length {
		c.out = make([]byte, length)
	}
	c.out = c.out[:length]
	if _, err := io.ReadFull(c.in, c.out); err != nil {
		return nil, fmt.Errorf("read the body of an answer: %w", err)
	}
	if !ok {
		return nil, fmt.Errorf("%s: %.300s", status, c.out)
	}
	return c.out, nil
}

// headers reads headers to their end and gives the length of the body.
func (c *caller) headers() (length int, err error) {
	length = -1
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if !bytes.EqualFold(name, []byte("Content-Length")) {
			continue
		}
		if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
			return 0, err
		}
	}
	if length < 0 || length > mostAnswer {
		return 0, errors.New("the answer does not tell its length, or a very large one")
	}
	return length, nil
}
