package own

import (
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TagHistory is a tagged field of ours in DescribeTopicPartitions (75), which
// Kafka passes over. In a topic of the request it is the number of one partition
// (4 bytes) whose history is asked for; in that partition of the answer it is a
// History.
const TagHistory = 1000

// Told is who tells what the controller knows, or why nobody does.
type Told struct {
	ErrorCode    int16 // of the question to the controller
	ErrorMessage string
	// Node decides since SinceMs (since 1970); what it knows from before is from
	// an older leadership of its own.
	Node    int32
	SinceMs int64
}

// History is why a partition is as it is, as far as the controller knows.
type History struct {
	Told
	Changes []Change // oldest first
}

// Change is one change of a partition, and why it was made.
type Change struct {
	AtMs        int64
	Why         string
	From, To    int32 // leaders before and after, -1 for none
	LeaderEpoch int32 // after
	// In sync before and after; eligible after (KIP-966).
	WasISR, ISR, ELR []int32
	Unclean          bool
}

// minChange is the fewest bytes of a Change, minNode those of a node's number in
// a list, both with their section of tagged fields.
const (
	minChange = 8 + 1 + 3*4 + 3 + 1 + 1
	minNode   = 4 + 1
)

// AskHistory puts the question into a topic of a request.
func AskHistory(t *kmsg.Tags, partition int32) {
	t.Set(TagHistory, binary.BigEndian.AppendUint32(nil, uint32(partition)))
}

// AsksHistory reads it; false when nothing is asked.
func AsksHistory(t *kmsg.Tags) (partition int32, asked bool) {
	if b := tag(t, TagHistory); len(b) == 4 {
		return int32(binary.BigEndian.Uint32(b)), true
	}
	return -1, false
}

// SetHistory puts the answer into a partition.
func SetHistory(t *kmsg.Tags, h *History) {
	w := writer(nil).told(&h.Told).length(len(h.Changes))
	for i := range h.Changes {
		w = w.change(&h.Changes[i]).noTags()
	}
	t.Set(TagHistory, w.noTags())
}

func (w writer) told(t *Told) writer {
	return w.int16(t.ErrorCode).string(t.ErrorMessage).int32(t.Node).int64(t.SinceMs)
}

func (r *reader) told() Told { return Told{r.Int16(), r.string(), r.Int32(), r.Int64()} }

func (w writer) change(c *Change) writer {
	w = w.int64(c.AtMs).string(c.Why).int32(c.From).int32(c.To).int32(c.LeaderEpoch)
	for _, list := range [][]int32{c.WasISR, c.ISR, c.ELR} {
		w = w.length(len(list))
		for _, n := range list {
			w = w.int32(n).noTags()
		}
	}
	return w.bool(c.Unclean)
}

// ReadHistory reads it; nil when the answer has none.
func ReadHistory(t *kmsg.Tags) (*History, error) {
	b := tag(t, TagHistory)
	if b == nil {
		return nil, nil
	}
	h := &History{}
	err := read(b, func(in *reader) {
		h.Told = in.told()
		h.Changes = list(in, minChange, (*reader).change)
	})
	if err != nil {
		return nil, fmt.Errorf("the history of a partition: %w", err)
	}
	return h, nil
}

func (r *reader) change() Change {
	c := Change{AtMs: r.Int64(), Why: r.string(), From: r.Int32(), To: r.Int32(), LeaderEpoch: r.Int32()}
	for _, to := range []*[]int32{&c.WasISR, &c.ISR, &c.ELR} {
		*to = list(r, minNode, func(r *reader) int32 { return r.Int32() })
	}
	c.Unclean = r.bool()
	return c
}

func tag(t *kmsg.Tags, key uint32) (found []byte) {
	t.Each(func(k uint32, b []byte) {
		if k == key {
			found = b
		}
	})
	return found
}
