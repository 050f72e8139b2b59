package store

import (
	"cmp"
	"strconv"
	"strings"

	"ottla/internal/uuid"
)

// Key names a share-partition.
type Key struct {
	Group     string
	TopicID   uuid.UUID
	Partition int32
}

// String is the key as Kafka routes by it and names it in FindCoordinator:
// group:topicId:partition.
func (k Key) String() string {
	return k.Group + ":" + k.TopicID.String() + ":" + strconv.Itoa(int(k.Partition))
}

// ParseKey reads String's form. The group's id may hold colons itself.
func ParseKey(s string) (Key, bool) {
	j := strings.LastIndexByte(s, ':')
	if j < 0 {
		return Key{}, false
	}
	i := strings.LastIndexByte(s[:j], ':')
	if i <= 0 {
		return Key{}, false
	}
	id, err := uuid.Parse(s[i+1 : j])
	n, bad := strconv.ParseInt(s[j+1:], 10, 32)
	if err != nil || bad != nil || n < 0 {
		return Key{}, false
	}
	return Key{Group: s[:i], TopicID: id, Partition: int32(n)}, true
}

// compare orders keys.
func compare(a, b Key) int {
	return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(string(a.TopicID[:]), string(b.TopicID[:])),
		cmp.Compare(a.Partition, b.Partition))
}
