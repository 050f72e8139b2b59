package coordinator

import (
	"math"
	"unicode/utf8"
)

// partitionOf is Kafka's Utils.abs(key.hashCode()) % count.
func partitionOf(key string, count int) int32 {
	h := javaHash(key)
	if h == math.MinInt32 {
		h = 0
	} else if h < 0 {
		h = -h
	}
	return h % int32(count)
}

// javaHash is String.hashCode: 31*h + c over the UTF-16 code units. Bytes that
// are not UTF-8 count as U+FFFD, as they do once Java has read them.
func javaHash(s string) int32 {
	h := int32(0)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		if r >= 0x10000 {
			r -= 0x10000
			h = 31*h + 0xd800 + r>>10
			r = 0xdc00 + r&0x3ff
		}
		h = 31*h + r
	}
	return h
}
