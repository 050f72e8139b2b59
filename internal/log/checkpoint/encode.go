package checkpoint

import (
	"encoding/binary"
	"hash/crc32"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// magic begins the file; the last byte is a line end, so that a transfer as
// text shows at once.
const magic = "OTTLACK\n"

const headerSize = len(magic) + 2 + 8 + 4

// Append adds the file form of f to b:
//
//	magic 8, version u16, sequence u64, count u32,
//	count times: topic length u16, topic, partition i32, body length u32, body
//	crc-32c u32 of all before it
func Append(b []byte, f *File) []byte {
	start := len(b)
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint16(b, Version)
	b = binary.BigEndian.AppendUint64(b, f.Sequence)
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.Logs)))
	for _, e := range f.Logs {
		b = binary.BigEndian.AppendUint16(b, uint16(len(e.Topic)))
		b = append(b, e.Topic...)
		b = binary.BigEndian.AppendUint32(b, uint32(e.Partition))
		b = binary.BigEndian.AppendUint32(b, uint32(len(e.Body)))
		b = append(b, e.Body...)
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// AppendLog adds the body of one log's entry to b: topic id 16, then varints
// in the order of the struct; counts before lists, a length before bytes.
func AppendLog(b []byte, l *Log) []byte {
	b = append(b, l.ID[:]...)
	b = binary.AppendVarint(b, l.Start)
	b = binary.AppendVarint(b, l.End)
	b = appendPosition(b, l.Recovery)
	b = appendPosition(b, l.State)
	b = binary.AppendUvarint(b, uint64(len(l.Producers)))
	b = append(b, l.Producers...)
	b = binary.AppendVarint(b, l.Segment.CreatedMs)
	b = binary.AppendVarint(b, l.Segment.FirstMaxMs)
	b = binary.AppendVarint(b, l.Segment.MaxTimestampMs)
	b = binary.AppendVarint(b, l.Segment.MaxLastOffset)
	b = binary.AppendUvarint(b, uint64(len(l.Epochs)))
	for _, e := range l.Epochs {
		b = binary.AppendVarint(b, int64(e.Epoch))
		b = binary.AppendVarint(b, e.Start)
	}
	b = binary.AppendUvarint(b, uint64(len(l.Aborted)))
	for _, a := range l.Aborted {
		b = binary.AppendVarint(b, a.Segment)
		b = binary.AppendVarint(b, int64(a.Count))
		b = binary.AppendUvarint(b, uint64(a.CRC))
	}
	b = binary.AppendUvarint(b, uint64(len(l.Gaps)))
	for _, g := range l.Gaps {
		b = binary.AppendVarint(b, g.From)
		b = binary.AppendVarint(b, g.To)
	}
	var flags byte
	if l.Sparse {
		flags |= flagSparse
	}
	if l.Loose {
		flags |= flagLoose
	}
	if l.High >= 0 {
		flags |= flagHigh
	}
	b = append(b, flags)
	if l.High >= 0 {
		b = binary.AppendVarint(b, l.High)
	}
	return b
}

// Flags at the end of a log's body.
const (
	flagSparse = 1 << iota
	flagLoose
	flagHigh // a high watermark follows
)

func appendPosition(b []byte, p Position) []byte {
	b = binary.AppendVarint(b, p.Offset)
	b = binary.AppendVarint(b, p.Segment)
	return binary.AppendVarint(b, p.Byte)
}
