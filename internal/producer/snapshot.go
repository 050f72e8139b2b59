package producer

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
)

// Kafka's producer snapshot file: version i16, CRC-32C u32 of what follows,
// count i32, then 46 bytes a producer. It remembers one batch of each, so a
// restart from it alone narrows the duplicate window to that one; AppendFull
// keeps all five. See docs/format/log.md.
const (
	snapshotVersion = 1
	snapshotHeader  = 2 + 4 + 4
	snapshotEntry   = 8 + 2 + 4 + 8 + 4 + 8 + 4 + 8
)

// ErrSnapshot is the cause of every failure of Restore and RestoreFull: the
// bytes are damaged or of an unknown version, and the state must be rebuilt
// from the log.
var ErrSnapshot = errors.New("producer snapshot cannot be used")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Snapshot returns the bytes of Kafka's producer snapshot file, by producer id.
func (s *State) Snapshot() []byte {
	b := make([]byte, snapshotHeader, snapshotHeader+snapshotEntry*len(s.producers))
	for _, e := range s.sorted() {
		last := e.last()
		b = binary.BigEndian.AppendUint64(b, uint64(e.id))
		b = binary.BigEndian.AppendUint16(b, uint16(e.epoch))
		b = binary.BigEndian.AppendUint32(b, uint32(last.lastSeq))
		b = binary.BigEndian.AppendUint64(b, uint64(last.lastOffset))
		b = binary.BigEndian.AppendUint32(b, uint32(last.offsetDelta))
		b = binary.BigEndian.AppendUint64(b, uint64(e.lastTimestampMs))
		b = binary.BigEndian.AppendUint32(b, uint32(e.coordinatorEpoch))
		b = binary.BigEndian.AppendUint64(b, uint64(e.txnFirst))
	}
	binary.BigEndian.PutUint16(b, snapshotVersion)
	binary.BigEndian.PutUint32(b[6:], uint32(len(s.producers)))
	binary.BigEndian.PutUint32(b[2:], crc32.Checksum(b[6:], castagnoli))
	return b
}

// Restore makes the state what the snapshot says (version 1, CRC). A bad one
// is an error that wraps ErrSnapshot and leaves the state empty.
func (s *State) Restore(snapshot []byte) error {
	s.Reset()
	if len(snapshot) < snapshotHeader {
		return fmt.Errorf("%w: %d bytes, its header has %d", ErrSnapshot, len(snapshot), snapshotHeader)
	}
	if v := int16(binary.BigEndian.Uint16(snapshot)); v != snapshotVersion {
		return fmt.Errorf("%w: version %d, only %d is known", ErrSnapshot, v, snapshotVersion)
	}
	if got, want := crc32.Checksum(snapshot[6:], castagnoli), binary.BigEndian.Uint32(snapshot[2:]); got != want {
		return fmt.Errorf("%w: checksum %08x, its bytes give %08x", ErrSnapshot, want, got)
	}
	count, entries := binary.BigEndian.Uint32(snapshot[6:]), snapshot[snapshotHeader:]
	if uint64(count)*snapshotEntry != uint64(len(entries)) {
		return fmt.Errorf("%w: %d producers counted in %d bytes", ErrSnapshot, count, len(entries))
	}
	for ; len(entries) > 0; entries = entries[snapshotEntry:] {
		if err := s.restoreEntry(entries); err != nil {
			s.Reset()
			return err
		}
	}
	s.linkOpen()
	return nil
}

// linkOpen rebuilds the list of open transactions from the producers.
func (s *State) linkOpen() {
	var open []*entry
	for _, e := range s.sorted() {
		if e.txnFirst >= 0 {
			open = append(open, e)
		}
	}
	slices.SortStableFunc(open, func(a, b *entry) int { return cmp.Compare(a.txnFirst, b.txnFirst) })
	s.open = openList{}
	for _, e := range open {
		s.open.add(e)
	}
}

func (s *State) restoreEntry(b []byte) error {
	e := newEntry(int64(binary.BigEndian.Uint64(b)))
	if e.id < 0 || s.producers[e.id] != nil {
		return fmt.Errorf("%w: producer id %d is negative or twice in it", ErrSnapshot, e.id)
	}
	e.epoch = int16(binary.BigEndian.Uint16(b[8:]))
	last := batchMeta{
		lastSeq:     int32(binary.BigEndian.Uint32(b[10:])),
		lastOffset:  int64(binary.BigEndian.Uint64(b[14:])),
		offsetDelta: int32(binary.BigEndian.Uint32(b[22:])),
		timestampMs: int64(binary.BigEndian.Uint64(b[26:])),
	}
	e.lastTimestampMs = last.timestampMs
	e.coordinatorEpoch = int32(binary.BigEndian.Uint32(b[34:]))
	e.txnFirst = max(int64(binary.BigEndian.Uint64(b[38:])), -1)
	if last.lastOffset >= 0 {
		if last.offsetDelta < 0 || last.lastSeq < -1 || int64(last.offsetDelta) > last.lastOffset {
			return fmt.Errorf("%w: producer %d has an impossible last batch", ErrSnapshot, e.id)
		}
		e.push(last)
	}
	s.producers[e.id] = e
	return nil
}
