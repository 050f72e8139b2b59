package groups_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla"
	"ottla/internal/wire"
)

// raw is a connection on which requests of any version are sent by hand.
type raw struct {
	t    *testing.T
	conn net.Conn
	corr int32
}

func (n *node) raw() *raw {
	n.t.Helper()
	c, err := net.Dial("tcp", n.Addr())
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		n.t.Fatal(err)
	}
	return &raw{t: n.t, conn: c}
}

// write sends a request of a version.
func (r *raw) write(version int16, req kmsg.Request) {
	r.t.Helper()
	req.SetVersion(version)
	r.corr++
	b := binary.BigEndian.AppendUint16(make([]byte, 4), uint16(req.Key()))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = binary.BigEndian.AppendUint32(b, uint32(r.corr))
	b = append(b, 0, 3, 'r', 'a', 'w')
	if req.IsFlexible() {
		b = append(b, 0)
	}
	b = req.AppendTo(b)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	if _, err := r.conn.Write(b); err != nil {
		r.t.Fatal(err)
	}
}

// read takes an answer to a request.
func (r *raw) read(req kmsg.Request, corr int32) kmsg.Response {
	r.t.Helper()
	var size [4]byte
	if _, err := io.ReadFull(r.conn, size[:]); err != nil {
		r.t.Fatalf("%T version %d: %v", req, req.GetVersion(), err)
	}
	b := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(r.conn, b); err != nil {
		r.t.Fatal(err)
	}
	if got := int32(binary.BigEndian.Uint32(b)); got != corr {
		r.t.Fatalf("%T: answer %d came, want %d", req, got, corr)
	}
	b = b[4:]
	if req.IsFlexible() {
		b = b[1:]
	}
	resp := req.ResponseKind()
	if err := resp.ReadFrom(b); err != nil {
		r.t.Fatalf("%T version %d: %v", req, req.GetVersion(), err)
	}
	return resp
}

func call[R kmsg.Response](r *raw, version int16, req kmsg.Request) R {
	r.t.Helper()
	r.write(version, req)
	resp, ok := r.read(req, r.corr).(R)
	if !ok {
		r.t.Fatalf("%T has another answer", req)
	}
	return resp
}

func joinRequest(group, id string) *kmsg.JoinGroupRequest {
	req := kmsg.NewPtrJoinGroupRequest()
	long := int32(patience.Milliseconds())
	req.Group, req.MemberID, req.SessionTimeoutMillis, req.RebalanceTimeoutMillis, req.ProtocolType = group, id, long, long, "consumer"
	p := kmsg.NewJoinGroupRequestProtocol()
	p.Name, p.Metadata = "range", []byte("says")
	req.Protocols = append(req.Protocols, p)
	return req
}

// expect holds an error code.
func expect(t *testing.T, what string, version, got int16, want wire.Code) {
	t.Helper()
	if got != int16(want) {
		t.Errorf("%s version %d: %s, want %s", what, version, wire.Code(got).Name(), want.Name())
	}
}

func TestAMemberLivesInEveryVersion(t *testing.T) {
	n := startNode(t, 2, ottla.Options{})
	for v := range int16(10) {
		r, group := n.raw(), fmt.Sprintf("g%d", v)
		find := kmsg.NewPtrFindCoordinatorRequest()
		find.CoordinatorKey, find.CoordinatorKeys = group, []string{group}
		// As kafka-go: nothing comes before it on the connection.
		at := call[*kmsg.FindCoordinatorResponse](r, min(v, 6), find)
		if v >= 4 {
			at.NodeID, at.ErrorCode, at.Port = at.Coordinators[0].NodeID, at.Coordinators[0].ErrorCode, at.Coordinators[0].Port
		}
		if at.NodeID != 1 || at.ErrorCode != 0 || fmt.Sprintf("127.0.0.1:%d", at.Port) != n.Addr() {
			t.Fatalf("find version %d: %+v", v, at)
		}
		id := ""
		joined := call[*kmsg.JoinGroupResponse](r, v, joinRequest(group, ""))
		if v >= 4 {
			expect(t, "join", v, joined.ErrorCode, wire.MemberIDRequired)
			joined = call[*kmsg.JoinGroupResponse](r, v, joinRequest(group, joined.MemberID))
		}
		id = joined.MemberID
		if joined.ErrorCode != 0 || joined.Generation != 1 || joined.LeaderID != id || len(joined.Members) != 1 || string(joined.Members[0].ProtocolMetadata) != "says" || *joined.Protocol != "range" {
			t.Fatalf("join version %d: %+v", v, joined)
		}
		live(n, r, v, group, id)
		leaves(r, v, group, id)
	}
}

