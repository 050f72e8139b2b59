package record

import "math/bits"

// Records are made of zigzag varints of at most 5 (int32) or 10 (int64) bytes.
// The readers below answer the index after the varint; 0 means that b ends
// inside it, -1 that it is longer than its type allows.

// readVarint reads an int32 at b[i:].
func readVarint(b []byte, i int) (int32, int) {
	if i < len(b) && b[i] < 0x80 { // nearly all lengths and deltas
		v := uint32(b[i])
		return int32(v>>1) ^ -int32(v&1), i + 1
	}
	return readLongVarint(b, i)
}

func readLongVarint(b []byte, i int) (int32, int) {
	u, i := readUvarint(b, i, 5)
	v := uint32(u)
	return int32(v>>1) ^ -int32(v&1), i
}

// readVarlong reads an int64 at b[i:].
func readVarlong(b []byte, i int) (int64, int) {
	if i < len(b) && b[i] < 0x80 {
		v := uint64(b[i])
		return int64(v>>1) ^ -int64(v&1), i + 1
	}
	return readLongVarlong(b, i)
}

func readLongVarlong(b []byte, i int) (int64, int) {
	v, i := readUvarint(b, i, 10)
	return int64(v>>1) ^ -int64(v&1), i
}

// readUvarint reads at most most bytes at b[i:], seven bits of each.
func readUvarint(b []byte, i, most int) (uint64, int) {
	var v uint64
	for shift := 0; shift < 7*most; shift += 7 {
		if i >= len(b) {
			return 0, 0
		}
		c := b[i]
		i++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v, i
		}
	}
	return 0, -1
}

func appendVarint(b []byte, v int32) []byte {
	return appendUvarint(b, uint64(uint32(v)<<1)^uint64(uint32(v>>31)))
}

func appendVarlong(b []byte, v int64) []byte {
	return appendUvarint(b, uint64(v)<<1^uint64(v>>63))
}

func appendUvarint(b []byte, u uint64) []byte {
	for u >= 0x80 {
		b = append(b, byte(u)|0x80)
		u >>= 7
	}
	return append(b, byte(u))
}

func sizeVarint(v int32) int  { return sizeUvarint(uint64(uint32(v)<<1 ^ uint32(v>>31))) }
func sizeVarlong(v int64) int { return sizeUvarint(uint64(v)<<1 ^ uint64(v>>63)) }

func sizeUvarint(u uint64) int { return (bits.Len64(u|1) + 6) / 7 }
