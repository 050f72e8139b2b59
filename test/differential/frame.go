package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// answerBytes bounds an answer.
const answerBytes = 64 << 20

// apiVersionsKey is the one API whose answer's header never has tags.
const apiVersionsKey = 18

// frameOf makes the bytes of a request with its length in front.
func frameOf(req kmsg.Request, correlation int32) []byte {
	b := appendHeader(nil, req.Key(), req.GetVersion(), correlation, req.IsFlexible())
	return lengthFirst(req.AppendTo(b))
}

func appendHeader(b []byte, key, version int16, correlation int32, flexible bool) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(key))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = binary.BigEndian.AppendUint32(b, uint32(correlation))
	const clientID = "differential"
	b = binary.BigEndian.AppendUint16(b, uint16(len(clientID)))
	b = append(b, clientID...)
	if flexible {
		b = append(b, 0)
	}
	return b
}

func lengthFirst(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

// What a side may do instead of answering.
var (
	errClosed   = errors.New("closes the connection")
	errNoAnswer = errors.New("does not answer")
)

// readFrame reads one answer's bytes without the length.
func readFrame(c net.Conn, within time.Duration) ([]byte, error) {
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		return nil, err
	}
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, endOf(err)
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > answerBytes {
		return nil, fmt.Errorf("says that its answer has %d bytes", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(c, b); err != nil {
		return nil, endOf(err)
	}
	return b, nil
}

func endOf(err error) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return errNoAnswer
	}
	return errClosed
}

// decode reads an answer to req from a frame.
func decode(req kmsg.Request, frame []byte, correlation int32) (kmsg.Response, error) {
	if len(frame) < 4 {
		return nil, fmt.Errorf("answers %d bytes", len(frame))
	}
	if got := int32(binary.BigEndian.Uint32(frame)); got != correlation {
		return nil, fmt.Errorf("answers request %d, want %d", got, correlation)
	}
	frame = frame[4:]
	resp := req.ResponseKind()
	resp.SetVersion(req.GetVersion())
	if resp.IsFlexible() && req.Key() != apiVersionsKey {
		if len(frame) == 0 || frame[0] != 0 {
			return nil, fmt.Errorf("answers header tags % x", frame[:min(len(frame), 8)])
		}
		frame = frame[1:]
	}
	err := resp.ReadFrom(frame)
	if err != nil && req.Key() == apiVersionsKey { // an unknown version is answered in version 0
		resp.SetVersion(0)
		err = resp.ReadFrom(frame)
	}
	if err != nil {
		return nil, fmt.Errorf("answers bytes that cannot be read: %w", err)
	}
	return resp, nil
}
