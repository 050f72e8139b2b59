package metadata

import (
	"encoding/binary"
	"fmt"
)

// frameVersion is the only version of the frame there is (KIP-631).
const frameVersion = 1

// Append encodes r in KRaft's frame (frame version, type, version, body) and
// returns the extended dst: the value of one record of the metadata log, whose
// key is null.
func Append(dst []byte, r Record) []byte {
	dst = append(dst, frameVersion)
	dst = binary.AppendUvarint(dst, uint64(r.RecordType()))
	dst = binary.AppendUvarint(dst, uint64(r.version()))
	return r.appendBody(dst)
}

// Parse decodes one record. It never panics, allocates at most a small
// multiple of len(b), and keeps no part of b. A type that KRaft knows but Ottla
// does not act on gives an *Opaque; a type or version newer than Ottla knows is
// an error, because to skip it could mean to forget what it decided.
func Parse(b []byte) (Record, error) {
	r := &reader{b: b}
	frame, typ, version := r.uvarint(), r.uvarint(), r.uvarint()
	if r.err != nil {
		return nil, fmt.Errorf("metadata record %w", r.err)
	}
	if frame != frameVersion {
		return nil, fmt.Errorf("metadata record has frame version %d, this node knows %d: run a newer Ottla", frame, frameVersion)
	}
	if typ >= uint32(len(types)) || types[typ].name == "" {
		return nil, fmt.Errorf("metadata record has type %d, which this node does not know: run a newer Ottla", typ)
	}
	info := &types[typ]
	if info.parse == nil {
		if version > 1<<15-1 {
			return nil, fmt.Errorf("metadata record %s has version %d, which no Kafka has", info.name, version)
		}
		return &Opaque{Type: int16(typ), Version: int16(version), Body: append([]byte{}, b[r.off:]...)}, nil
	}
	if version > uint32(info.newest) {
		return nil, fmt.Errorf("metadata record %s has version %d, this node knows up to %d: run a newer Ottla", info.name, version, info.newest)
	}
	rec := info.parse(r, int16(version))
	if r.err == nil && r.left() > 0 {
		r.fail(errTrailing)
	}
	if r.err != nil {
		return nil, fmt.Errorf("metadata record %s version %d %w", info.name, version, r.err)
	}
	return rec, nil
}
