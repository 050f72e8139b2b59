package shares_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"ottla/internal/uuid"
)

// raw is a member of a share group, request by request.
type raw struct {
	n       *node
	cl      *kgo.Client
	group   string
	member  string
	session int32
	topic   uuid.UUID
}

func (n *node) raw(group, member string) *raw {
	n.t.Helper()
	topics, err := n.admin().ListTopics(n.ctx, n.topic)
	if err != nil {
		n.t.Fatal(err)
	}
	return &raw{n: n, cl: n.client(), group: group, member: member, topic: uuid.UUID(topics[n.topic].ID)}
}

func code(c int16) string {
	if c == 0 {
		return "NONE"
	}
	return strings.SplitN(kerr.ErrorForCode(c).Error(), ":", 2)[0]
}

// fetch is the session's next ShareFetch, of partition 0 when it opens.
func (m *raw) fetch() *kmsg.ShareFetchRequest {
	req := kmsg.NewPtrShareFetchRequest()
	req.GroupID, req.MemberID, req.ShareSessionEpoch = &m.group, &m.member, m.session
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.MaxRecords, req.BatchSize = 30_000, 1, 1<<20, 500, 500
	if m.session == 0 {
		req.Topics = []kmsg.ShareFetchRequestTopic{{TopicID: m.topic, Partitions: []kmsg.ShareFetchRequestTopicPartition{{}}}}
	}
	return req
}

// asks sends a fetch and gives its answer as text.
func (m *raw) asks(req *kmsg.ShareFetchRequest) string {
	m.n.t.Helper()
	resp, err := req.RequestWith(m.n.ctx, m.cl)
	if err != nil {
		m.n.t.Fatal(err)
	}
	out := []string{code(resp.ErrorCode)}
	if resp.ErrorCode == 0 {
		m.session = req.ShareSessionEpoch + 1
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			row := fmt.Sprintf("%d %s/%s", p.Partition, code(p.ErrorCode), code(p.AcknowledgeErrorCode))
			for _, a := range p.AcquiredRecords {
				row += fmt.Sprintf(" %d-%d:%d", a.FirstOffset, a.LastOffset, a.DeliveryCount)
			}
			if (len(p.Records) > 0) != (len(p.AcquiredRecords) > 0) {
				row += " with bytes that do not fit"
			}
			out = append(out, row)
		}
	}
	return strings.Join(out, ", ")
}

