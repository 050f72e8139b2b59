package coordinator

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"math"
)

// The file of a snapshot, drawn in docs/format/coordinator.md: magic, version,
// head, records, CRC-32C of all before it.
const (
	snapshotMagic   = "OTTLACS\x01"
	snapshotVersion = 1
	crcSize         = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// snapshotHead tells what a snapshot is of.
type snapshotHead struct {
	identity string // of the partition
	offset   int64  // it is the state of everything below
	epoch    int32  // the leadership that took it
}

// Kinds of records in a snapshot.
const (
	plainRecord  = 0
	tombstone    = 1
	txnRecord    = 2 // followed by producer id and epoch
	txnTombstone = 3
	largestKind  = txnTombstone
	maxIdentity  = 1 << 10
)

// encodeSnapshot makes a file, unless it would be larger than most.
func encodeSnapshot(h snapshotHead, records iter.Seq[Record], most int) ([]byte, bool) {
	b := append([]byte(snapshotMagic), 0, snapshotVersion)
	b = binary.AppendUvarint(b, uint64(len(h.identity)))
	b = append(b, h.identity...)
	b = binary.BigEndian.AppendUint64(b, uint64(h.offset))
	b = binary.BigEndian.AppendUint32(b, uint32(h.epoch))
	for r := range records {
		b = appendRecord(b, r)
		if len(b)+crcSize > most {
			return nil, false
		}
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)), true
}

func appendRecord(b []byte, r Record) []byte {
	kind := byte(plainRecord)
	if r.Txn != nil {
		kind = txnRecord
	}
	if r.Value == nil {
		kind++
	}
	b = append(b, kind)
	if r.Txn != nil {
		b = binary.BigEndian.AppendUint64(b, uint64(r.Txn.ProducerID))
		b = binary.BigEndian.AppendUint16(b, uint16(r.Txn.ProducerEpoch))
	}
	b = binary.AppendUvarint(b, uint64(len(r.Key)))
	b = append(b, r.Key...)
	if r.Value != nil {
		b = binary.AppendUvarint(b, uint64(len(r.Value)))
		b = append(b, r.Value...)
	}
	return b
}

var errSnapshot = errors.New("the snapshot is damaged")

// decodeSnapshot reads a file whole before it gives a record: one that is
// damaged gives none. Records are views of b.
func decodeSnapshot(b []byte) (snapshotHead, iter.Seq[Record], error) {
	var h snapshotHead
	if len(b) < len(snapshotMagic)+2+crcSize || string(b[:len(snapshotMagic)]) != snapshotMagic {
		return h, nil, errSnapshot
	}
	body, sum := b[:len(b)-crcSize], binary.BigEndian.Uint32(b[len(b)-crcSize:])
	if crc32.Checksum(body, castagnoli) != sum {
		return h, nil, errSnapshot
	}
	body = body[len(snapshotMagic):]
	if v := binary.BigEndian.Uint16(body); v != snapshotVersion {
		return h, nil, fmt.Errorf("the snapshot has version %d, this release reads %d", v, snapshotVersion)
	}
	d := snapshotReader{b: body[2:]}
	h.identity = string(d.bytes(maxIdentity))
	h.offset = int64(d.fixed(8))
	h.epoch = int32(d.fixed(4))
	records := d.b
	for !d.bad && len(d.b) > 0 {
		d.record()
	}
	if d.bad || h.offset < 0 {
		return h, nil, errSnapshot
	}
	return h, func(yield func(Record) bool) {
		d := snapshotReader{b: records}
		for len(d.b) > 0 && yield(d.record()) {
		}
	}, nil
}

// snapshotReader takes fields off the front of b; bad once there were too few
// bytes, and then everything is empty.
type snapshotReader struct {
	b   []byte
	bad bool
}

func (d *snapshotReader) fixed(n int) (v uint64) {
	if len(d.b) < n {
		d.bad, d.b = true, nil
		return 0
	}
	for _, x := range d.b[:n] {
		v = v<<8 | uint64(x)
	}
	d.b = d.b[n:]
	return v
}

// bytes reads a length and that many bytes, at most most.
func (d *snapshotReader) bytes(most uint64) []byte {
	size, n := binary.Uvarint(d.b)
	if n <= 0 || size > most || size > uint64(len(d.b)-n) {
		d.bad, d.b = true, nil
		return nil
	}
	out := d.b[n : n+int(size) : n+int(size)]
	d.b = d.b[n+int(size):]
	return out
}

func (d *snapshotReader) record() (r Record) {
	kind := d.fixed(1)
	if kind > largestKind {
		d.bad, d.b = true, nil
		return r
	}
	if kind >= txnRecord {
		r.Txn = &Txn{ProducerID: int64(d.fixed(8)), ProducerEpoch: int16(d.fixed(2))}
	}
	r.Key = d.bytes(math.MaxInt32)
	if kind == plainRecord || kind == txnRecord {
		r.Value = d.bytes(math.MaxInt32)
	}
	return r
}
