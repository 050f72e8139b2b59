package producer

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
)

// Our own encoding of the whole state, for Ottla's checkpoint file; see
// docs/format/log.md. version u8, CRC-32C u32 (big-endian) of what follows,
// then varints: log start offset, count of decided transactions and for each
// its first offset and how far behind it the marker lies; count of producers
// and for each, by id: the distance from the id before, epoch, coordinator
// epoch, last timestamp, first offset of its transaction, count of batches and
// for each last offset, offset delta, last sequence, timestamp.
const (
	fullVersion = 1
	fullHeader  = 1 + 4
	// The fewest bytes that a producer and a decided transaction take: what
	// bounds the counts.
	minFullProducer = 6
	minFullDecided  = 2
)

// AppendFull appends everything the state holds to dst: unlike Snapshot all
// five batches of every producer, and the decided transactions.
func (s *State) AppendFull(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, fullVersion, 0, 0, 0, 0)
	dst = binary.AppendVarint(dst, s.logStart)
	decided := s.decided.list[s.decided.from:]
	dst = binary.AppendUvarint(dst, uint64(len(decided)))
	for _, t := range decided {
		dst = binary.AppendVarint(dst, t.first)
		dst = binary.AppendVarint(dst, t.marker-t.first)
	}
	dst = binary.AppendUvarint(dst, uint64(len(s.producers)))
	previous := int64(0)
	for _, e := range s.sorted() {
		dst = binary.AppendVarint(dst, e.id-previous)
		dst = binary.AppendVarint(dst, int64(e.epoch))
		dst = binary.AppendVarint(dst, int64(e.coordinatorEpoch))
		dst = binary.AppendVarint(dst, e.lastTimestampMs)
		dst = binary.AppendVarint(dst, e.txnFirst)
		dst = append(dst, e.n)
		for i := range e.n {
			b := e.batch(i)
			dst = binary.AppendVarint(dst, b.lastOffset)
			dst = binary.AppendVarint(dst, int64(b.offsetDelta))
			dst = binary.AppendVarint(dst, int64(b.lastSeq))
			dst = binary.AppendVarint(dst, b.timestampMs)
		}
		previous = e.id
	}
	binary.BigEndian.PutUint32(dst[start+1:], crc32.Checksum(dst[start+fullHeader:], castagnoli))
	return dst
}

// RestoreFull makes the state what AppendFull wrote; b holds exactly that. A
// bad encoding is an error that wraps ErrSnapshot and leaves the state empty.
func (s *State) RestoreFull(b []byte) error {
	s.Reset()
	if len(b) < fullHeader {
		return fmt.Errorf("%w: %d bytes, its header has %d", ErrSnapshot, len(b), fullHeader)
	}
	if b[0] != fullVersion {
		return fmt.Errorf("%w: version %d of the full encoding, only %d is known", ErrSnapshot, b[0], fullVersion)
	}
	if got, want := crc32.Checksum(b[fullHeader:], castagnoli), binary.BigEndian.Uint32(b[1:]); got != want {
		return fmt.Errorf("%w: checksum %08x, its bytes give %08x", ErrSnapshot, want, got)
	}
	d := fullDecoder{b: b[fullHeader:]}
	s.decode(&d)
	if d.bad == "" && len(d.b) > 0 {
		d.bad = fmt.Sprintf("%d bytes follow it", len(d.b))
	}
	if d.bad != "" {
		s.Reset()
		return fmt.Errorf("%w: %s", ErrSnapshot, d.bad)
	}
	s.linkOpen()
	return nil
}

func (s *State) decode(d *fullDecoder) {
	s.logStart = d.number("log start offset", 0, maxOffset)
	for range d.count("decided transactions", minFullDecided) {
		first := d.number("first offset", 0, maxOffset)
		s.decided.push(decidedTxn{first: first, marker: first + d.number("marker", 0, maxOffset-first)})
	}
	if !slices.IsSortedFunc(s.decided.list, func(a, b decidedTxn) int { return cmp.Compare(a.marker, b.marker) }) {
		d.fail("decided transactions out of order")
	}
	previous := int64(-1)
	for i := range d.count("producers", minFullProducer) {
		e := newEntry(0)
		e.id = d.number("producer id", 0, maxOffset)
		if i > 0 {
			e.id += previous
		}
		if e.id <= previous {
			d.fail("producer ids out of order")
		}
		e.epoch = int16(d.number("epoch", -1, 1<<15-1))
		e.coordinatorEpoch = int32(d.number("coordinator epoch", -1<<31, 1<<31-1))
		e.lastTimestampMs = d.number("timestamp", -1<<63, 1<<63-1)
		e.txnFirst = d.number("transaction's first offset", -1, maxOffset)
		for range d.window() {
			e.push(d.batch())
		}
		if d.bad != "" {
			return
		}
		s.producers[e.id] = e
		previous = e.id
	}
}

const maxOffset = 1<<63 - 1

// fullDecoder reads varints; its first failure sticks, and everything after it
// reads as 0.
type fullDecoder struct {
	b   []byte
	bad string
}

func (d *fullDecoder) fail(reason string) {
	if d.bad == "" {
		d.bad = reason
	}
}

// number reads a signed varint within [low, high].
func (d *fullDecoder) number(what string, low, high int64) int64 {
	v, n := binary.Varint(d.b)
	if d.bad != "" {
		return 0
	}
	if n <= 0 || v < low || v > high {
		d.fail("malformed " + what)
		return 0
	}
	d.b = d.b[n:]
	return v
}

// count reads how many things of at least size bytes follow.
func (d *fullDecoder) count(what string, size int) int {
	v, n := binary.Uvarint(d.b)
	if d.bad != "" {
		return 0
	}
	if n <= 0 || v > uint64((len(d.b)-n)/size) {
		d.fail("malformed count of " + what)
		return 0
	}
	d.b = d.b[n:]
	return int(v)
}

func (d *fullDecoder) window() uint8 {
	if d.bad != "" {
		return 0
	}
	if len(d.b) == 0 || d.b[0] > WindowSize {
		d.fail("malformed count of batches")
		return 0
	}
	n := d.b[0]
	d.b = d.b[1:]
	return n
}

func (d *fullDecoder) batch() batchMeta {
	var b batchMeta
	b.lastOffset = d.number("last offset", 0, maxOffset)
	b.offsetDelta = int32(d.number("offset delta", 0, min(b.lastOffset, 1<<31-1)))
	b.lastSeq = int32(d.number("last sequence", -1, 1<<31-1))
	b.timestampMs = d.number("timestamp", -1<<63, 1<<63-1)
	return b
}