// live is what a member of generation 1 does.
func live(n *node, r *raw, v int16, group, id string) {
	t := r.t
	t.Helper()
	sync := kmsg.NewPtrSyncGroupRequest()
	sync.Group, sync.MemberID, sync.Generation = group, id, 1
	sync.ProtocolType, sync.Protocol = kmsg.StringPtr("consumer"), kmsg.StringPtr("range")
	part := kmsg.NewSyncGroupRequestGroupAssignment()
	part.MemberID, part.MemberAssignment = id, []byte("mine")
	sync.GroupAssignment = append(sync.GroupAssignment, part)
	if got := call[*kmsg.SyncGroupResponse](r, min(v, 5), sync); got.ErrorCode != 0 || string(got.MemberAssignment) != "mine" {
		t.Errorf("sync version %d: %+v", v, got)
	}
	sync.Protocol = nil
	if v >= 5 {
		expect(t, "sync without a protocol", 5, call[*kmsg.SyncGroupResponse](r, 5, sync).ErrorCode, wire.InconsistentGroupProtocol)
	}
	beat := kmsg.NewPtrHeartbeatRequest()
	beat.Group, beat.MemberID, beat.Generation = group, id, 1
	expect(t, "heartbeat", v, call[*kmsg.HeartbeatResponse](r, min(v, 4), beat).ErrorCode, wire.None)
	beat.Generation = 7
	expect(t, "old heartbeat", v, call[*kmsg.HeartbeatResponse](r, min(v, 4), beat).ErrorCode, wire.IllegalGeneration)
	commits(n, r, v, group, id)
	d := kmsg.NewPtrDescribeGroupsRequest()
	d.Groups = []string{group, "none"}
	got := call[*kmsg.DescribeGroupsResponse](r, min(v, 6), d)
	if g := got.Groups[0]; g.State != "Stable" || g.Protocol != "range" || len(g.Members) != 1 || g.Members[0].ClientID != "raw" || string(g.Members[0].MemberAssignment) != "mine" {
		t.Errorf("describe version %d: %+v", v, g)
	}
	want := wire.None
	if v >= 6 {
		want = wire.GroupIDNotFound
	}
	expect(t, "describe nothing", v, got.Groups[1].ErrorCode, want)
	if got.Groups[1].State != "Dead" {
		t.Errorf("describe version %d: a group that is not there is %s", v, got.Groups[1].State)
	}
}

func commits(n *node, r *raw, v int16, group, id string) {
	t, version := r.t, max(v, 2)
	t.Helper()
	topicID := n.topicID()
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.MemberID, req.Generation, req.RetentionTimeMillis = group, id, 1, -1
	for i, name := range []string{n.topic, "none"} {
		topic := kmsg.NewOffsetCommitRequestTopic()
		topic.Topic = name
		if i == 0 {
			topic.TopicID = topicID
		}
		for _, p := range []int32{0, 9} {
			part := kmsg.NewOffsetCommitRequestTopicPartition()
			part.Partition, part.Offset, part.LeaderEpoch, part.Metadata = p, 5, 3, kmsg.StringPtr("note")
			topic.Partitions = append(topic.Partitions, part)
		}
		req.Topics = append(req.Topics, topic)
	}
	got := call[*kmsg.OffsetCommitResponse](r, version, req)
	expect(t, "commit", v, got.Topics[0].Partitions[0].ErrorCode, wire.None)
	expect(t, "commit of no partition", v, got.Topics[0].Partitions[1].ErrorCode, wire.UnknownTopicOrPartition)
	expect(t, "commit of no topic", v, got.Topics[1].Partitions[0].ErrorCode, wire.UnknownTopicOrPartition)
	expect(t, "old commit", v, func() int16 {
		req.Generation = 0
		return call[*kmsg.OffsetCommitResponse](r, version, req).Topics[0].Partitions[0].ErrorCode
	}(), wire.IllegalGeneration)
	f := kmsg.NewPtrOffsetFetchRequest()
	f.Group = group
	topic := kmsg.NewOffsetFetchRequestTopic()
	topic.Topic, topic.Partitions = n.topic, []int32{0, 1}
	f.Topics = append(f.Topics, topic)
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group, g.MemberEpoch = group, -1
	gt := kmsg.NewOffsetFetchRequestGroupTopic()
	gt.Topic, gt.TopicID, gt.Partitions = n.topic, topicID, []int32{0, 1}
	g.Topics = append(g.Topics, gt)
	f.Groups = append(f.Groups, g)
	fetched := call[*kmsg.OffsetFetchResponse](r, max(v, 1), f)
	var rows []kmsg.OffsetFetchResponseGroupTopicPartition
	if max(v, 1) < 8 {
		for _, p := range fetched.Topics[0].Partitions {
			rows = append(rows, kmsg.OffsetFetchResponseGroupTopicPartition{Partition: p.Partition, Offset: p.Offset, LeaderEpoch: p.LeaderEpoch, Metadata: p.Metadata, ErrorCode: p.ErrorCode})
		}
	} else {
		rows = fetched.Groups[0].Topics[0].Partitions
	}
	if p := rows[0]; p.Offset != 5 || p.ErrorCode != 0 || *p.Metadata != "note" || v >= 6 && p.LeaderEpoch != 3 {
		t.Errorf("fetch version %d: %+v", v, p)
	}
	if p := rows[1]; p.Offset != -1 || p.ErrorCode != 0 {
		t.Errorf("fetch version %d of nothing: %+v", v, p)
	}
}

