package shares

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/kafka/shares/lead"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/share"
	"ottla/internal/share/store"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// leaderless finds no partition here.
type leaderless struct{}

func (leaderless) ByID(uuid.UUID, int32) (*partition.Partition, wire.Code) {
	return nil, wire.NotLeaderOrFollower
}

// canned answers requests by node.
type canned struct {
	answer func(node int32, req kmsg.Request) (kmsg.Response, error)
	asked  []int32
}

func (c *canned) Start(_ context.Context, node int32, req kmsg.Request, done func(kmsg.Response, error)) {
	c.asked = append(c.asked, node)
	done(c.answer(node, req))
}

// farFamily is node 1, which leads nothing of topics led by others.
func farFamily(t *testing.T, c *canned) *Family {
	t.Helper()
	f := New(Deps{
		Cluster:    fixed{topicsOf(t, map[string][]int32{"dead": {2, 3, -1}, "orders": {2, 3, -1, 2}})},
		Partitions: leaderless{}, States: newMachine(), View: viewOf(), NodeID: 1, Peers: c,
	})
	t.Cleanup(f.Close)
	return f
}

func produced(code wire.Code) kmsg.Response {
	resp := kmsg.NewPtrProduceResponse()
	resp.Topics = []kmsg.ProduceResponseTopic{{Partitions: []kmsg.ProduceResponseTopicPartition{{ErrorCode: int16(code)}}}}
	return resp
}

