package data

import (
	"math"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/partition"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// step is an incremental request of a session.
func step(version int16, id, epoch int32, offsets map[int32]int64) *kmsg.FetchRequest {
	req := fetchRequest(version, offsets)
	req.SessionID, req.SessionEpoch = id, epoch
	req.MaxWaitMillis = 20
	return req
}

// open opens a session over the partitions and returns its id.
func open(t *testing.T, c *conn, version int16, offsets map[int32]int64) int32 {
	t.Helper()
	req := step(version, 0, 0, offsets)
	resp := c.ask(req).(*kmsg.FetchResponse)
	if resp.ErrorCode != 0 || resp.SessionID == 0 {
		t.Fatalf("session not opened: %+v", resp)
	}
	return resp.SessionID
}

func TestAnIncrementalAnswerHoldsNewsOnly(t *testing.T) {
	for _, v := range []int16{7, 12, 13, 18} {
		r := newRig(t)
		r.put(0, "a")
		c := r.dial()
		id := open(t, c, v, map[int32]int64{0: 0, 1: 0, 2: 0})
		// quiet: after the wait, no topics at all
		resp := c.ask(step(v, id, 1, map[int32]int64{0: 1})).(*kmsg.FetchResponse)
		if resp.ErrorCode != 0 || resp.SessionID != id || len(resp.Topics) != 0 {
			t.Fatalf("v%d: quiet session answers %+v", v, resp)
		}
		r.put(1, "b")
		if got := rows(t, c.ask(step(v, id, 2, nil)).(*kmsg.FetchResponse)); got != "1:b" {
			t.Fatalf("v%d: got %q, want the partition with news", v, got)
		}
		// not advanced: it has records still
		if got := rows(t, c.ask(step(v, id, 3, nil)).(*kmsg.FetchResponse)); got != "1:b" {
			t.Fatalf("v%d: got %q", v, got)
		}
		forget := step(v, id, 4, map[int32]int64{2: 0})
		ft := kmsg.NewFetchRequestForgottenTopic()
		ft.Topic, ft.TopicID, ft.Partitions = "orders", ordersID, []int32{1, 77}
		forget.ForgottenTopics = append(forget.ForgottenTopics, ft)
		r.put(2, "c")
		if got := rows(t, c.ask(forget).(*kmsg.FetchResponse)); got != "2:c" {
			t.Fatalf("v%d: got %q after one was forgotten", v, got)
		}
	}
}

func TestAnErrorAndItsEndAreNews(t *testing.T) {
	r := newRig(t)
	c := r.dial()
	id := open(t, c, 12, map[int32]int64{0: 0, 3: 0})
	if got := rows(t, c.ask(step(12, id, 1, nil)).(*kmsg.FetchResponse)); got != "3:NOT_LEADER_OR_FOLLOWER" {
		t.Fatalf("got %q", got)
	}
	r.parts["orders"][3] = r.parts["orders"][2]
	if got := rows(t, c.ask(step(12, id, 2, nil)).(*kmsg.FetchResponse)); got != "3:" {
		t.Fatalf("got %q, want the partition that serves again", got)
	}
	if got := rows(t, c.ask(step(12, id, 3, nil)).(*kmsg.FetchResponse)); got != "" {
		t.Fatalf("got %q, want nothing new", got)
	}
}

func TestAPartitionThatWasMadeAnewIsFoundAgain(t *testing.T) {
	r := newRig(t)
	c := r.dial()
	id := open(t, c, 12, map[int32]int64{0: 0})
	must(t, r.parts["orders"][0].Close())
	if got := rows(t, c.ask(step(12, id, 1, nil)).(*kmsg.FetchResponse)); got != "0:NOT_LEADER_OR_FOLLOWER" {
		t.Fatalf("got %q", got)
	}
	r.put(1, "x")
	r.parts["orders"][0] = r.parts["orders"][1]
	if got := rows(t, c.ask(step(12, id, 2, nil)).(*kmsg.FetchResponse)); got != "0:x" {
		t.Fatalf("got %q, want the new partition's record", got)
	}
}

func TestSessionErrors(t *testing.T) {
	r := newRig(t)
	c := r.dial()
	id := open(t, c, 12, map[int32]int64{0: 0})
	for _, tc := range []struct {
		name    string
		req     *kmsg.FetchRequest
		want    wire.Code
		session int32
	}{
		{"unknown id", step(12, id+1, 1, nil), wire.FetchSessionIDNotFound, 0},
		{"wrong epoch", step(12, id, 9, nil), wire.InvalidFetchSessionEpoch, 0},
		{"ids where names were", step(13, id, 1, nil), wire.FetchSessionTopicIDError, 0},
		{"good", step(12, id, 1, nil), wire.None, id},
		{"the same epoch again", step(12, id, 1, nil), wire.InvalidFetchSessionEpoch, 0},
		{"closed", step(12, id, -1, map[int32]int64{0: 0}), wire.None, 0},
		{"after the close", step(12, id, 2, nil), wire.FetchSessionIDNotFound, 0},
	} {
		resp := c.ask(tc.req).(*kmsg.FetchResponse)
		if resp.ErrorCode != int16(tc.want) || resp.SessionID != tc.session {
			t.Errorf("%s: code %d session %d, want %s and %d", tc.name, resp.ErrorCode, resp.SessionID, tc.want.Name(), tc.session)
		}
		if tc.want != wire.None && len(resp.Topics) != 0 {
			t.Errorf("%s: topics beside an error", tc.name)
		}
	}
}

func TestASessionWithoutPartitionsEnds(t *testing.T) {
	r := newRig(t)
	c := r.dial()
	id := open(t, c, 12, map[int32]int64{0: 0})
	req := step(12, id, 1, nil)
	ft := kmsg.NewFetchRequestForgottenTopic()
	ft.Topic, ft.Partitions = "orders", []int32{0}
	req.ForgottenTopics = append(req.ForgottenTopics, ft)
	if resp := c.ask(req).(*kmsg.FetchResponse); resp.SessionID != 0 || resp.ErrorCode != 0 {
		t.Errorf("answer %+v, want no session", resp)
	}
	if n := r.reg.Gauge("ottla_fetch_sessions").Value(); n != 0 {
		t.Errorf("%d sessions left", n)
	}
	empty := step(12, 0, 0, nil)
	if resp := c.ask(empty).(*kmsg.FetchResponse); resp.SessionID != 0 {
		t.Error("a session of nothing was opened")
	}
}

func TestEpochsWrapToOne(t *testing.T) {
	if got := nextEpoch(math.MaxInt32); got != 1 {
		t.Errorf("after the last epoch comes %d, want 1", got)
	}
	if got := nextEpoch(initialEpoch); got != 1 {
		t.Errorf("after the first epoch comes %d, want 1", got)
	}
}

func TestNoPartitionStarves(t *testing.T) {
	r := newRig(t)
	for i := range int32(3) {
		r.put(i, "x")
	}
	c := r.dial()
	req := step(12, 0, 0, map[int32]int64{0: 0, 1: 0, 2: 0})
	req.MaxBytes = 1 // one batch an answer
	resp := c.ask(req).(*kmsg.FetchResponse)
	seen := map[int32]bool{}
	for epoch := int32(1); epoch <= 3; epoch++ {
		next := step(12, resp.SessionID, epoch, nil)
		next.MaxBytes = 1
		for _, topic := range c.ask(next).(*kmsg.FetchResponse).Topics {
			for _, p := range topic.Partitions {
				if len(p.RecordBatches) > 0 {
					seen[p.Partition] = true
				}
			}
		}
	}
	if len(seen) != 3 {
		t.Errorf("three answers of one batch came from partitions %v, want all", seen)
	}
}

func TestAFullCacheAnswersWithoutASessionAndEvictsByTheRules(t *testing.T) {
	r := newRigOn(t, vfs.NewMem(0), "/data", map[string]string{"max.incremental.fetch.session.cache.slots": "2"})
	now := time.Unix(1000, 0)
	r.now = func() time.Time { return now }
	c := r.dial()
	small := open(t, c, 12, map[int32]int64{0: 0})
	mid := open(t, c, 12, map[int32]int64{0: 0, 1: 0})
	full := func(offsets map[int32]int64) int32 {
		resp := c.ask(step(12, 0, 0, offsets)).(*kmsg.FetchResponse)
		if resp.ErrorCode != 0 {
			t.Fatalf("code %d from a full cache", resp.ErrorCode)
		}
		return resp.SessionID
	}
	alive := func(id, epoch int32) bool {
		return c.ask(step(12, id, epoch, nil)).(*kmsg.FetchResponse).ErrorCode == 0
	}
	if id := full(map[int32]int64{0: 0, 1: 0, 2: 0}); id != 0 {
		t.Fatal("a young session was evicted")
	}
	now = now.Add(minAge + time.Second)
	if !alive(small, 1) || !alive(mid, 1) {
		t.Fatal("sessions are gone")
	}
	if id := full(map[int32]int64{0: 0}); id != 0 {
		t.Error("a session was evicted for one that is no larger")
	}
	large := full(map[int32]int64{0: 0, 1: 0, 2: 0})
	if large == 0 || alive(small, 2) || !alive(mid, 2) {
		t.Error("want the smallest of the old ones evicted for a larger one")
	}
	now = now.Add(minAge + time.Second)
	if !alive(large, 1) {
		t.Fatal("the large session is gone")
	}
	if id := full(map[int32]int64{0: 0}); id == 0 || alive(mid, 3) {
		t.Error("want the longest unused one evicted")
	}
	if n := r.reg.Counter("ottla_fetch_sessions_evicted_total").Value(); n != 2 {
		t.Errorf("%d evictions counted, want 2", n)
	}
}

func TestListOffsetsAndEpochs(t *testing.T) {
	r := newRig(t)
	r.put(0, "a", "b")
	c := r.dial()
	for v := int16(1); v <= 11; v++ {
		for ts, want := range map[int64][3]int64{ // code, offset, timestamp
			-1: {0, 2, -1}, -2: {0, 0, -1}, 1_600_000_000_000: {0, 0, 1_700_000_000_000}, 1_800_000_000_000: {0, -1, -1},
			-7: {35, -1, -1}, -3: {35, -1, -1}, -4: {35, -1, -1}, -5: {35, -1, -1}, -6: {35, -1, -1},
		} {
			switch {
			case ts == -3 && v >= 7:
				want = [3]int64{0, 0, 1_700_000_000_000}
			case ts == -4 && v >= 8:
				want = [3]int64{0, 0, -1}
			case ts == -5 && v >= 9, ts == -6 && v >= 11:
				want = [3]int64{0, -1, -1}
			}
			req := kmsg.NewPtrListOffsetsRequest()
			req.SetVersion(v)
			topic := kmsg.NewListOffsetsRequestTopic()
			topic.Topic = "orders"
			p := kmsg.NewListOffsetsRequestTopicPartition()
			p.Timestamp = ts
			p.CurrentLeaderEpoch = -1
			topic.Partitions = append(topic.Partitions, p)
			req.Topics = append(req.Topics, topic)
			row := c.ask(req).(*kmsg.ListOffsetsResponse).Topics[0].Partitions[0]
			if got := [3]int64{int64(row.ErrorCode), row.Offset, row.Timestamp}; got != want {
				t.Errorf("v%d timestamp %d: %v, want %v", v, ts, got, want)
			}
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, p)
			if row := c.ask(req).(*kmsg.ListOffsetsResponse).Topics[0].Partitions[1]; row.ErrorCode != int16(wire.InvalidRequest) {
				t.Errorf("v%d: named twice: %+v", v, row)
			}
			if req.Topics[0].Partitions, req.IsolationLevel = req.Topics[0].Partitions[:1], 2; v >= 2 {
				if row := c.ask(req).(*kmsg.ListOffsetsResponse).Topics[0].Partitions[0]; row.ErrorCode != int16(wire.InvalidRequest) || row.Offset != -1 {
					t.Errorf("v%d: isolation level 2: %+v", v, row)
				}
			}
		}
	}
}

