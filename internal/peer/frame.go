package peer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// MaxFrame bounds a frame of the quorum's channel: twice what one entry of the
// metadata log may have, with room for what is around it.
const MaxFrame = 16<<20 + 64<<10

// maxJoinFrame bounds what is said while joining.
const maxJoinFrame = 1 << 20

// maxJoinAsk bounds the first frame of somebody who has not shown a token yet.
const maxJoinAsk = 64 << 10

const frameHeader = 4

// firstStep is how much memory a promised length gets before bytes came.
const firstStep = 64 << 10

var errFrameSize = errors.New("its length is out of bounds")

// readFrame reads a frame of at most limit bytes; memory grows with what came.
func readFrame(r io.Reader, limit int) ([]byte, error) {
	var head [frameHeader]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := int64(binary.BigEndian.Uint32(head[:]))
	if size > int64(limit) {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are taken", errFrameSize, size, limit)
	}
	frame := make([]byte, min(int(size), firstStep))
	for have := 0; ; {
		n, err := io.ReadFull(r, frame[have:])
		if have += n; err != nil {
			return nil, err
		}
		if have == int(size) {
			return frame, nil
		}
		grown := make([]byte, min(int(size), 4*have))
		copy(grown, frame)
		frame = grown
	}
}

// appendFrame appends a frame with its length.
func appendFrame(dst, frame []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(frame))), frame...)
}