func TestDeadLettersGoToWhoeverLeadsTheirPartition(t *testing.T) {
	var sent *kmsg.ProduceRequest
	c := &canned{answer: func(_ int32, req kmsg.Request) (kmsg.Response, error) {
		sent = req.(*kmsg.ProduceRequest)
		return produced(wire.None), nil
	}}
	f := farFamily(t, c)
	topic := f.d.Cluster.Image().TopicByName("dead")
	to, err := f.graves.Box(topic, 1)
	if err != nil || to.MostBytes() < 1<<16 {
		t.Fatalf("%v, %+v", err, to)
	}
	w := &letters{
		d: &lead.Dying{Key: store.Key{Group: "g", Partition: 7}, Range: share.Range{First: 3, Last: 3, Count: 5}}, to: to, origin: "orders",
		nowMs: 5, builder: record.NewBuilder(),
	}
	if err := w.add(t.Context(), &record.Header{}, 3, &record.Record{Value: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if err := w.append(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.asked, []int32{3}) || sent.Acks != -1 || sent.Topics[0].Topic != "dead" || uuid.UUID(sent.Topics[0].TopicID) != topic.ID || sent.Topics[0].Partitions[0].Partition != 1 {
		t.Errorf("nodes %v were sent %+v", c.asked, sent)
	}
	if h, err := record.ParseHeader(sent.Topics[0].Partitions[0].Records); err != nil || h.Count != 1 {
		t.Errorf("a batch of %d records, %v", h.Count, err)
	}
	if _, err := f.graves.Box(topic, 2); wire.CodeOf(err) != wire.NotLeaderOrFollower {
		t.Errorf("without a leader: %v", err)
	}
	f.graves.NodeID = 2
	if _, err := f.graves.Box(topic, 0); wire.CodeOf(err) != wire.NotLeaderOrFollower {
		t.Errorf("this node, which does not lead it yet: %v", err)
	}
}

func TestDeadLettersThatANodeDoesNotTakeAreWrittenAgainIfThatPasses(t *testing.T) {
	for _, tc := range []struct {
		resp kmsg.Response
		err  error
		want wire.Code
	}{
		{produced(wire.None), nil, wire.None},
		{produced(wire.NotLeaderOrFollower), nil, wire.NotLeaderOrFollower},
		{produced(wire.UnknownTopicID), nil, wire.NotLeaderOrFollower},
		{produced(wire.NotEnoughReplicas), nil, wire.NotEnoughReplicas},
		{produced(wire.MessageTooLarge), nil, wire.MessageTooLarge},
		{kmsg.NewPtrProduceResponse(), nil, wire.UnknownServerError},
		{nil, errors.New("cut"), wire.NotLeaderOrFollower},
		{nil, context.DeadlineExceeded, wire.RequestTimedOut},
	} {
		c := &canned{answer: func(int32, kmsg.Request) (kmsg.Response, error) { return tc.resp, tc.err }}
		f := farFamily(t, c)
		to, err := f.graves.Box(f.d.Cluster.Image().TopicByName("dead"), 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := to.Put(t.Context(), nil); wire.CodeOf(err) != tc.want {
			t.Errorf("%+v, %v: %v, want %v", tc.resp, tc.err, err, tc.want)
		}
	}
}

func TestTheEndsOfPartitionsAreAskedOfTheirLeaders(t *testing.T) {
	c := &canned{answer: func(node int32, req kmsg.Request) (kmsg.Response, error) {
		if node == 3 {
			return nil, errors.New("cut")
		}
		resp := kmsg.NewPtrListOffsetsResponse()
		q := req.(*kmsg.ListOffsetsRequest).Topics[0]
		for _, p := range q.Partitions {
			row := kmsg.NewListOffsetsResponseTopicPartition()
			row.Partition, row.Offset = p.Partition, 100+int64(p.Partition)
			resp.Topics = append(resp.Topics, kmsg.ListOffsetsResponseTopic{Topic: q.Topic, Partitions: []kmsg.ListOffsetsResponseTopicPartition{row}})
		}
		return resp, nil
	}}
	f := farFamily(t, c)
	got := f.ends(t.Context(), f.d.Cluster.Image().TopicByName("orders"), []int32{0, 1, 2, 3, 9})
	if fmt.Sprint(got) != "map[0:100 3:103]" || !slices.Equal(c.asked, []int32{2, 3}) {
		t.Errorf("got %v of nodes %v", got, c.asked)
	}
}

func TestAnAnswerNamesTheLeadersThatItTellsOf(t *testing.T) {
	f := farFamily(t, &canned{})
	orders := f.d.Cluster.Image().TopicByName("orders").ID
	var nodes leaders
	for _, tc := range []struct {
		index         int32
		err           error
		leader, epoch int32
	}{
		{1, wire.NotLeaderOrFollower, 3, 4},
		{0, wire.FencedLeaderEpoch, 2, 4},
		{3, wire.NotLeaderOrFollower, 2, 4},
		{2, wire.NotLeaderOrFollower, -1, -1},
		{9, wire.NotLeaderOrFollower, -1, -1},
		{0, wire.InvalidRecordState, 0, 0},
		{0, nil, 0, 0},
	} {
		if leader, epoch := f.leaderHint(&nodes, orders, tc.index, tc.err); leader != tc.leader || epoch != tc.epoch {
			t.Errorf("partition %d, %v: leader %d of epoch %d, want %d of %d", tc.index, tc.err, leader, epoch, tc.leader, tc.epoch)
		}
	}
	conn := &api.Conn{Advertised: func(node int32) (string, int32) {
		if node == 3 {
			return "", -1
		}
		return "host", 9092
	}}
	if got := nodes.addresses(conn); len(got) != 1 || got[0] != (address{2, "host", 9092}) {
		t.Errorf("addresses %+v", got)
	}
	if got := nodes.append(nil, conn); string(got) != "\x02\x00\x00\x00\x02\x05host\x00\x00\x23\x84\x00\x00" {
		t.Errorf("appended %q", got)
	}
	for node := range int32(100) {
		nodes.add(node)
	}
	if len(nodes) != maxLeaders {
		t.Errorf("%d leaders, want %d", len(nodes), maxLeaders)
	}
}

// Where a group stands is told by coordinators and leaders of other nodes.
func TestWhereAShareGroupStandsIsToldByOtherNodes(t *testing.T) {
	states, far, n := farStates(t)
	orders := uuid.UUID{15: 2}
	far.step(store.Initialize{Key: store.Key{Group: "g", TopicID: orders, Partition: 0}, Start: 90, LeaderEpoch: 3})
	f := New(Deps{
		Cluster:    fixed{topicsOf(t, map[string][]int32{"dead": {2}, "orders": {2, 2}})},
		Partitions: leaderless{}, States: newMachine(), Persister: states, View: viewOf(), NodeID: 1, Peers: n,
		Prepare: func(context.Context, string, string) error { return nil },
	})
	t.Cleanup(f.Close)
	n.rows[2] = append(n.rows[2], api.Late(1, 11, func(_ *api.Conn, req *kmsg.ListOffsetsRequest, finish api.Finish) {
		resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
		row := kmsg.NewListOffsetsResponseTopicPartition()
		row.Partition, row.Offset = req.Topics[0].Partitions[0].Partition, 97
		resp.Topics = []kmsg.ListOffsetsResponseTopic{{Topic: "orders", Partitions: []kmsg.ListOffsetsResponseTopicPartition{row}}}
		finish(func() kmsg.Response { return resp })
	}))
	got := f.describedParts(t.Context(), "g", f.d.Cluster.Image().TopicByName("orders"), []int32{0, 1})
	text := ""
	for _, p := range got {
		text += fmt.Sprintf("%d: %d lag %d epoch %d code %d; ", p.Partition, p.StartOffset, p.Lag, p.LeaderEpoch, p.ErrorCode)
	}
	if want := "0: 90 lag 7 epoch 3 code 0; 1: -1 lag -1 epoch 0 code 0; "; text != want {
		t.Errorf("got %q, want %q", text, want)
	}
	if err := f.alter(t.Context(), store.Key{Group: "g", TopicID: orders, Partition: 0}, 5); err != nil {
		t.Error(err)
	}
	if err := f.alter(t.Context(), store.Key{Group: "g", TopicID: orders, Partition: 9}, 5); wire.CodeOf(err) != wire.UnknownTopicOrPartition {
		t.Errorf("a partition that is not there: %v", err)
	}
	if s, err := far.step(store.Summarize{Key: store.Key{Group: "g", TopicID: orders}}); err != nil || s.(store.Summary).StateEpoch != 1 || s.(store.Summary).Start != 5 {
		t.Errorf("moved: %+v, %v", s, err)
	}
}
