package record

import (
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/s2"
)

// Snappy comes in two framings. Java writes the blocks of its own library
// (xerial): a magic, two versions, then blocks that each begin with their
// length. Everyone else writes one raw block. Both are read; we write xerial's,
// because the Java client reads that piecewise.
const (
	xerialHeader = 16
	xerialBlock  = 32 << 10 // what Java puts into a block
	snappyWhole  = 8 << 20  // the largest block that is opened in one piece
	snappyBack   = 4 << 20  // how far back a larger one may refer
)

var xerialMagic = [8]byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0}

// snappyReader opens either framing.
type snappyReader struct {
	xerial bool
	// large decodes a block above snappyWhole in steps.
	large snappyStream
}

func (r *snappyReader) open(o *opener) error {
	r.xerial = len(o.src) >= xerialHeader && [8]byte(o.src[:8]) == xerialMagic
	if r.xerial {
		o.src = o.src[xerialHeader:]
	} else if len(o.src) == 0 {
		return garbage(Snappy, io.ErrUnexpectedEOF)
	}
	return nil
}

func (r *snappyReader) close() { r.large.close() }

func (r *snappyReader) next(o *opener, dst []byte) ([]byte, error) {
	if r.large.active {
		return r.large.next(o, dst)
	}
	if len(o.src) == 0 {
		return dst, io.EOF
	}
	block := o.src
	if r.xerial {
		if len(block) >= xerialHeader && [8]byte(block[:8]) == xerialMagic { // streams may follow each other
			o.src = block[xerialHeader:]
			return dst, nil
		}
		if len(block) < 4 {
			return dst, garbage(Snappy, io.ErrUnexpectedEOF)
		}
		size := binary.BigEndian.Uint32(block)
		if uint64(size) > uint64(len(block)-4) {
			return dst, garbage(Snappy, io.ErrUnexpectedEOF)
		}
		block = block[4 : 4+size]
		o.src = o.src[4+size:]
	} else {
		o.src = nil
	}
	return r.block(o, dst, block)
}

// block opens one raw block onto dst.
func (r *snappyReader) block(o *opener, dst, block []byte) ([]byte, error) {
	size, n := binary.Uvarint(block)
	if n <= 0 || size > 1<<32-1 {
		return dst, garbage(Snappy, s2.ErrCorrupt)
	}
	if int64(size) > o.limit-o.produced {
		return dst, tooMuch(o.limit)
	}
	if size > snappyWhole {
		o.takeSlot()
		r.large.open(block[n:], int64(size))
		return r.large.next(o, dst)
	}
	if measured, ok := snappyLen(block[n:]); !ok || measured != int64(size) {
		return dst, garbage(Snappy, s2.ErrCorrupt)
	}
	dst = o.room(dst, int(size))
	into := dst[len(dst) : len(dst)+int(size)]
	if _, err := s2.Decode(into, block); err != nil {
		return dst, garbage(Snappy, err)
	}
	return dst[:len(dst)+int(size)], nil
}

// snappyTag reads the element at b[i:]: how many bytes it opens to, how far
// back it copies from (0 for a literal, whose bytes begin at next-size), and
// where the following element begins. ok is false when b ends inside it or
// when it is none of Snappy's: our decoder also takes the extensions of S2,
// which no other reader would.
func snappyTag(b []byte, i int) (size, offset int64, next int, ok bool) {
	tag := b[i]
	switch tag & 3 {
	case 0:
		size = int64(tag >> 2)
		next = i + 1
		if size >= 60 {
			extra := int(size) - 59
			if len(b)-next < extra {
				return 0, 0, 0, false
			}
			size = 0
			for k := extra - 1; k >= 0; k-- {
				size = size<<8 | int64(b[next+k])
			}
			next += extra
		}
		size++
		if size > int64(len(b)-next) {
			return 0, 0, 0, false
		}
		return size, 0, next + int(size), true
	case 1:
		if len(b)-i < 2 {
			return 0, 0, 0, false
		}
		size, offset, next = 4+int64(tag>>2&7), int64(tag&0xe0)<<3|int64(b[i+1]), i+2
	case 2:
		if len(b)-i < 3 {
			return 0, 0, 0, false
		}
		size, offset, next = 1+int64(tag>>2), int64(binary.LittleEndian.Uint16(b[i+1:])), i+3
	default:
		if len(b)-i < 5 {
			return 0, 0, 0, false
		}
		size, offset, next = 1+int64(tag>>2), int64(binary.LittleEndian.Uint32(b[i+1:])), i+5
	}
	return size, offset, next, offset > 0
}

