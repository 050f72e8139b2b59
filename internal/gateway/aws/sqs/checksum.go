package sqs

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
)

// SDKs compare these checksums with their own and refuse a message where they
// differ. MD5 is what the API has; it protects nothing.

func checksum(body []byte) string {
	sum := md5.Sum(body)
	return hex.EncodeToString(sum[:])
}

// Kinds of values in the checksum of attributes.
const (
	sumString = 1
	sumBinary = 2
)

// checksumAttributes is that of message attributes, "" where there are none:
// sorted by name, of each its name, its type and its value with their lengths,
// and before the value its kind.
func checksumAttributes(all map[string]Attribute) string {
	if len(all) == 0 {
		return ""
	}
	h := md5.New()
	for _, name := range sorted(all) {
		a := all[name]
		sized(h, []byte(name))
		sized(h, []byte(a.DataType))
		kind := byte(sumString)
		if isBinary(a.DataType) {
			kind = sumBinary
		}
		h.Write([]byte{kind})
		sized(h, a.bytes())
	}
	return hex.EncodeToString(h.Sum(nil))
}

func sized(h hash.Hash, b []byte) {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(b)))
	h.Write(n[:])
	h.Write(b)
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