func TestOffsetForLeaderEpochAndDescribeProducers(t *testing.T) {
	r := newRig(t)
	r.put(0, "a", "b")
	c := r.dial()
	for v := int16(2); v <= 4; v++ {
		req := kmsg.NewPtrOffsetForLeaderEpochRequest()
		req.SetVersion(v)
		topic := kmsg.NewOffsetForLeaderEpochRequestTopic()
		topic.Topic = "orders"
		for _, q := range [][3]int32{{0, -1, 5}, {0, -1, 9}, {0, 4, 5}, {0, -2, 5}, {0, 6, 5}, {42, -1, 5}} {
			p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
			p.Partition, p.CurrentLeaderEpoch, p.LeaderEpoch = q[0], q[1], q[2]
			topic.Partitions = append(topic.Partitions, p)
		}
		req.Topics = append(req.Topics, topic)
		got := c.ask(req).(*kmsg.OffsetForLeaderEpochResponse).Topics[0].Partitions
		for i, want := range [][3]int64{{0, 5, 2}, {0, -1, -1}, {74, -1, -1}, {74, -1, -1}, {75, -1, -1}, {3, -1, -1}} {
			if have := [3]int64{int64(got[i].ErrorCode), int64(got[i].LeaderEpoch), got[i].EndOffset}; have != want {
				t.Errorf("v%d row %d: %v, want %v", v, i, have, want)
			}
		}
	}
	req := kmsg.NewPtrDescribeProducersRequest()
	topic := kmsg.NewDescribeProducersRequestTopic()
	topic.Topic, topic.Partitions = "orders", []int32{0, 42}
	req.Topics = append(req.Topics, topic)
	got := c.ask(req).(*kmsg.DescribeProducersResponse).Topics[0].Partitions
	if got[0].ErrorCode != 0 || len(got[0].ActiveProducers) != 0 || got[1].ErrorCode != int16(wire.UnknownTopicOrPartition) ||
		got[1].ErrorMessage == nil || *got[1].ErrorMessage != "This server does not host this topic-partition." {
		t.Errorf("producers: %+v", got)
	}
}

