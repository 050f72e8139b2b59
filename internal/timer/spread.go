package timer

import (
	"crypto/sha256"
	"encoding/binary"

	"ottla/internal/timer/table"
)

// hashOf stands for a key.
func hashOf[K string | []byte](key K) table.Hash {
	sum := sha256.Sum256([]byte(key))
	return table.Hash(sum[:16])
}

// spreadOf is where a timer goes: its partition, or below 0 the hash by which one
// is chosen.
func spreadOf(partition int32, recordKey []byte, h table.Hash) int32 {
	switch {
	case partition >= 0:
		return partition
	case recordKey != nil:
		return -1 - int32(murmur2(recordKey)&0x7fffffff)
	}
	return -1 - int32(binary.LittleEndian.Uint32(h[4:])&0x7fffffff)
}

// partitionOf is the partition of a topic with n of them.
func partitionOf(spread, n int32) int32 {
	if spread >= 0 {
		return spread
	}
	return (-1 - spread) % n
}

// murmur2 is the hash by which Kafka's producers choose a partition for a key.
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
