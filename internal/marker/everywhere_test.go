package marker

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/metadata"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// cluster is node 1 with a writer, and nodes 2 and 3 with partitions: who leads
// what of "orders" a test says.
type cluster struct {
	t       *testing.T
	nodes   map[int32]*rig
	mu      sync.Mutex
	leaders []int32
	down    map[int32]error
	asked   []asked
	hold    chan struct{} // requests wait for its end
}

type asked struct {
	node    int32
	markers []kmsg.WriteTxnMarkersRequestMarker
}

func newCluster(t *testing.T, leaders ...int32) *cluster {
	t.Helper()
	c := &cluster{t: t, nodes: map[int32]*rig{}, leaders: leaders, down: map[int32]error{}}
	for id := range int32(3) {
		c.nodes[id+1] = newRig(t)
	}
	w := c.nodes[1].w
	o := w.o
	o.NodeID, o.Image, o.Peers = 1, c.image, c
	c.nodes[1].w = New(o)
	c.lead()
	return c
}

// lead has each node serve what it leads.
func (c *cluster) lead() {
	for id, r := range c.nodes {
		for i, leader := range c.leaders {
			why := wire.NotLeaderOrFollower
			if leader == id {
				why = wire.None
			}
			r.lose(int32(i), why)
		}
	}
}

// move changes who leads a partition.
func (c *cluster) move(index, leader int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaders[index] = leader
	c.lead()
}

func (c *cluster) image() *metadata.Image {
	c.mu.Lock()
	defer c.mu.Unlock()
	return ledBy(c.t, c.leaders...)
}

// Start has a node do what it is asked.
func (c *cluster) Start(ctx context.Context, node int32, req kmsg.Request, done func(kmsg.Response, error)) {
	c.mu.Lock()
	down, hold := c.down[node], c.hold
	if q, ok := req.(*kmsg.WriteTxnMarkersRequest); ok {
		c.asked = append(c.asked, asked{node, q.Markers})
	}
	c.mu.Unlock()
	if down != nil {
		done(nil, down)
		return
	}
	go func() {
		if hold != nil {
			<-hold
		}
		switch q := req.(type) {
		case *kmsg.WriteTxnMarkersRequest:
			done(c.write(ctx, c.nodes[node], q), nil)
		case *kmsg.DescribeProducersRequest:
			done(c.producers(c.nodes[node], q), nil)
		}
	}()
}

func (c *cluster) write(ctx context.Context, r *rig, q *kmsg.WriteTxnMarkersRequest) kmsg.Response {
	resp := kmsg.NewPtrWriteTxnMarkersResponse()
	all := make([]chan []wire.Code, len(q.Markers))
	for k, m := range q.Markers {
		marker := txn.Marker{
			ProducerID: m.ProducerID, ProducerEpoch: m.ProducerEpoch, Commit: m.Committed, CoordinatorEpoch: m.CoordinatorEpoch, Version: int16(m.TransactionVersion),
		}
		row := kmsg.NewWriteTxnMarkersResponseMarker()
		row.ProducerID = m.ProducerID
		for _, t := range m.Topics {
			to := kmsg.NewWriteTxnMarkersResponseMarkerTopic()
			to.Topic = t.Topic
			for _, p := range t.Partitions {
				marker.Partitions = append(marker.Partitions, txn.TopicPartition{Topic: t.Topic, Partition: p})
				to.Partitions = append(to.Partitions, kmsg.WriteTxnMarkersResponseMarkerTopicPartition{Partition: p})
			}
			row.Topics = append(row.Topics, to)
		}
		codes := make(chan []wire.Code, 1)
		all[k] = codes
		r.w.Once(ctx, &marker, func(got []wire.Code) { codes <- got })
		resp.Markers = append(resp.Markers, row)
	}
	for k := range all {
		got := <-all[k]
		for i := range resp.Markers[k].Topics {
			to := &resp.Markers[k].Topics[i]
			for j := range to.Partitions {
				to.Partitions[j].ErrorCode, got = int16(got[0]), got[1:]
			}
		}
	}
	return resp
}

