package record

import (
	"encoding/binary"
	"io"

	"github.com/pierrec/lz4/v4"
)

// The LZ4 frame format, version 1: magic, flags, block size, an optional
// content size, a header checksum; blocks of a length (highest bit: stored
// plain), data and an optional checksum; a length of 0; an optional checksum
// of the content. We read frames ourselves, block by block out of the batch,
// so that a block costs no more memory than it opens to, whatever size the
// header announces.
const (
	lz4Magic       = 0x184d2204
	lz4Plain       = 1 << 31
	lz4Version     = 1 << 6
	lz4VersionMask = 3 << 6
	lz4Independent = 1 << 5
	lz4BlockSum    = 1 << 4
	lz4ContentSize = 1 << 3
	lz4ContentSum  = 1 << 2
	lz4Reserved    = 3 // one reserved bit, and the dictionary id that nobody sends
	lz4Block64K    = 4 // block size code: 64 KiB, and four times more each step up to 7
)

// lz4Reader opens one frame.
type lz4Reader struct {
	flags    byte
	maxBlock int
	size     uint64 // content size, when the flag is set
	sum      xxh32
	done     bool
}

// open reads the frame header at the start of o.src. Frames whose blocks
// depend on each other are refused: Kafka's Java client cannot read them.
func (r *lz4Reader) open(o *opener) error {
	b := o.src
	if len(b) < 7 {
		return garbage(LZ4, io.ErrUnexpectedEOF)
	}
	if binary.LittleEndian.Uint32(b) != lz4Magic {
		return invalid("the lz4-compressed records do not begin with a frame")
	}
	*r = lz4Reader{flags: b[4]}
	code := b[5] >> 4
	header := 6
	if r.flags&lz4ContentSize != 0 {
		header += 8
	}
	switch {
	case r.flags&lz4VersionMask != lz4Version || r.flags&lz4Reserved != 0 || code < lz4Block64K || code > 7:
		return invalid("the lz4-compressed records are in an unknown kind of frame")
	case r.flags&lz4Independent == 0:
		return invalid("the lz4 blocks depend on each other, which Kafka clients cannot read")
	case len(b) <= header:
		return garbage(LZ4, io.ErrUnexpectedEOF)
	case byte(sumXXH32(b[4:header])>>8) != b[header]:
		return invalid("the lz4 frame header does not match its checksum")
	}
	if header > 6 {
		r.size = binary.LittleEndian.Uint64(b[6:])
	}
	r.maxBlock = 64 << 10 << (2 * (code - lz4Block64K))
	r.sum.reset()
	o.src = b[header+1:]
	return nil
}

func (r *lz4Reader) close() { r.done = true }

// next opens one block onto dst.
func (r *lz4Reader) next(o *opener, dst []byte) ([]byte, error) {
	if r.done {
		return dst, io.EOF
	}
	if len(o.src) < 4 {
		return dst, garbage(LZ4, io.ErrUnexpectedEOF)
	}
	word := binary.LittleEndian.Uint32(o.src)
	o.src = o.src[4:]
	if word == 0 {
		return dst, r.finish(o)
	}
	size := int(word &^ lz4Plain)
	block, err := r.take(o, size)
	if err != nil {
		return dst, err
	}
	before := len(dst)
	if word&lz4Plain != 0 {
		dst = append(o.room(dst, size), block...)
	} else if dst, err = r.openBlock(o, dst, block); err != nil {
		return dst, err
	}
	if r.flags&lz4ContentSum != 0 {
		r.sum.write(dst[before:])
	}
	return dst, nil
}

// openBlock opens one compressed block onto dst. A byte of it opens to at most
// 255, but four are usual, so a block that says 4 MiB does not cost that much.
func (r *lz4Reader) openBlock(o *opener, dst, block []byte) ([]byte, error) {
	most := min(r.maxBlock, 255*len(block)+16)
	for size := min(most, max(chunkBytes, 4*len(block))); ; size = most {
		dst = o.room(dst, size)
		n, err := lz4.UncompressBlock(block, dst[len(dst):len(dst)+size])
		if err == nil {
			return dst[:len(dst)+n], nil
		}
		if size == most {
			return dst, garbage(LZ4, err)
		}
	}
}

// take cuts a block and its checksum off the frame.
func (r *lz4Reader) take(o *opener, size int) ([]byte, error) {
	if size > r.maxBlock {
		return nil, invalid("an lz4 block of %d bytes is larger than its frame allows (%d)", size, r.maxBlock)
	}
	tail := 0
	if r.flags&lz4BlockSum != 0 {
		tail = 4
	}
	if len(o.src)-tail < size {
		return nil, garbage(LZ4, io.ErrUnexpectedEOF)
	}
	block := o.src[:size]
	if tail > 0 && sumXXH32(block) != binary.LittleEndian.Uint32(o.src[size:]) {
		return nil, invalid("an lz4 block does not match its checksum")
	}
	o.src = o.src[size+tail:]
	return block, nil
}

// finish checks what follows the last block: nothing but the checksum, for a
// Kafka client reads one frame and no more.
func (r *lz4Reader) finish(o *opener) error {
	r.done = true
	if r.flags&lz4ContentSum != 0 {
		if len(o.src) < 4 {
			return garbage(LZ4, io.ErrUnexpectedEOF)
		}
		if r.sum.sum() != binary.LittleEndian.Uint32(o.src) {
			return invalid("the lz4 content does not match its checksum")
		}
		o.src = o.src[4:]
	}
	if r.flags&lz4ContentSize != 0 && uint64(o.produced) != r.size {
		return invalid("the lz4 frame opens to %d bytes and announces %d", o.produced, r.size)
	}
	if len(o.src) > 0 {
		return invalid("%d bytes follow the lz4 frame", len(o.src))
	}
	return io.EOF
}