func (n *node) topicID() [16]byte {
	n.t.Helper()
	d, err := n.admin().ListTopics(n.ctx, n.topic)
	if err != nil {
		n.t.Fatal(err)
	}
	return d[n.topic].ID
}

func leaves(r *raw, v int16, group, id string) {
	t := r.t
	t.Helper()
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.MemberID = group, id
	for _, who := range []string{id, "nobody"} {
		m := kmsg.NewLeaveGroupRequestMember()
		m.MemberID = who
		req.Members = append(req.Members, m)
	}
	got := call[*kmsg.LeaveGroupResponse](r, min(v, 5), req)
	expect(t, "leave", v, got.ErrorCode, wire.None)
	if v >= 3 {
		expect(t, "leave", v, got.Members[0].ErrorCode, wire.None)
		expect(t, "leave of nobody", v, got.Members[1].ErrorCode, wire.UnknownMemberID)
	} else {
		expect(t, "leave twice", v, call[*kmsg.LeaveGroupResponse](r, v, req).ErrorCode, wire.UnknownMemberID)
	}
	del := kmsg.NewPtrDeleteGroupsRequest()
	del.Groups = []string{group, group, "none"}
	deleted := call[*kmsg.DeleteGroupsResponse](r, min(v, 3), del)
	if len(deleted.Groups) != 2 {
		t.Fatalf("delete version %d: %+v", v, deleted)
	}
	expect(t, "delete", v, deleted.Groups[0].ErrorCode, wire.None)
	expect(t, "delete nothing", v, deleted.Groups[1].ErrorCode, wire.GroupIDNotFound)
	if listed := call[*kmsg.ListGroupsResponse](r, min(v, 5), kmsg.NewPtrListGroupsRequest()); listed.ErrorCode != 0 || len(listed.Groups) != 0 {
		t.Errorf("list version %d: %+v", v, listed)
	}
}

func TestRequestsBehindAParkedJoinAreServedAndAnsweredInOrder(t *testing.T) {
	settings := quick()
	settings["group.initial.rebalance.delay.ms"] = "3600000"
	n := startNode(t, 1, ottla.Options{Settings: settings})
	_ = n.admin() // the topic is there
	r := n.raw()
	find := kmsg.NewPtrFindCoordinatorRequest()
	find.CoordinatorKey = "g"
	if got := call[*kmsg.FindCoordinatorResponse](r, 0, find); got.ErrorCode != 0 {
		t.Fatalf("%+v", got)
	}
	id := call[*kmsg.JoinGroupResponse](r, 4, joinRequest("g", "")).MemberID
	join := joinRequest("g", id)
	r.write(4, join)
	leave := kmsg.NewPtrLeaveGroupRequest()
	leave.Group, leave.MemberID = "g", id
	r.write(1, leave) // ends the wait of the join before it
	if got := r.read(join, r.corr-1).(*kmsg.JoinGroupResponse); got.ErrorCode != int16(wire.UnknownMemberID) {
		t.Errorf("join: %+v", got)
	}
	if got := r.read(leave, r.corr).(*kmsg.LeaveGroupResponse); got.ErrorCode != 0 {
		t.Errorf("leave: %+v", got)
	}
}

func TestCoordinatorsOfEveryKind(t *testing.T) {
	n := startNode(t, 1, ottla.Options{})
	r := n.raw()
	for _, tc := range []struct {
		version int16
		kind    int8
		want    wire.Code
	}{{0, 1, wire.None}, {3, 1, wire.None}, {6, 1, wire.None}, {6, 2, wire.InvalidRequest}, {3, 9, wire.InvalidRequest}} {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorKey, req.CoordinatorKeys, req.CoordinatorType = "k", []string{"k"}, tc.kind
		got := call[*kmsg.FindCoordinatorResponse](r, tc.version, req)
		if tc.version >= 4 {
			got.ErrorCode, got.NodeID = got.Coordinators[0].ErrorCode, got.Coordinators[0].NodeID
		}
		expect(t, fmt.Sprintf("kind %d", tc.kind), tc.version, got.ErrorCode, tc.want)
		if (got.NodeID == -1) != (tc.want != wire.None) {
			t.Errorf("kind %d version %d is at node %d", tc.kind, tc.version, got.NodeID)
		}
	}
}
