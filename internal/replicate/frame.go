package replicate

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"ottla/internal/wire"
)

const keyFetch = wire.KeyFetch

// mostFrame bounds an answer: what is asked for is far less, but one batch comes
// whole however large it is. Memory is taken as the bytes come.
const mostFrame = 1 << 30

// keepBuffer is the largest buffer that is kept for the next message.
const keepBuffer = 16 << 20

// step is how much memory is taken at a time for bytes that have not come yet.
const step = 1 << 20

// clientID is what requests between replicas name.
const clientID = "replica"

// appendHeader begins a request: room for its length and header version 2.
func appendHeader(b []byte, key, version int16, correlation int32) []byte {
	b = wire.BeginFrame(b)
	b = binary.BigEndian.AppendUint16(b, uint16(key))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = binary.BigEndian.AppendUint32(b, uint32(correlation))
	b = binary.BigEndian.AppendUint16(b, uint16(len(clientID)))
	b = append(b, clientID...)
	return append(b, 0) // no tags
}

// endFrame writes the length of the request that begins at start.
func endFrame(b []byte, start int) { wire.EndFrame(b, start, 0) }

// readFrame reads an answer into buf.
func readFrame(in io.Reader, buf *[]byte) ([]byte, error) {
	var head [wire.FrameHeader]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, err
	}
	size := wire.FrameSize(head[:])
	if size < 0 || size > mostFrame {
		return nil, fmt.Errorf("an answer of %d bytes", size)
	}
	b := (*buf)[:0]
	for len(b) < size {
		n := min(size-len(b), max(step, cap(b)-len(b)))
		b = slices.Grow(b, n)[:len(b)+n]
		if _, err := io.ReadFull(in, b[len(b)-n:]); err != nil {
			return nil, err
		}
	}
	*buf = b
	return b, nil
}

// parseHeader takes an answer's header (version 1) off.
func parseHeader(frame []byte) (correlation int32, body []byte, err error) {
	if len(frame) < 5 || frame[4] != 0 {
		return 0, nil, fmt.Errorf("an answer of %d bytes does not begin as one", len(frame))
	}
	return int32(binary.BigEndian.Uint32(frame)), frame[5:], nil
}