// snappyStep is what a tag says of its element, for walking without branches.
type snappyStep struct {
	advance uint16 // to the next tag; 0: a long literal, whose length follows
	size    uint16 // bytes that it opens to
	mask    uint32 // which of the four bytes after the tag are the offset
	high    uint32 // not 0 when the offset cannot be 0
}

var snappySteps = func() (steps [256]snappyStep) {
	for tag := range 256 {
		size := uint16(tag >> 2)
		switch tag & 3 {
		case 0:
			if size < 60 {
				steps[tag] = snappyStep{advance: size + 2, size: size + 1, high: 1}
			}
		case 1:
			steps[tag] = snappyStep{advance: 2, size: size&7 + 4, mask: 0xff, high: uint32(tag >> 5)}
		case 2:
			steps[tag] = snappyStep{advance: 3, size: size + 1, mask: 0xffff}
		default:
			steps[tag] = snappyStep{advance: 5, size: size + 1, mask: 0xffffffff}
		}
	}
	return steps
}()

// snappyLen walks the elements of a raw block behind its length and tells how
// many bytes they open to, before any memory is taken for them. It is false
// where an element is cut off or copies from an offset of 0, the mark of S2's
// extensions; whether offsets lie within what was opened, the decoder checks.
func snappyLen(b []byte) (total int64, ok bool) {
	i := 0
	for i < len(b)-5 {
		step := &snappySteps[b[i]]
		if step.advance == 0 || binary.LittleEndian.Uint32(b[i+1:])&step.mask|step.high == 0 {
			size, _, next, ok := snappyTag(b, i)
			if !ok {
				return 0, false
			}
			total += size
			i = next
			continue
		}
		total += int64(step.size)
		i += int(step.advance)
	}
	for i < len(b) {
		size, _, next, ok := snappyTag(b, i)
		if !ok {
			return 0, false
		}
		total += size
		i = next
	}
	return total, i == len(b)
}

// snappyStream opens a block that is too large to be held whole: its buffer
// keeps at least snappyBack of what came out, and a copy from farther back is
// refused. (Google's and Java's compressors never look back beyond 64 KiB.)
type snappyStream struct {
	src     []byte // elements to come
	i       int
	literal []byte // what the last literal has still to give
	left    int64  // bytes that must still come out
	buf     []byte // snappyWhole large: what came out last
	active  bool
}

func (s *snappyStream) open(src []byte, size int64) {
	buf := s.buf[:0]
	if buf == nil {
		buf = takeSpare(snappyWhole)
	}
	if buf == nil {
		buf = make([]byte, 0, snappyWhole)
	}
	*s = snappyStream{src: src, left: size, buf: buf, active: true}
}

func (s *snappyStream) close() {
	if s.buf != nil {
		giveSpare(s.buf)
	}
	*s = snappyStream{}
}

// next appends about a chunk to dst.
func (s *snappyStream) next(o *opener, dst []byte) ([]byte, error) {
	if cap(s.buf)-len(s.buf) < 2*chunkBytes {
		s.buf = s.buf[:copy(s.buf, s.buf[len(s.buf)-snappyBack:])]
	}
	start := len(s.buf)
	for len(s.buf)-start < chunkBytes && (len(s.literal) > 0 || s.i < len(s.src)) {
		if err := s.step(); err != nil {
			return dst, err
		}
	}
	dst = append(o.room(dst, len(s.buf)-start), s.buf[start:]...)
	if len(s.literal) == 0 && s.i == len(s.src) {
		s.active = false
		if s.left != 0 {
			return dst, garbage(Snappy, io.ErrUnexpectedEOF)
		}
	}
	return dst, nil
}

// step does one element, or a chunk of a literal. It adds at most chunkBytes.
func (s *snappyStream) step() error {
	if n := min(len(s.literal), chunkBytes); n > 0 {
		s.buf = append(s.buf, s.literal[:n]...)
		s.literal = s.literal[n:]
		return nil
	}
	size, offset, next, ok := snappyTag(s.src, s.i)
	if !ok || size > s.left {
		return garbage(Snappy, s2.ErrCorrupt)
	}
	if offset > int64(len(s.buf)) {
		return invalid("the snappy-compressed records refer back farther than %d bytes", snappyBack)
	}
	s.left -= size
	s.i = next
	if offset == 0 {
		s.literal = s.src[next-int(size) : next]
		return nil
	}
	for from := len(s.buf) - int(offset); size > 0; { // what it writes it may read again
		n := min(int(size), len(s.buf)-from)
		s.buf = append(s.buf, s.buf[from:from+n]...)
		size -= int64(n)
	}
	return nil
}
