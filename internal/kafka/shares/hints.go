package shares

import (
	"encoding/binary"
	"slices"

	"ottla/internal/kafka/api"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// leaders are the nodes that an answer names as leaders, whose addresses go
// with it.
type leaders []int32

// maxLeaders is how many addresses an answer has; a client that misses one asks
// for metadata.
const maxLeaders = 32

func (l *leaders) add(node int32) {
	if len(*l) < maxLeaders && !slices.Contains(*l, node) {
		*l = append(*l, node)
	}
}

// address is where a client reaches a node.
type address struct {
	node int32
	host string
	port int32
}

// addresses are those that the client of a connection is told, by node.
func (l leaders) addresses(c *api.Conn) []address {
	var out []address
	for _, node := range slices.Sorted(slices.Values(l)) {
		if host, port := c.Advertised(node); host != "" && len(host) <= 255 {
			out = append(out, address{node, host, port})
		}
	}
	return out
}

// append appends them as a ShareFetch answer has them.
func (l leaders) append(b []byte, c *api.Conn) []byte {
	all := l.addresses(c)
	b = appendCount(b, len(all))
	for _, at := range all {
		b = binary.BigEndian.AppendUint32(b, uint32(at.node))
		b = append(appendCount(b, len(at.host)), at.host...)
		b = binary.BigEndian.AppendUint32(b, uint32(at.port))
		b = append(b, 0, 0) // no rack, no tags
	}
	return b
}

// leaderHint is who leads a partition, when an error says that it is not this
// node, and notes that node; zeros otherwise, as Kafka leaves them.
func (f *Family) leaderHint(nodes *leaders, topic uuid.UUID, index int32, errs ...error) (leader, epoch int32) {
	for _, err := range errs {
		switch wire.CodeOf(err) {
		case wire.NotLeaderOrFollower, wire.FencedLeaderEpoch:
			t := f.d.Cluster.Image().TopicByID(topic)
			if t == nil || leaderOf(t, index) < 0 {
				return -1, -1
			}
			p := t.Partitions[index]
			nodes.add(p.Leader)
			return p.Leader, p.LeaderEpoch
		}
	}
	return 0, 0
}
