package data

import (
	"encoding/binary"
	"slices"

	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// appendCount appends an array's count, appendText a string, appendNullable one
// that is null when empty.
func appendCount(b []byte, n int, flex bool) []byte {
	if flex {
		return binary.AppendUvarint(b, uint64(n)+1)
	}
	return binary.BigEndian.AppendUint32(b, uint32(n))
}

func appendText(b, text []byte, flex bool) []byte {
	if flex {
		b = binary.AppendUvarint(b, uint64(len(text))+1)
	} else {
		b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
	}
	return append(b, text...)
}

func appendNullable(b []byte, text string, flex bool) []byte {
	switch {
	case text == "" && flex:
		return append(b, 0)
	case text == "":
		return append(b, 0xff, 0xff)
	case flex:
		b = binary.AppendUvarint(b, uint64(len(text))+1)
	default:
		text = text[:min(len(text), 1<<15-1)]
		b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
	}
	return append(b, text...)
}

// leaderOf is what the metadata says of a partition's leader, for the hints of
// KIP-951; -1 when it has none.
func (f *Family) leaderOf(id uuid.UUID, name []byte, index int32) (leader, epoch int32) {
	image := f.o.Cluster.Image()
	var t *metadata.Topic
	if id.IsZero() {
		t = image.TopicByBytes(name)
	} else {
		t = image.TopicByID(id)
	}
	if t == nil || index < 0 || int(index) >= len(t.Partitions) || t.Partitions[index] == nil {
		return -1, -1
	}
	return t.Partitions[index].Leader, t.Partitions[index].LeaderEpoch
}

// appendLeader appends the tagged field that names a leader.
func appendLeader(b []byte, tag uint64, leader, epoch int32) []byte {
	b = binary.AppendUvarint(b, tag)
	b = append(b, 9) // its size
	b = binary.BigEndian.AppendUint32(b, uint32(leader))
	b = binary.BigEndian.AppendUint32(b, uint32(epoch))
	return append(b, 0)
}

// maxHints is how many leaders' addresses one answer names; a client that
// misses one asks for metadata, as it would without hints.
const maxHints = 32

// hintsBound is above the bytes of all hints of an answer.
const hintsBound = maxHints * 300

// hints gathers the nodes whose addresses go with an answer (KIP-951).
type hints struct {
	nodes [maxHints]int32
	n     int
}

func (h *hints) add(node int32) {
	if h.n < maxHints && !slices.Contains(h.nodes[:h.n], node) {
		h.nodes[h.n] = node
		h.n++
	}
}

// appendTag appends the answer's last tag section: the nodes' addresses under
// the tag, or nothing.
func (h *hints) appendTag(b []byte, tag uint64, c *api.Conn) []byte {
	var list []byte
	n := 0
	for _, node := range h.nodes[:h.n] {
		host, port := c.Advertised(node)
		if port < 0 || len(host) > 255 {
			continue
		}
		n++
		list = binary.BigEndian.AppendUint32(list, uint32(node))
		list = appendText(list, []byte(host), true)
		list = binary.BigEndian.AppendUint32(list, uint32(port))
		list = append(list, 0, 0) // no rack, no tags
	}
	if n == 0 {
		return append(b, 0)
	}
	b = append(b, 1)
	b = binary.AppendUvarint(b, tag)
	count := binary.AppendUvarint(nil, uint64(n)+1)
	b = binary.AppendUvarint(b, uint64(len(count)+len(list)))
	return append(append(b, count...), list...)
}