// tails is a broker of which the log of every replica ends at offset 42.
type tails struct{}

func (tails) TailByName(topic []byte, index int32) (partition.Tail, wire.Code) {
	if string(topic) != "orders" || index > 3 {
		return partition.Tail{Epoch: -1, End: -1}, wire.UnknownTopicOrPartition
	}
	return partition.Tail{Epoch: 7, End: 42, Doubted: index == 3}, wire.None
}

// TestANodeHearsHowFarAnyLogGoes: in its own name only; everybody else is told what the
// leader says of the epoch.
func TestANodeHearsHowFarAnyLogGoes(t *testing.T) {
	r := newRig(t)
	r.family.tails = tails{}
	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	topic := kmsg.NewOffsetForLeaderEpochRequestTopic()
	topic.Topic = "orders"
	for _, index := range []int32{0, 3, 4} {
		p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
		p.Partition, p.CurrentLeaderEpoch, p.LeaderEpoch = index, -1, math.MaxInt32
		topic.Partitions = append(topic.Partitions, p)
	}
	req.Topics = append(req.Topics, topic)
	for _, c := range []struct {
		node, replica int32
		want          [3][3]int64
	}{
		{2, 2, [3][3]int64{{0, 7, 42}, {0, 7, 42}, {3, -1, -1}}},
		{2, -1, [3][3]int64{{0, -1, -1}, {6, -1, -1}, {3, -1, -1}}},
		{2, 3, [3][3]int64{{0, -1, -1}, {6, -1, -1}, {3, -1, -1}}},
		{-1, 2, [3][3]int64{{0, -1, -1}, {6, -1, -1}, {3, -1, -1}}},
		{-1, -1, [3][3]int64{{0, -1, -1}, {6, -1, -1}, {3, -1, -1}}},
	} {
		req.ReplicaID = c.replica
		resp, err := r.family.offsetForLeaderEpoch(t.Context(), &api.Conn{Node: c.node}, req)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range resp.(*kmsg.OffsetForLeaderEpochResponse).Topics[0].Partitions {
			if got := [3]int64{int64(p.ErrorCode), int64(p.LeaderEpoch), p.EndOffset}; got != c.want[i] {
				t.Errorf("node %d as replica %d, row %d: %v, want %v", c.node, c.replica, i, got, c.want[i])
			}
			if doubted := p.EndOffset == 42 && i == 1; own.Doubts(&p.UnknownTags) != doubted {
				t.Errorf("row %d: in doubt %v, want %v", i, !doubted, doubted)
			}
		}
	}
}

