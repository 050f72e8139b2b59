package timer

import (
	"crypto/sha256"
	"encoding/binary"

	"ottla/internal/record"
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
		return -1 - record.KeyHash(recordKey)
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