func (c *cluster) producers(r *rig, q *kmsg.DescribeProducersRequest) kmsg.Response {
	resp := kmsg.NewPtrDescribeProducersResponse()
	p := kmsg.NewDescribeProducersResponseTopicPartition()
	p.Partition = q.Topics[0].Partitions[0]
	led, code := r.ByName([]byte(q.Topics[0].Topic), p.Partition)
	p.ErrorCode = int16(code)
	if code == wire.None {
		infos, err := led.Producers()
		if err != nil {
			c.t.Error(err)
		}
		for _, info := range infos {
			p.ActiveProducers = append(p.ActiveProducers, kmsg.DescribeProducersResponseTopicPartitionActiveProducer{ProducerID: info.ProducerID, CurrentTxnStartOffset: info.CurrentTxnStartOffset})
		}
	}
	resp.Topics = []kmsg.DescribeProducersResponseTopic{{Topic: q.Topics[0].Topic, Partitions: []kmsg.DescribeProducersResponseTopicPartition{p}}}
	return resp
}

// sync waits until partitions of a node have so many records and syncs them.
func (c *cluster) sync(node int32, end int64, indexes ...int32) {
	c.t.Helper()
	c.nodes[node].written(end, indexes...)
	must(c.t, c.nodes[node].dir.SyncRound())
}

func (c *cluster) requests() []asked {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.asked)
}

func TestEachLeaderWritesItsMarkers(t *testing.T) {
	c := newCluster(t, 2, 1, 3, 2)
	r := c.nodes[1]
	ended := r.write(t.Context(), marker(append(orders(0, 1, 2, 3), txn.TopicPartition{Topic: "deleted"}, txn.TopicPartition{Topic: "__transaction_state"})...))
	c.sync(1, 1, 1)
	c.sync(2, 1, 0, 3)
	c.sync(3, 1, 2)
	must(t, <-ended)
	for _, at := range []struct{ node, index int32 }{{2, 0}, {1, 1}, {3, 2}, {2, 3}} {
		infos, err := c.nodes[at.node].parts[at.index].Producers()
		if err != nil || len(infos) != 1 || infos[0].ProducerID != 7 || infos[0].Epoch != 1 || infos[0].CoordinatorEpoch != 3 {
			t.Errorf("partition %d at node %d: %+v %v", at.index, at.node, infos, err)
		}
	}
	if got := c.requests(); len(got) != 2 || got[0].node != 2 || len(got[0].markers[0].Topics[0].Partitions) != 2 || got[1].node != 3 {
		t.Errorf("requests %+v, want one to each other node", got)
	}
	r.w.Close()
}

func TestTransactionsThatEndTogetherShareRequests(t *testing.T) {
	c := newCluster(t, 2)
	c.hold = make(chan struct{})
	var ends []<-chan error
	for id := range int64(5) {
		m := marker(orders(0)...)
		m.ProducerID = 10 + id
		ends = append(ends, c.nodes[1].write(t.Context(), m))
		for n := 0; id < 2 && n <= int(id); n = len(c.requests()) { // two on their way
			runtime.Gosched()
		}
	}
	for queued := 0; queued < 3; {
		queued = c.nodes[1].w.box.Waiting(2)
		runtime.Gosched()
	}
	close(c.hold)
	c.sync(2, 2, 0) // the two, and then the rest
	c.sync(2, 5, 0)
	for _, ended := range ends {
		must(t, <-ended)
	}
	if got := c.requests(); len(got) != 3 || len(got[2].markers) != 3 {
		t.Errorf("%d requests, want 3, the last of three markers", len(got))
	}
}

func TestALeaderThatMovedIsAskedAgain(t *testing.T) {
	c := newCluster(t, 2, 3, -1)
	r := c.nodes[1]
	c.nodes[2].data(0, 7, 0)
	c.down[3] = wire.NetworkException
	c.nodes[2].lose(0, wire.NotLeaderOrFollower) // it does not know yet
	ended := r.write(t.Context(), marker(orders(0, 1, 2)...))
	over := <-r.pauses
	c.move(0, 3)
	c.move(1, 1) // here
	c.move(2, 2)
	c.mu.Lock()
	c.down[3] = nil
	c.mu.Unlock()
	close(over)
	c.sync(3, 1, 0)
	c.sync(1, 1, 1)
	c.sync(2, 1, 2)
	must(t, <-ended)
	if end := c.nodes[2].parts[0].Offsets().LogEnd; end != 1 {
		t.Errorf("the old leader has %d records, want 1", end)
	}
}

func TestAnotherNodeThatDoesNotKnowATopicYetIsAskedAgain(t *testing.T) {
	c := newCluster(t, 2)
	r := c.nodes[1]
	c.nodes[2].lose(0, wire.UnknownTopicOrPartition)
	ended := r.write(t.Context(), marker(orders(0)...))
	over := <-r.pauses
	c.nodes[2].lose(0, wire.None)
	close(over)
	c.sync(2, 1, 0)
	must(t, <-ended)
}