// replicas finds orders-3, which is led elsewhere, as a broker does: to read from,
// not to serve.
type replicas struct {
	*rig
	followed *partition.Partition
}

func (r replicas) AnyByName(topic []byte, index int32) (*partition.Partition, wire.Code) {
	if string(topic) == "orders" && index == 3 {
		return r.followed, wire.None
	}
	return r.ByName(topic, index)
}

func (r replicas) AnyByID(id uuid.UUID, index int32) (*partition.Partition, wire.Code) {
	return r.AnyByName([]byte(r.ids[id]), index)
}

// kafka-transactions find-hanging --broker-id asks a node for the producers of all
// its replicas.
func TestProducersAreToldByFollowersToo(t *testing.T) {
	r := newRig(t)
	r.family.any = replicas{r, r.parts["orders"][0]}
	req := kmsg.NewPtrDescribeProducersRequest()
	topic := kmsg.NewDescribeProducersRequestTopic()
	topic.Topic, topic.Partitions = "orders", []int32{3, 42}
	req.Topics = append(req.Topics, topic)
	got := r.dial().ask(req).(*kmsg.DescribeProducersResponse).Topics[0].Partitions
	if got[0].ErrorCode != 0 || got[1].ErrorCode != int16(wire.UnknownTopicOrPartition) {
		t.Errorf("producers: %+v", got)
	}
}

// Kafka's tools compare replicas by asking each for the end of its log, as
// replica -2.
func TestTheEndOfWhateverLogIsHereIsToldToTools(t *testing.T) {
	r := newRig(t)
	r.put(0, "a", "b", "c")
	c := r.dial()
	ask := func(index int32) kmsg.ListOffsetsResponseTopicPartition {
		req := kmsg.NewPtrListOffsetsRequest()
		req.SetVersion(10)
		req.ReplicaID = -2
		topic := kmsg.NewListOffsetsRequestTopic()
		topic.Topic = "orders"
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp, p.CurrentLeaderEpoch = index, -1, -1
		topic.Partitions = append(topic.Partitions, p)
		req.Topics = append(req.Topics, topic)
		return c.ask(req).(*kmsg.ListOffsetsResponse).Topics[0].Partitions[0]
	}
	if row := ask(0); row.ErrorCode != 0 || row.Offset != 3 {
		t.Errorf("the log's end: %+v", row)
	}
	if row := ask(42); row.ErrorCode != int16(wire.UnknownTopicOrPartition) || row.Offset != -1 {
		t.Errorf("no such log: %+v", row)
	}
}
