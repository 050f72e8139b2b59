package compact

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// entrySize is what one key takes in the table: as in Kafka 16 bytes of hash
// and 8 of offset. The keys themselves are not held.
const entrySize = 24

// leastSlots keeps a table useful whatever memory it is given; smallSlots is
// what a table begins with at most (a cache holds it).
const (
	leastSlots = 16
	smallSlots = 32 << 10
)

// Keys maps the keys of a log to their last offsets in bounded memory. Keys
// are told apart by 16 bytes of SHA-256: two that collide would lose a record,
// and nobody can find two that do.
//
// It begins small and grows by doubling, since most logs have far fewer keys
// than records, and a small table is several times faster. While it grows it
// holds two tables; both together keep within the bound, so the largest takes
// two thirds of it.
type Keys struct {
	slots  []slot
	n, max int
	most   int // slots that it may grow to
	load   float64
	latest int64
}

// slot is free while next is 0.
type slot struct {
	a, b uint64
	next int64 // the offset after the key's last
}

// Reset empties the table and lets it grow within so many bytes, at the load
// factor, but to no more than expect keys need. Memory that is there already is
// used again.
func (k *Keys) Reset(bytes int64, load float64, expect int64) {
	if !(load > 0 && load < 1) { // a full table would never end a search
		load = 0.9
	}
	most := max(bytes/entrySize, leastSlots)
	if most > smallSlots {
		most = max(most*2/3, smallSlots)
	}
	if need := float64(expect)/load + leastSlots; need < float64(most) {
		most = int64(need)
	}
	size := most
	for size > smallSlots {
		size = (size + 1) / 2
	}
	k.most, k.load = int(most), load
	if int64(cap(k.slots)) >= size && int64(cap(k.slots)) <= 4*size {
		k.slots = k.slots[:size]
		clear(k.slots)
	} else {
		k.slots = make([]slot, size)
	}
	k.n, k.latest = 0, -1
	k.max = k.room()
}

// room is how many keys the table takes at its size.
func (k *Keys) room() int { return max(int(float64(len(k.slots))*k.load), 1) }

// grow doubles the table; false when it may not.
func (k *Keys) grow() bool {
	size := min(2*len(k.slots), k.most)
	if size <= len(k.slots) {
		return false
	}
	old := k.slots
	k.slots = make([]slot, size)
	for _, s := range old {
		if s.next != 0 {
			*k.place(s.a, s.b) = s
		}
	}
	k.max = k.room()
	return true
}

// Release lets go of the memory if it is more than bytes.
func (k *Keys) Release(bytes int64) {
	if int64(cap(k.slots))*entrySize > bytes {
		*k = Keys{}
	}
}

// Put notes that key was last seen at offset, above every offset put before.
// It returns false, and notes nothing, when the key is new and the table full.
func (k *Keys) Put(key []byte, offset int64) bool {
	s := k.find(key)
	if s.next == 0 {
		if k.n >= k.max {
			if !k.grow() {
				return false
			}
			s = k.find(key)
		}
		k.n++
	}
	s.next = offset + 1
	k.latest = max(k.latest, offset)
	return true
}

// Passed notes that everything up to offset was looked at.
func (k *Keys) Passed(offset int64) { k.latest = max(k.latest, offset) }

// Latest is the largest offset that the table covers, -1 before any.
func (k *Keys) Latest() int64 { return k.latest }

// Len is the number of keys.
func (k *Keys) Len() int { return k.n }

// Last is the last offset of a key, -1 when the table does not know it.
func (k *Keys) Last(key []byte) int64 { return k.find(key).next - 1 }

// find is the slot of a key, or the free one where it belongs.
func (k *Keys) find(key []byte) *slot {
	sum := sha256.Sum256(key)
	return k.place(binary.LittleEndian.Uint64(sum[:]), binary.LittleEndian.Uint64(sum[8:]))
}

// place is find by the hash.
func (k *Keys) place(a, b uint64) *slot {
	hi, _ := bits.Mul64(a, uint64(len(k.slots)))
	for i := int(hi); ; i++ {
		if i == len(k.slots) {
			i = 0
		}
		if s := &k.slots[i]; s.next == 0 || s.a == a && s.b == b {
			if s.next == 0 {
				s.a, s.b = a, b // of no consequence until next is set
			}
			return s
		}
	}
}
