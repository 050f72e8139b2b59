package walk

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"ottla/internal/record"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// crcFrom is where the checksummed bytes of a batch begin: the attributes.
// Base offset and leader epoch lie before it, so they are checked by order.
const crcFrom = 21

// streamed is the size from which a batch is checked piece by piece, so that
// a large one needs no large buffer.
const streamed = 512 << 10

// Check verifies the checksum of the batch that h heads.
func (r *Reader) Check(h *record.Header) error {
	sum, err := r.checksum(h)
	if err != nil {
		return err
	}
	if sum != h.CRC {
		return &Bad{r.pos, fmt.Sprintf("has checksum %08x, want %08x", sum, h.CRC)}
	}
	return nil
}

func (r *Reader) checksum(h *record.Header) (uint32, error) {
	size := h.Size()
	if size <= streamed {
		b, err := r.bytes(size, bufSize)
		if err != nil {
			return 0, err
		}
		return crc32.Checksum(b[crcFrom:], castagnoli), nil
	}
	var sum uint32
	r.bufLen = 0 // the buffer is scratch from here on
	for at := r.pos + crcFrom; at < r.pos+int64(size); {
		b := r.buf[:min(int64(len(r.buf)), r.pos+int64(size)-at)]
		n, err := r.src.ReadAt(b, at)
		if n < len(b) {
			if err == nil || errors.Is(err, io.EOF) {
				return 0, &Bad{r.pos, "the file ends inside the batch"}
			}
			return 0, fmt.Errorf("read at byte %d: %w", at, err)
		}
		sum = crc32.Update(sum, castagnoli, b)
		at += int64(n)
	}
	return sum, nil
}