func (m *raw) want(what, got, want string) {
	m.n.t.Helper()
	if got != want {
		m.n.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// saying puts an acknowledgement into a fetch.
func saying(req *kmsg.ShareFetchRequest, topic uuid.UUID, first, last int64, types ...int8) *kmsg.ShareFetchRequest {
	req.Topics = []kmsg.ShareFetchRequestTopic{{TopicID: topic, Partitions: []kmsg.ShareFetchRequestTopicPartition{{
		AcknowledgementBatches: []kmsg.ShareFetchRequestTopicPartitionAcknowledgementBatch{{FirstOffset: first, LastOffset: last, AcknowledgeTypes: types}},
	}}}}
	return req
}

// says sends an acknowledgement of its own.
func (m *raw) says(change func(*kmsg.ShareAcknowledgeRequest), first, last int64, types ...int8) string {
	m.n.t.Helper()
	req := kmsg.NewPtrShareAcknowledgeRequest()
	req.GroupID, req.MemberID, req.ShareSessionEpoch = &m.group, &m.member, m.session
	req.Topics = []kmsg.ShareAcknowledgeRequestTopic{{TopicID: m.topic, Partitions: []kmsg.ShareAcknowledgeRequestTopicPartition{{
		AcknowledgementBatches: []kmsg.ShareAcknowledgeRequestTopicPartitionAcknowledgementBatch{{FirstOffset: first, LastOffset: last, AcknowledgeTypes: types}},
	}}}}
	if change != nil {
		change(req)
	}
	resp, err := req.RequestWith(m.n.ctx, m.cl)
	if err != nil {
		m.n.t.Fatal(err)
	}
	if resp.ErrorCode != 0 {
		return code(resp.ErrorCode)
	}
	m.session++
	return code(resp.Topics[0].Partitions[0].ErrorCode)
}

func earliest() map[string]string { return map[string]string{"share.auto.offset.reset": "earliest"} }

func TestSessionsGoStepByStep(t *testing.T) {
	n := startNode(t, 1)
	n.configure("g", earliest())
	n.produce(0, 3, 3)
	m := n.raw("g", "m")
	m.session = 1
	m.want("without one", m.asks(m.fetch()), "SHARE_SESSION_NOT_FOUND")
	m.session = 0
	first := m.fetch()
	first.GroupID = nil
	m.want("of no group", m.asks(first), "INVALID_REQUEST")
	m.want("with acknowledgements at its beginning", m.asks(saying(m.fetch(), m.topic, 0, 0, 1)), "INVALID_REQUEST")
	m.want("opened", m.asks(m.fetch()), "NONE, 0 NONE/NONE 0-2:1")
	skip := m.fetch()
	skip.ShareSessionEpoch = 7
	m.want("skipped", m.asks(skip), "INVALID_SHARE_SESSION_EPOCH")
	m.want("with acknowledgements and nothing to give", m.asks(saying(m.fetch(), m.topic, 0, 0, 1)), "NONE, 0 NONE/NONE")
	m.want("with refused ones", m.asks(saying(m.fetch(), m.topic, 0, 1, 1)), "NONE, 0 NONE/INVALID_RECORD_STATE")
	unknown := saying(m.fetch(), uuid.UUID{9}, 0, 1, 1)
	m.want("with those of no topic", m.asks(unknown), "NONE, 0 UNKNOWN_TOPIC_ID/UNKNOWN_TOPIC_ID")
	final := saying(m.fetch(), m.topic, 1, 1, 1)
	final.ShareSessionEpoch = -1
	m.want("closed", m.asks(final), "NONE, 0 NONE/NONE")
	m.session = 0
	m.want("what was left comes again", m.asks(m.fetch()), "NONE, 0 NONE/NONE 2-2:2")
}

func TestForgottenPartitionsAreNotRead(t *testing.T) {
	n := startNode(t, 1)
	n.configure("g", earliest())
	m := n.raw("g", "m")
	open := m.fetch()
	open.MaxWaitMillis = 0
	m.want("nothing there", m.asks(open), "NONE")
	n.produce(0, 1, 1)
	forget := m.fetch()
	forget.MaxWaitMillis = 100
	forget.ForgottenTopicsData = []kmsg.ShareFetchRequestForgottenTopicsData{{TopicID: m.topic, Partitions: []int32{0}}}
	m.want("forgotten", m.asks(forget), "NONE")
	again := m.fetch()
	again.Topics = []kmsg.ShareFetchRequestTopic{{TopicID: m.topic, Partitions: []kmsg.ShareFetchRequestTopicPartition{{}}}}
	m.want("taken back", m.asks(again), "NONE, 0 NONE/NONE 0-0:1")
}

func TestAFetchWaitsForRecordsAndForAsManyBytesAsItWants(t *testing.T) {
	n := startNode(t, 1)
	n.configure("g", earliest())
	m := n.raw("g", "m")
	open := m.fetch()
	open.MaxWaitMillis = 0
	m.want("nothing there", m.asks(open), "NONE")
	said := make(chan string)
	go func() { said <- m.asks(m.fetch()) }()
	n.produce(0, 1, 1)
	m.want("woken", <-said, "NONE, 0 NONE/NONE 0-0:1")
	m.want("accepted", m.says(nil, 0, 0, 1), "NONE")
	go func() {
		req := m.fetch()
		req.MinBytes = 300 // several batches of one
		said <- m.asks(req)
	}()
	for i := 1; ; i++ {
		select {
		case got := <-said:
			last := 0
			if _, err := fmt.Sscanf(got, "NONE, 0 NONE/NONE 1-%d:1", &last); err != nil || last < 4 || last >= i {
				t.Errorf("after records 1 to %d: %s, want at least four", i-1, got)
			}
			return
		default:
			n.produce(i, i+1, 1)
		}
	}
}

func TestWhoHoldsRecordsIsNotKeptWaitingForOthers(t *testing.T) {
	n := startNode(t, 1)
	n.configure("g", earliest())
	n.produce(0, 1, 1)
	m := n.raw("g", "m")
	m.want("taken", m.asks(m.fetch()), "NONE, 0 NONE/NONE 0-0:1")
	for range 9 { // later and later, and never as late as it allows
		req := m.fetch()
		req.MaxWaitMillis = 600_000
		m.want("nothing to give", m.asks(req), "NONE")
	}
	m.want("accepted", m.says(nil, 0, 0, 1), "NONE")
}

func TestLimitsOfRecords(t *testing.T) {
	n := startNode(t, 1)
	n.configure("g", earliest())
	n.produce(0, 10, 3)
	m := n.raw("g", "m")
	strict := m.fetch()
	strict.MaxRecords, strict.ShareAcquireMode, strict.BatchSize = 3, 1, 2
	m.want("a limit", m.asks(strict), "NONE, 0 NONE/NONE 0-1:1 2-2:1")
	wish := m.fetch()
	wish.MaxRecords = 3
	m.want("a wish", m.asks(wish), "NONE, 0 NONE/NONE 3-9:1")
	if got := m.says(func(r *kmsg.ShareAcknowledgeRequest) { r.IsRenewAck = true }, 0, 2, 4, 1, 4); got != "NONE" {
		t.Errorf("renewed and accepted: %s", got)
	}
	if got := m.says(nil, 0, 0, 4); got != "INVALID_REQUEST" {
		t.Errorf("renewed without saying so: %s", got)
	}
	if got := m.says(nil, 0, 9, 1, 2); got != "INVALID_REQUEST" {
		t.Errorf("two types for ten records: %s", got)
	}
	if got := m.says(nil, 50, 51, 1); got != "INVALID_REQUEST" {
		t.Errorf("beyond the end: %s", got)
	}
	if got := m.says(func(r *kmsg.ShareAcknowledgeRequest) { r.ShareSessionEpoch = 0 }, 0, 0, 1); got != "INVALID_SHARE_SESSION_EPOCH" {
		t.Errorf("a session that begins with acknowledgements: %s", got)
	}
	if got := m.says(func(r *kmsg.ShareAcknowledgeRequest) { r.MemberID = nil }, 0, 0, 1); got != "INVALID_REQUEST" {
		t.Errorf("no member: %s", got)
	}
	if got := m.says(func(r *kmsg.ShareAcknowledgeRequest) { r.ShareSessionEpoch = -1 }, 0, 0, 1); got != "NONE" {
		t.Errorf("at the end: %s", got)
	}
	if got := m.says(func(r *kmsg.ShareAcknowledgeRequest) { r.ShareSessionEpoch = -1 }, 3, 3, 1); got != "SHARE_SESSION_NOT_FOUND" {
		t.Errorf("after the end: %s", got)
	}
}

func TestANodeHasOnlySoManySessions(t *testing.T) {
	n := startNode(t, 1)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n.o.Settings["group.share.max.share.sessions"] = "2"
	n.start()
	var all []*raw
	for _, name := range []string{"a", "b", "c"} {
		m := n.raw("g", name)
		all = append(all, m)
		req := m.fetch()
		req.MaxWaitMillis = 0
		want := "NONE"
		if name == "c" {
			want = "SHARE_SESSION_LIMIT_REACHED"
		}
		m.want(name, m.asks(req), want)
	}
	final := all[0].fetch()
	final.ShareSessionEpoch, final.Topics = -1, nil
	all[0].want("a leaves", all[0].asks(final), "NONE")
	req := all[2].fetch()
	req.MaxWaitMillis = 0
	all[2].want("c has room", all[2].asks(req), "NONE")
}

func TestEveryVersionIsServed(t *testing.T) {
	n := startNode(t, 1)
	n.configure("g", earliest())
	n.produce(0, 2, 2)
	for version := int16(1); version <= 2; version++ {
		v := kversion.Stable()
		v.SetMaxKeyVersion(kmsg.ShareFetch.Int16(), version)
		v.SetMaxKeyVersion(kmsg.ShareAcknowledge.Int16(), version)
		cl := n.client(kgo.MaxVersions(v))
		m := n.raw("g", fmt.Sprint("m", version))
		m.cl = cl
		m.want(fmt.Sprint("version ", version), m.asks(m.fetch()), fmt.Sprintf("NONE, 0 NONE/NONE %d-1:%d", version-1, version))
		if got := m.says(nil, int64(version-1), int64(version-1), 1); got != "NONE" {
			t.Errorf("version %d: %s", version, got)
		}
		final := m.fetch()
		final.ShareSessionEpoch, final.Topics = -1, nil
		m.want("closed", m.asks(final), "NONE")
	}
}

func TestStatesAreKeptForOtherBrokers(t *testing.T) {
	n := startNode(t, 1)
	cl, group, topic := n.asNode(), "g", n.raw("g", "m").topic
	init := kmsg.NewPtrInitializeShareGroupStateRequest()
	init.GroupID = group
	init.Topics = []kmsg.InitializeShareGroupStateRequestTopic{{TopicID: topic, Partitions: []kmsg.InitializeShareGroupStateRequestTopicPartition{{StateEpoch: 1, StartOffset: 5}}}}
	if resp, err := init.RequestWith(n.ctx, cl); err != nil || resp.Topics[0].Partitions[0].ErrorCode != 0 {
		t.Fatal(err, resp)
	}
	write := kmsg.NewPtrWriteShareGroupStateRequest()
	write.GroupID = group
	p := kmsg.NewWriteShareGroupStateRequestTopicPartition()
	p.StateEpoch, p.LeaderEpoch, p.StartOffset, p.DeliveryCompleteCount = 1, 3, 6, 1
	p.StateBatches = []kmsg.WriteShareGroupStateRequestTopicPartitionStateBatch{{FirstOffset: 7, LastOffset: 7, DeliveryState: 2, DeliveryCount: 1}}
	write.Topics = []kmsg.WriteShareGroupStateRequestTopic{{TopicID: topic, Partitions: []kmsg.WriteShareGroupStateRequestTopicPartition{p}}}
	if resp, err := write.RequestWith(n.ctx, cl); err != nil || resp.Topics[0].Partitions[0].ErrorCode != 0 {
		t.Fatal(err, resp)
	}
	read := kmsg.NewPtrReadShareGroupStateRequest()
	read.GroupID = group
	read.Topics = []kmsg.ReadShareGroupStateRequestTopic{{TopicID: topic, Partitions: []kmsg.ReadShareGroupStateRequestTopicPartition{{LeaderEpoch: 3}}}}
	got, err := read.RequestWith(n.ctx, cl)
	if err != nil {
		t.Fatal(err)
	}
	if row := got.Topics[0].Partitions[0]; row.StateEpoch != 1 || row.StartOffset != 6 || len(row.StateBatches) != 1 || row.StateBatches[0].DeliveryState != 2 {
		t.Errorf("read %+v", row)
	}
	read.Topics[0].Partitions[0].LeaderEpoch = 2
	if got, err := read.RequestWith(n.ctx, cl); err != nil || code(got.Topics[0].Partitions[0].ErrorCode) != "FENCED_LEADER_EPOCH" {
		t.Errorf("an older leader reads: %v, %+v", err, got)
	}
	sum := kmsg.NewPtrReadShareGroupStateSummaryRequest()
	sum.GroupID = group
	sum.Topics = []kmsg.ReadShareGroupStateSummaryRequestTopic{{TopicID: topic, Partitions: []kmsg.ReadShareGroupStateSummaryRequestTopicPartition{{}}}}
	if got, err := sum.RequestWith(n.ctx, cl); err != nil || got.Topics[0].Partitions[0].DeliveryCompleteCount != 1 || got.Topics[0].Partitions[0].LeaderEpoch != 3 {
		t.Errorf("summary: %v, %+v", err, got)
	}
	drop := kmsg.NewPtrDeleteShareGroupStateRequest()
	drop.GroupID = group
	drop.Topics = []kmsg.DeleteShareGroupStateRequestTopic{{TopicID: topic, Partitions: []kmsg.DeleteShareGroupStateRequestTopicPartition{{}}}}
	if got, err := drop.RequestWith(n.ctx, cl); err != nil || got.Topics[0].Partitions[0].ErrorCode != 0 {
		t.Errorf("delete: %v, %+v", err, got)
	}
	read.Topics[0].Partitions[0].LeaderEpoch = 3
	if got, err := read.RequestWith(n.ctx, cl); err != nil || code(got.Topics[0].Partitions[0].ErrorCode) != "INVALID_REQUEST" {
		t.Errorf("read what is deleted: %v, %+v", err, got)
	}
	find := kmsg.NewPtrFindCoordinatorRequest()
	find.CoordinatorType, find.CoordinatorKeys = 2, []string{fmt.Sprintf("g:%s:0", topic), "g"}
	found, err := find.RequestWith(n.ctx, cl)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]string{} // the client asks for each by itself: answers come in any order
	for _, c := range found.Coordinators {
		codes[c.Key] = code(c.ErrorCode)
	}
	if want := map[string]string{find.CoordinatorKeys[0]: "NONE", "g": "INVALID_REQUEST"}; !maps.Equal(codes, want) {
		t.Errorf("found %v, want %v", codes, want)
	}
}

func TestStatesAreRefusedToClients(t *testing.T) {
	n := startNode(t, 1)
	cl, topic := n.client(), n.raw("g", "m").topic
	const want = "CLUSTER_AUTHORIZATION_FAILED"
	init := kmsg.NewPtrInitializeShareGroupStateRequest()
	init.GroupID = "g"
	init.Topics = []kmsg.InitializeShareGroupStateRequestTopic{{TopicID: topic, Partitions: []kmsg.InitializeShareGroupStateRequestTopicPartition{{Partition: 4}, {StateEpoch: 1}}}}
	if got, err := init.RequestWith(n.ctx, cl); err != nil || len(got.Topics[0].Partitions) != 2 || code(got.Topics[0].Partitions[1].ErrorCode) != want {
		t.Errorf("initialize: %v, %+v", err, got)
	}
	read := kmsg.NewPtrReadShareGroupStateRequest()
	read.GroupID = "g"
	read.Topics = []kmsg.ReadShareGroupStateRequestTopic{{TopicID: topic, Partitions: []kmsg.ReadShareGroupStateRequestTopicPartition{{}}}}
	if got, err := read.RequestWith(n.ctx, cl); err != nil || code(got.Topics[0].Partitions[0].ErrorCode) != want {
		t.Errorf("read: %v, %+v", err, got)
	}
	write := kmsg.NewPtrWriteShareGroupStateRequest()
	write.GroupID = "g"
	write.Topics = []kmsg.WriteShareGroupStateRequestTopic{{TopicID: topic, Partitions: []kmsg.WriteShareGroupStateRequestTopicPartition{{}}}}
	if got, err := write.RequestWith(n.ctx, cl); err != nil || code(got.Topics[0].Partitions[0].ErrorCode) != want {
		t.Errorf("write: %v, %+v", err, got)
	}
	drop := kmsg.NewPtrDeleteShareGroupStateRequest()
	drop.GroupID = "g"
	drop.Topics = []kmsg.DeleteShareGroupStateRequestTopic{{TopicID: topic, Partitions: []kmsg.DeleteShareGroupStateRequestTopicPartition{{}}}}
	if got, err := drop.RequestWith(n.ctx, cl); err != nil || code(got.Topics[0].Partitions[0].ErrorCode) != want {
		t.Errorf("delete: %v, %+v", err, got)
	}
	sum := kmsg.NewPtrReadShareGroupStateSummaryRequest()
	sum.GroupID = "g"
	sum.Topics = []kmsg.ReadShareGroupStateSummaryRequestTopic{{TopicID: topic, Partitions: []kmsg.ReadShareGroupStateSummaryRequestTopicPartition{{}}}}
	if got, err := sum.RequestWith(n.ctx, cl); err != nil || code(got.Topics[0].Partitions[0].ErrorCode) != want {
		t.Errorf("summary: %v, %+v", err, got)
	}
}

func TestWhereAGroupStandsIsShownMovedAndForgotten(t *testing.T) {
	n := startNode(t, 1)
	n.configure("g", earliest())
	n.produce(0, 6, 2)
	m := n.member("g")
	n.take(m, 6, func(r *kgo.Record) {
		if r.Offset < 4 {
			r.Ack(kgo.AckAccept)
		}
	})
	n.flush(m)
	n.settled("g", 4)
	alter := func(group string, partition int32, to int64) string {
		req := kmsg.NewPtrAlterShareGroupOffsetsRequest()
		req.GroupID = group
		req.Topics = []kmsg.AlterShareGroupOffsetsRequestTopic{{Topic: n.topic, Partitions: []kmsg.AlterShareGroupOffsetsRequestTopicPartition{{Partition: partition, StartOffset: to}}}}
		resp, err := req.RequestWith(n.ctx, n.control())
		if err != nil {
			t.Fatal(err)
		}
		if resp.ErrorCode != 0 {
			return code(resp.ErrorCode)
		}
		return code(resp.Topics[0].Partitions[0].ErrorCode)
	}
	remove := func(topic string) string {
		req := kmsg.NewPtrDeleteShareGroupOffsetsRequest()
		req.GroupID, req.Topics = "g", []kmsg.DeleteShareGroupOffsetsRequestTopic{{Topic: topic}}
		resp, err := req.RequestWith(n.ctx, n.control())
		if err != nil {
			t.Fatal(err)
		}
		if resp.ErrorCode != 0 {
			return code(resp.ErrorCode)
		}
		return code(resp.Topics[0].ErrorCode)
	}
	for what, got := range map[string]string{"moved": alter("g", 0, 1), "forgotten": remove(n.topic)} {
		if got != "NON_EMPTY_GROUP" {
			t.Errorf("%s with a member: %s", what, got)
		}
	}
	m.Close()
	if got := alter("g", 0, 1); got != "NONE" {
		t.Errorf("moved: %s", got)
	}
	n.settled("g", 1)
	if got := alter("g", 7, 1); got != "UNKNOWN_TOPIC_OR_PARTITION" {
		t.Errorf("an unknown partition: %s", got)
	}
	again := n.member("g")
	if got := n.take(again, 5, accept)[0]; got != "1/1" {
		t.Errorf("after the move %s comes first", got)
	}
	n.flush(again)
	again.Close()
	for topic, want := range map[string]string{n.topic: "NONE", "unknown": "UNKNOWN_TOPIC_OR_PARTITION"} {
		if got := remove(topic); got != want {
			t.Errorf("forgetting %s: %s, want %s", topic, got, want)
		}
	}
	if got := n.offsets("g"); got != -1 {
		t.Errorf("it stands at %d still", got)
	}
	if resp, err := n.admin().DeleteGroups(n.ctx, "g"); err != nil || resp["g"].Err != nil {
		t.Errorf("deleted: %v, %+v", err, resp)
	}
}

func TestMembersAreDescribed(t *testing.T) {
	n := startNode(t, 2)
	m := n.member("g", kgo.ClientID("billing"))
	n.settled("g", 0)
	req := kmsg.NewPtrShareGroupDescribeRequest()
	req.GroupIDs, req.IncludeAuthorizedOperations = []string{"g", "none"}, true
	resp, err := req.RequestWith(n.ctx, n.control())
	if err != nil {
		t.Fatal(err)
	}
	g := resp.Groups[0]
	if g.ErrorCode != 0 || g.GroupState != "Stable" || g.Assignor != "simple" || len(g.Members) != 1 || g.AuthorizedOperations == -1<<31 {
		t.Fatalf("described %+v", g)
	}
	x := g.Members[0]
	if x.ClientID != "billing" || !strings.HasPrefix(x.ClientHost, "/127.") || x.Assignment.TopicPartitions[0].Topic != n.topic || len(x.Assignment.TopicPartitions[0].Partitions) != 2 {
		t.Errorf("the member: %+v", x)
	}
	if code(resp.Groups[1].ErrorCode) != "GROUP_ID_NOT_FOUND" {
		t.Errorf("no group: %+v", resp.Groups[1])
	}
	m.Close()
}

func TestADeletedTopicTakesItsStatesAlong(t *testing.T) {
	n := startNode(t, 1)
	n.configure("g", earliest())
	n.produce(0, 2, 2)
	m := n.member("g")
	n.take(m, 2, accept)
	n.flush(m)
	if _, err := n.admin().DeleteTopic(n.ctx, n.topic); err != nil {
		t.Fatal(err)
	}
	m.Close()
	if _, err := n.admin().CreateTopic(n.ctx, 1, 1, nil, n.topic); err != nil {
		t.Fatal(err)
	}
	n.produce(2, 3, 1)
	if got := n.take(n.member("g"), 1, accept); got[0] != "2/1" {
		t.Errorf("got %v of the new topic", got)
	}
}
