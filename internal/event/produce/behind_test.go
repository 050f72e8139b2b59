package produce_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// unknownLimit is how often kgo hears that there is no such topic before it tells.
const unknownLimit = 5

// mostOnTheWay is how many requests kgo sends a node before it waits for answers.
const mostOnTheWay = 5

// ends are where the partitions of a topic end.
func (r *rig) ends(topic string) (out [2]int64) {
	r.Helper()
	ends, err := r.adm.ListEndOffsets(r.ctx, topic)
	r.must(err)
	r.must(ends.Error())
	for i := range out {
		end, _ := ends.Lookup(topic, int32(i))
		out[i] = end.Offset
	}
	return out
}

// aside writes a record on the side.
func (r *rig) aside(write func(*kgo.Record) error, rec *kgo.Record) <-chan error {
	out := make(chan error, 1)
	go func() { out <- write(rec) }()
	return out
}

// A node that was behind did not know the topic of a record. The client forgot the topic,
// and with that what was on its way to another partition and written: that was written
// once more.
func TestWhatIsOnItsWayIsNotWrittenTwiceForANodeThatIsBehind(t *testing.T) {
	r := newRig(t)
	_, err := r.adm.CreateTopic(r.ctx, 2, 1, nil, "orders")
	r.must(err)
	var behind, once atomic.Bool
	var refused atomic.Int32
	last, written, again := make(chan struct{}), make(chan struct{}), make(chan struct{})
	took := make(buffered, 10)
	c := r.writer(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.WithHooks(took), r.tapped(func(req *kmsg.ProduceRequest) play {
		if !behind.Load() {
			return play{}
		}
		topic := req.Topics[0]
		if topic.Partitions[0].Partition == 0 {
			if once.Swap(true) {
				return play{}
			}
			return play{came: sync.OnceFunc(func() { close(written) }), until: again}
		}
		n := refused.Add(1)
		if n > unknownLimit {
			return play{}
		}
		p := kmsg.NewProduceResponseTopicPartition()
		p.Partition, p.ErrorCode = 1, kerr.UnknownTopicID.Code
		of := kmsg.NewProduceResponseTopic()
		of.Topic, of.TopicID, of.Partitions = topic.Topic, topic.TopicID, append(of.Partitions, p)
		out := play{instead: kmsg.NewPtrProduceResponse()}
		if out.instead.Topics = append(out.instead.Topics, of); n == unknownLimit {
			out.until = written
			close(last)
		}
		return out
	}, nil))
	write := func(rec *kgo.Record) error { return c.All(r.ctx, []*kgo.Record{rec})[0] }
	for _, err := range c.All(r.ctx, []*kgo.Record{{Topic: "orders", Partition: 0}, {Topic: "orders", Partition: 1}}) {
		r.must(err)
		<-took
	}
	behind.Store(true)
	unknown := r.aside(write, &kgo.Record{Topic: "orders", Partition: 1})
	<-took
	<-last
	underWay := r.aside(write, &kgo.Record{Topic: "orders", Partition: 0})
	<-took
	<-took // one of them once more
	close(again)
	if err := <-unknown; err != nil {
		t.Errorf("what the node did not know the topic of: %v", err)
	}
	if err := <-underWay; err != nil {
		t.Errorf("what was on its way: %v", err)
	}
	if got := r.ends("orders"); got != [2]int64{2, 2} {
		t.Errorf("the partitions end at %d, want 2 each", got)
	}
}

// queued tells of each record that is in its batch.
type queued func(*kgo.Record)

func (q queued) OnProduceRecordPartitioned(rec *kgo.Record, _ int32) { q(rec) }

// Nodes that were behind did not know the topic of a record that was still to be sent.
// The client forgot the topic, and with that how far its records there were numbered: it
// began at 0 again, and the broker took the next record for a repeat of the first.
func TestARecordAfterANodeThatWasBehindIsNoRepeat(t *testing.T) {
	r := newRig(t)
	r.create("orders")
	r.create("bills")
	var hold, behind atomic.Int32 // how many answers will be
	held, again := make(chan struct{}), make(chan struct{})
	took := make(buffered, 10)
	second := &kgo.Record{Topic: "orders", Value: []byte("second")}
	start := sync.OnceFunc(func() { behind.Store(unknownLimit) })
	c := r.writer(kgo.MetadataMaxAge(20*time.Millisecond), kgo.WithHooks(took, queued(func(rec *kgo.Record) {
		if rec == second {
			start()
		}
	})), r.tapped(func(*kmsg.ProduceRequest) play {
		if hold.Add(-1) >= 0 {
			held <- struct{}{}
			return play{until: again}
		}
		return play{}
	}, func(resp *kmsg.MetadataResponse) {
		for i := range resp.Topics {
			if t := &resp.Topics[i]; t.Topic != nil && *t.Topic == "orders" && behind.Add(-1) >= 0 {
				t.ErrorCode, t.Partitions = kerr.UnknownTopicOrPartition.Code, nil
			}
		}
	}))
	write := func(rec *kgo.Record) error { return c.All(r.ctx, []*kgo.Record{rec})[0] }
	for _, topic := range []string{"orders", "bills"} {
		r.must(write(&kgo.Record{Topic: topic}))
		<-took
	}
	hold.Store(mostOnTheWay)
	var before [mostOnTheWay]<-chan error
	for i := range before {
		before[i] = r.aside(write, &kgo.Record{Topic: "bills"})
		<-took
		<-held
	}
	next := r.aside(write, second)
	<-took
	<-took // once more
	close(again)
	for _, err := range before {
		r.must(<-err)
	}
	r.must(<-next)
	if got := r.end("orders"); got != 2 || second.Offset != 1 {
		t.Errorf("the record is said to be at %d, and the topic ends at %d; want 1 and 2", second.Offset, got)
	}
}

// A node that was behind told the id that a topic had before, while a record was on its
// way. The client gave that up as if it was refused, and it was written once more.
func TestWhatIsOnItsWayIsNotWrittenTwiceForANodeThatTellsAnOlderTopic(t *testing.T) {
	r := newRig(t)
	r.create("orders")
	const often = 3
	var hold, behind atomic.Bool
	var told atomic.Int32
	written, heard := make(chan struct{}), make(chan struct{})
	took := make(buffered, 10)
	c := r.writer(kgo.MetadataMaxAge(20*time.Millisecond), kgo.WithHooks(took), r.tapped(func(*kmsg.ProduceRequest) play {
		if !hold.Swap(false) {
			return play{}
		}
		return play{until: heard, came: func() {
			behind.Store(true)
			close(written)
		}}
	}, func(resp *kmsg.MetadataResponse) {
		for i := range resp.Topics {
			t := &resp.Topics[i]
			if t.Topic == nil || *t.Topic != "orders" || !behind.Load() {
				continue
			}
			switch n := told.Add(1); {
			case n <= often:
				t.TopicID[0]++
			case n == often+1: // the client asks again, so it heard
				close(heard)
			}
		}
	}))
	write := func(rec *kgo.Record) error { return c.All(r.ctx, []*kgo.Record{rec})[0] }
	r.must(write(&kgo.Record{Topic: "orders"}))
	<-took
	hold.Store(true)
	underWay := r.aside(write, &kgo.Record{Topic: "orders"})
	<-written
	<-heard
	if err := <-underWay; err != nil {
		t.Errorf("what was on its way: %v", err)
	}
	r.must(write(&kgo.Record{Topic: "orders"}))
	if got := r.end("orders"); got != 3 {
		t.Errorf("the topic has %d records, want 3", got)
	}
}
