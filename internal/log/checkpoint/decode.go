package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"ottla/internal/log/epoch"
)

// ErrNewer: the file was written by a newer release and must not be guessed at.
var ErrNewer = errors.New("the checkpoint has a newer format than this release knows")

// Parse reads a checkpoint file. The bodies are views of b.
func Parse(b []byte) (*File, error) {
	if len(b) < headerSize+4 || string(b[:len(magic)]) != magic {
		return nil, fmt.Errorf("checkpoint of %d bytes does not begin as one", len(b))
	}
	body, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	if got := crc32.Checksum(body, castagnoli); got != sum {
		return nil, fmt.Errorf("checkpoint has checksum %08x, want %08x", got, sum)
	}
	r := reader{b: body[len(magic):]}
	if v := r.u16(); v > Version {
		return nil, fmt.Errorf("version %d: %w", v, ErrNewer)
	}
	f := &File{Sequence: r.u64()}
	n := r.u32()
	const least = 2 + 4 + 4
	if int(n) > len(r.b)/least {
		return nil, fmt.Errorf("checkpoint claims %d logs in %d bytes", n, len(r.b))
	}
	f.Logs = make([]Entry, 0, n)
	for range n {
		e := Entry{Topic: string(r.take(int64(r.u16()))), Partition: int32(r.u32())}
		e.Body = r.take(int64(r.u32()))
		f.Logs = append(f.Logs, e)
	}
	if r.bad || len(r.b) != 0 {
		return nil, errors.New("checkpoint has lengths that do not add up")
	}
	return f, nil
}

// ParseLog reads the body of one entry. Producers is a view of b.
func ParseLog(b []byte) (*Log, error) {
	r := reader{b: b}
	l := &Log{High: -1}
	copy(l.ID[:], r.take(16))
	l.Start, l.End = r.varint(), r.varint()
	l.Recovery, l.State = r.position(), r.position()
	l.Producers = r.take(int64(min(r.uvarint(), math.MaxInt32)))
	l.Segment = Segment{CreatedMs: r.varint(), FirstMaxMs: r.varint(), MaxTimestampMs: r.varint(), MaxLastOffset: r.varint()}
	for range r.count(2) {
		l.Epochs = append(l.Epochs, epoch.Entry{Epoch: int32(r.varint()), Start: r.varint()})
	}
	for range r.count(3) {
		l.Aborted = append(l.Aborted, Aborted{Segment: r.varint(), Count: int32(r.varint()), CRC: uint32(r.uvarint())})
	}
	for range r.count(2) {
		l.Gaps = append(l.Gaps, Gap{From: r.varint(), To: r.varint()})
	}
	if b := r.take(1); b != nil {
		l.Sparse, l.Loose = b[0]&flagSparse != 0, b[0]&flagLoose != 0
		if b[0]&flagHigh != 0 {
			l.High = r.varint()
		}
	}
	if r.bad || len(r.b) != 0 {
		return nil, fmt.Errorf("checkpoint entry of %d bytes does not add up", len(b))
	}
	if l.Start < 0 || l.End < l.Start || l.Recovery.Offset > l.End || l.State.Offset > l.Recovery.Offset ||
		l.State.Byte < 0 || l.Recovery.Byte < 0 {
		return nil, fmt.Errorf("checkpoint entry contradicts itself: start %d, end %d, recovery point %d, state at %d", l.Start, l.End, l.Recovery.Offset, l.State.Offset)
	}
	return l, nil
}

// reader takes fields off b; once something is missing it gives zeros and
// bad stays true.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int64) []byte {
	if n < 0 || n > int64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) u16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count reads the length of a list whose elements take at least least bytes.
func (r *reader) count(least int) int {
	n := r.uvarint()
	if n > uint64(len(r.b)/least) {
		r.bad, r.b = true, nil
		return 0
	}
	return int(n)
}

func (r *reader) position() Position {
	return Position{Offset: r.varint(), Segment: r.varint(), Byte: r.varint()}
}
