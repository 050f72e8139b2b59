package record

import "encoding/binary"

// KeyHash is the hash by which Kafka's producers choose a partition for a key: of n
// partitions it is the one of KeyHash(key) % n. It is not negative.
func KeyHash(key []byte) int32 { return int32(murmur2(key) & 0x7fffffff) }

// murmur2 is Kafka's murmur2, with its seed.
func murmur2(b []byte) uint32 {
	const m, r = 0x5bd1e995, 24
	h := uint32(0x9747b28c) ^ uint32(len(b))
	for len(b) >= 4 {
		k := binary.LittleEndian.Uint32(b) * m
		h = h*m ^ (k^k>>r)*m
		b = b[4:]
	}
	switch len(b) {
	case 3:
		h ^= uint32(b[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(b[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(b[0])) * m
	}
	h = (h ^ h>>13) * m
	return h ^ h>>15
}