// A replica that a reassignment takes from this node is deleted here, not deleted:
// its end of the transaction, which nobody may have, is for the new leader.
func TestAPartitionThatWentToAnotherNodeStillGetsItsMarker(t *testing.T) {
	for _, why := range []wire.Code{wire.UnknownTopicOrPartition, wire.NotLeaderOrFollower} {
		c := newCluster(t, 1, 1)
		here, there := c.nodes[1], c.nodes[2]
		there.data(0, 7, 0)
		c.nodes[1].lose(1, why) // gone before it was written to
		ended := here.write(t.Context(), marker(orders(0, 1)...))
		here.written(1, 0)
		must(t, here.parts[0].Delete(why)) // gone before it was synced
		var over chan struct{}
		select {
		case over = <-here.pauses:
		case err := <-ended:
			t.Fatalf("%v: the end of the transaction was called written (%v), and the new leader has none", why, err)
		}
		c.move(0, 2)
		c.move(1, 2)
		close(over)
		c.sync(2, 2, 0)
		c.sync(2, 1, 1)
		must(t, <-ended)
	}
}

func TestANewerCoordinatorElsewhereEndsTheTransaction(t *testing.T) {
	c := newCluster(t, 2, 2)
	r := c.nodes[1]
	m := marker(orders(0)...)
	m.CoordinatorEpoch = 9
	first := r.write(t.Context(), m)
	c.sync(2, 1, 0)
	must(t, <-first)
	m.CoordinatorEpoch, m.ProducerEpoch = 8, 2
	must(t, <-r.write(t.Context(), m)) // nothing of the producer is open there
	c.nodes[2].data(0, 7, 1)
	c.down[2] = wire.NetworkException
	ended := r.write(t.Context(), m)
	over := <-r.pauses
	c.mu.Lock()
	c.down[2] = nil
	c.mu.Unlock()
	close(over)
	if err := <-ended; wire.CodeOf(err) != wire.TransactionCoordinatorFenced {
		t.Errorf("got %v, want TRANSACTION_COORDINATOR_FENCED", err)
	}
	if _, err := r.w.inTxn(t.Context(), txn.TopicPartition{Topic: "orders", Partition: 1}, 7); err != nil {
		t.Errorf("a partition without the producer: %v", err)
	}
	c.move(1, -1)
	if _, err := r.w.inTxn(t.Context(), txn.TopicPartition{Topic: "orders", Partition: 1}, 7); wire.CodeOf(err) != wire.LeaderNotAvailable {
		t.Errorf("without a leader: %v", err)
	}
	c.move(1, 3)
	c.nodes[3].lose(1, wire.NotLeaderOrFollower)
	if _, err := r.w.inTxn(t.Context(), txn.TopicPartition{Topic: "orders", Partition: 1}, 7); wire.CodeOf(err) != wire.NotLeaderOrFollower {
		t.Errorf("not led there: %v", err)
	}
	c.down[3] = errors.New("cut")
	if _, err := r.w.inTxn(t.Context(), txn.TopicPartition{Topic: "orders", Partition: 1}, 7); wire.CodeOf(err) != wire.NetworkException {
		t.Errorf("not reached: %v", err)
	}
}

func TestAWriteElsewhereEndsWithItsLeadership(t *testing.T) {
	c := newCluster(t, 2)
	ctx, cancel := context.WithCancel(t.Context())
	ended := c.nodes[1].write(ctx, marker(orders(0)...))
	c.nodes[2].written(1, 0)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the context's error", err)
	}
	c.nodes[1].w.Close() // does not wait for the other node
	must(t, c.nodes[2].dir.SyncRound())
}

// A request tells of partitions that were never asked for, or of none.
func TestAnAnswerThatSaysNothingIsNoAnswer(t *testing.T) {
	m := marker(orders(0)...)
	for _, resp := range []kmsg.Response{kmsg.NewPtrWriteTxnMarkersResponse(), kmsg.NewPtrFetchResponse(), nil} {
		codes := make(chan []wire.Code, 1)
		try := newTry(t.Context(), 1, func(got []wire.Code) { codes <- got })
		took([]*share{{t: try, m: &m, at: []int{0}}}, resp, nil)
		try.asked()
		if got := <-codes; !slices.Equal(got, []wire.Code{wire.UnknownServerError}) {
			t.Errorf("%T: codes %v", resp, got)
		}
	}
}
