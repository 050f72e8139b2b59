package queue_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/queue"
)

// records reads a topic to its end, as a Kafka consumer does.
func (r *rig) records(topic string, n int) []*kgo.Record {
	r.Helper()
	c := r.client(kgo.ConsumeTopics(topic))
	var out []*kgo.Record
	for len(out) < n {
		got := c.PollFetches(r.ctx)
		r.must(got.Err())
		out = append(out, got.Records()...)
	}
	return out
}

// A message goes where a Kafka producer would have put it, though none does: those of
// a group stay together whoever sends them.
func TestMessagesGoWhereKafkasProducersPutThem(t *testing.T) {
	r := start(t)
	q := r.create("many.fifo", func(s *queue.Spec) { s.Partitions = 4 })
	var all []queue.Message
	for i := range 40 {
		all = append(all, grouped(fmt.Sprint("group-", i), fmt.Sprint("id-", i), fmt.Sprint("body-", i)))
	}
	sent := r.sendAll("many.fifo", all...)
	partitioner, partitions := kgo.StickyKeyPartitioner(nil).ForTopic(q.Topic), map[int32]bool{}
	byBody := map[string]*kgo.Record{}
	for _, x := range r.records(q.Topic, len(all)) {
		byBody[string(x.Value)] = x
		partitions[x.Partition] = true
	}
	for i, m := range all {
		x := byBody[string(m.Body)]
		if x == nil {
			t.Fatalf("%s is not in the topic", m.Body)
		}
		if want := partitioner.Partition(&kgo.Record{Key: []byte(m.Group)}, 4); string(x.Key) != m.Group || int(x.Partition) != want {
			t.Errorf("%s has the key %q and is in partition %d, want %q and %d", m.Body, x.Key, x.Partition, m.Group, want)
		}
		if !strings.HasSuffix(sent[i].Sequence, fmt.Sprintf("%019d", x.Offset)) {
			t.Errorf("%s has the sequence number %s and the offset %d", m.Body, sent[i].Sequence, x.Offset)
		}
	}
	if len(partitions) != 4 {
		t.Errorf("the messages of 40 groups are in %d partitions", len(partitions))
	}
}

func TestMessagesThatAreTooLargeForOneBatchGoInSeveral(t *testing.T) {
	r := start(t)
	q := r.create("large", nil)
	var all []queue.Message
	for i := range 4 {
		all = append(all, queue.Message{Body: append(make([]byte, queue.MaxMessageBytes-1), byte(i)), DelayMs: -1})
	}
	sent := r.sendAll("large", all...)
	ids := map[string]int{}
	for i, s := range sent {
		ids[s.ID] = i
	}
	if len(ids) != len(all) {
		t.Fatalf("%d ids of %d messages", len(ids), len(all))
	}
	for _, x := range r.records(q.Topic, len(all)) {
		if last := x.Value[len(x.Value)-1]; int64(last) != x.Offset {
			t.Errorf("message %d is at offset %d", last, x.Offset)
		}
	}
	for got := 0; got < len(all); {
		for _, m := range r.take("large", 10) {
			if i, ok := ids[m.ID]; !ok || m.Body[len(m.Body)-1] != byte(i) {
				t.Errorf("the message %s is not what was sent as it", m.ID)
			}
			got++
		}
	}
}

// Without a key a message may go anywhere: all of a Send to one partition, the next
// to another.
func TestMessagesWithoutAGroupGoRound(t *testing.T) {
	r := start(t)
	q := r.create("round", func(s *queue.Spec) { s.Partitions = 3 })
	for i := range 6 {
		r.send("round", fmt.Sprint(i), fmt.Sprint(i))
	}
	count := map[int32]int{}
	for _, x := range r.records(q.Topic, 12) {
		count[x.Partition]++
	}
	if len(count) != 3 || count[0] != 4 || count[1] != 4 || count[2] != 4 {
		t.Errorf("got %v, want four in each of three partitions", count)
	}
}
