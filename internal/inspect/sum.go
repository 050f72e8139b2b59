package inspect

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"ottla/internal/log/layout"
	"ottla/internal/record"
	"ottla/internal/vfs"
)

// Sum is what the segments of a partition come to.
type Sum struct {
	// First is the offset of the first batch, End the offset after the last;
	// both are the base of the first segment where there is no batch.
	First, End int64
	Batches    int64
	Records    int64 // control records too
	Bytes      int64
	// CRC is a CRC-32C over the offset, leader epoch and checksum of every
	// batch: two logs with the same one hold the same records at the same
	// offsets, as far as checksums tell.
	CRC uint32
	// Torn is the name of the file in which a batch is not whole or not sound;
	// "" when there is none. What follows it is not counted.
	Torn     string
	TornByte int64
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errTorn ends the walk at a batch whose checksum does not hold.
var errTorn = errors.New("the checksum does not hold")

// SumPartition walks a partition directory. It ends, without an error, at the
// first batch that is not sound: Torn tells where.
func SumPartition(fsys vfs.FS, dir string) (Sum, error) {
	bases, _, err := segments(fsys, dir)
	if err != nil || len(bases) == 0 {
		return Sum{}, err
	}
	s := Sum{First: -1, End: bases[0]}
	for _, base := range bases {
		name := dir + "/" + layout.FileName(base, layout.Log)
		bad, err := eachBatch(fsys, name, func(p *place) error {
			if !record.VerifyCRC(p.bytes) {
				s.TornByte = p.at
				return errTorn
			}
			s.add(p)
			return nil
		})
		if bad != nil {
			s.TornByte = bad.Byte
			err = errTorn
		}
		if errors.Is(err, errTorn) {
			s.Torn = name
			break
		}
		if err != nil {
			return s, err
		}
		s.End = max(s.End, base)
	}
	if s.First < 0 {
		s.First = s.End
	}
	return s, nil
}

func (s *Sum) add(p *place) {
	if s.First < 0 {
		s.First = p.BaseOffset
	}
	s.End = p.NextOffset()
	s.Batches++
	s.Records += int64(p.Count)
	s.Bytes += int64(p.Size())
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(p.BaseOffset))
	binary.BigEndian.PutUint32(b[8:], uint32(p.LeaderEpoch))
	binary.BigEndian.PutUint32(b[12:], p.CRC)
	s.CRC = crc32.Update(s.CRC, castagnoli, b[:])
}
