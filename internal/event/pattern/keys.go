package pattern

import (
	"hash/maphash"
	"math/bits"
)

// A rule is found by a key: a value, or a part of one, that every event must have
// at some path to fit it. keys.go makes the keys of tests and of values: a value
// that passes a test has one of the test's keys.

// keyKind keeps keys of different meaning apart.
type keyKind uint8

const (
	keyText    keyKind = iota // the whole of a string
	keyRaw                    // the whole of a word, or of a number as it is written
	keyNumber                 // a number by its value
	keyFold                   // the whole of an ASCII string, in lower case
	keyHead                   // how a string begins
	keyTail                   // how a string ends
	keyNetwork                // how an address begins
	keyPresent                // any value
	keyAlways                 // any event
)

// Beginnings, ends and networks are looked up in a few sizes only, so that a
// value has few keys: the longest size that is not above the test's own.
var (
	partSizes    = [...]int{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64}
	networkSizes = [...]int{8, 12, 16, 20, 24, 28, 32, 48, 64, 128}
)

// uses counts, per path, the keys that rules are filed by.
type uses struct {
	whole, number, fold, present int32
	heads, tails                 [len(partSizes)]int32
	networks                     [len(networkSizes)]int32
	// headSet, tailSet and networkSet have a bit for each size in use.
	headSet, tailSet, networkSet uint16
}

// key is one key of a test.
type key struct {
	hash uint64
	kind keyKind
	size uint8 // which of the sizes, of heads, tails and networks
}

// add counts a key that is filed (by 1) or taken out (by -1).
func (u *uses) add(k key, by int32) {
	count := func(n *int32, set *uint16) {
		*n += by
		if set != nil {
			*set &^= 1 << k.size
			if *n > 0 {
				*set |= 1 << k.size
			}
		}
	}
	switch k.kind {
	case keyText, keyRaw:
		count(&u.whole, nil)
	case keyNumber:
		count(&u.number, nil)
	case keyFold:
		count(&u.fold, nil)
	case keyHead:
		count(&u.heads[k.size], &u.headSet)
	case keyTail:
		count(&u.tails[k.size], &u.tailSet)
	case keyNetwork:
		count(&u.networks[k.size], &u.networkSet)
	case keyPresent:
		count(&u.present, nil)
	}
}

// hashKey is the hash of a key.
func hashKey(kind keyKind, size uint8, path uint32, part []byte) uint64 {
	return mix(maphash.Bytes(seed, part) ^ (uint64(path)<<16|uint64(size)<<8|uint64(kind))*0x9e3779b97f4a7c15)
}

// hashPair is the hash of two keys together.
func hashPair(a, b uint64) uint64 { return mix(a*3 ^ bits.RotateLeft64(b, 29)) }

// mix spreads the bits of a number; no two have the same result.
func mix(h uint64) uint64 {
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}

// mostKeys bounds how many keys one field may have.
const mostKeys = 64

// mostFolded bounds the strings that are looked up in lower case.
const mostFolded = 256

// keysOf adds the keys of a field's tests; ok is false when a value that has none
// of them may pass.
func keysOf(keys []key, path uint32, tests string) (all []key, ok bool) {
	for at := 0; at < len(tests); {
		size, next := readSize(tests, at+1)
		k, ok := keyOf(path, op(tests[at]), tests[next:next+size])
		if !ok || len(keys) == mostKeys {
			return keys, false
		}
		keys, at = append(keys, k), next+size
	}
	return keys, true
}

// keyOf is the key of one test.
func keyOf(path uint32, o op, p string) (k key, ok bool) {
	whole := func(kind keyKind, p string) (key, bool) {
		return key{hashKey(kind, 0, path, []byte(p)), kind, 0}, true
	}
	switch o {
	case opText:
		return whole(keyText, p)
	case opWord, opDigits:
		return whole(keyRaw, p)
	case opNumber:
		return whole(keyNumber, p)
	case opFold:
		if len(p) > mostFolded {
			return key{}, false
		}
		return whole(keyFold, p)
	case opPrefix:
		return partKey(path, p, "")
	case opSuffix:
		return partKey(path, "", p)
	case opWildcard:
		return partKey(path, wildcardFirst(p), wildcardLast(p))
	case opAddress:
		var a address
		a.size = p[0]
		copy(a.bytes[:], p[2:])
		return networkKey(path, a, int(p[1]))
	}
	return key{}, false
}

func wildcardFirst(p string) string { head, _ := wildcardEnds(p); return head }
func wildcardLast(p string) string  { _, tail := wildcardEnds(p); return tail }

// partKey is the key of a beginning or of an end, whichever says more.
func partKey(path uint32, head, tail string) (key, bool) {
	kind, part := keyHead, head
	if len(tail) > len(head) {
		kind, part = keyTail, tail
	}
	for i := len(partSizes) - 1; i >= 0; i-- {
		if n := partSizes[i]; n <= len(part) {
			if kind == keyHead {
				part = part[:n]
			} else {
				part = part[len(part)-n:]
			}
			return key{hashKey(kind, uint8(i), path, []byte(part)), kind, uint8(i)}, true
		}
	}
	return key{}, false
}

// networkKey is the key of addresses whose first bits fit.
func networkKey(path uint32, a address, size int) (key, bool) {
	for i := len(networkSizes) - 1; i >= 0; i-- {
		if n := networkSizes[i]; n <= size {
			return key{hashNetwork(path, uint8(i), a), keyNetwork, uint8(i)}, true
		}
	}
	return key{}, false
}

// hashNetwork is the key of an address by the first bits of a size.
func hashNetwork(path uint32, size uint8, a address) uint64 {
	a = a.masked(networkSizes[size])
	var room [17]byte
	room[0] = a.size
	copy(room[1:], a.bytes[:])
	return hashKey(keyNetwork, size, path, room[:])
}
