package server

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/config"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// rawClient is a connection that shows what is answered on it, and nothing else.
type rawClient struct {
	t  *testing.T
	nc net.Conn
}

func dialRaw(t *testing.T, s *Server) rawClient {
	t.Helper()
	nc, err := net.Dial("tcp", s.KafkaAddr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(patience))
	return rawClient{t, nc}
}

func (c rawClient) send(req kmsg.Request) {
	c.t.Helper()
	if _, err := c.nc.Write(kmsg.NewRequestFormatter(kmsg.FormatterClientID("test")).AppendRequest(nil, req, 1)); err != nil {
		c.t.Fatalf("send %T: %v", req, err)
	}
}

// receive reads the answer to a request; false when the connection is over.
func (c rawClient) receive(req kmsg.Request) (kmsg.Response, bool) {
	c.t.Helper()
	resp := req.ResponseKind()
	var l [4]byte
	if _, err := io.ReadFull(c.nc, l[:]); err != nil {
		c.t.Errorf("no answer to %T: %v", req, err)
		return resp, false
	}
	b := make([]byte, binary.BigEndian.Uint32(l[:]))
	if _, err := io.ReadFull(c.nc, b); err != nil {
		c.t.Fatal(err)
	}
	head := 4
	if req.IsFlexible() {
		head = 5
	}
	if err := resp.ReadFrom(b[head:]); err != nil {
		c.t.Fatalf("the answer to %T: %v", req, err)
	}
	return resp, true
}

// ask sends and receives.
func (c rawClient) ask(req kmsg.Request) kmsg.Response {
	c.t.Helper()
	c.send(req)
	resp, ok := c.receive(req)
	if !ok {
		c.t.FailNow()
	}
	return resp
}

// join has a member join a group, and returns the request without having read its answer.
func (c rawClient) join(group, member string) *kmsg.JoinGroupRequest {
	c.t.Helper()
	req := kmsg.NewPtrJoinGroupRequest()
	req.SetVersion(2)
	req.Group, req.MemberID, req.ProtocolType = group, member, "consumer"
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 1_000_000, 1_000_000
	req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "range"}}
	c.send(req)
	return req
}

// joined reads the answer to a join that went well.
func (c rawClient) joined(req *kmsg.JoinGroupRequest) *kmsg.JoinGroupResponse {
	c.t.Helper()
	resp, ok := c.receive(req)
	j := resp.(*kmsg.JoinGroupResponse)
	if !ok || j.ErrorCode != 0 {
		c.t.Fatalf("join %s: %v", req.Group, wire.Code(j.ErrorCode))
	}
	return j
}

// awaits returns when a group is in a state.
func (c rawClient) awaits(group, state string) {
	c.t.Helper()
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{group}
	for c.ask(req).(*kmsg.DescribeGroupsResponse).Groups[0].State != state {
	}
}

// Members that wait for their group when the node stops are told to look for the
// coordinator, and what they sent behind that is answered too.
func TestANodeThatStopsSendsMembersThatWaitToTheCoordinator(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	static, err := config.StaticOf("the test", map[string]string{"group.initial.rebalance.delay.ms": "0"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Start(ctx, Options{
		FS: vfs.NewMem(0), Dirs: []string{"/data"}, NodeID: -1, Listen: []Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}},
		Static: static, Now: time.Now, Logger: slog.New(slog.DiscardHandler), VerifyAge: DefaultVerifyAge,
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceValue(s.Close)
	t.Cleanup(func() { _ = stop() })
	a, b, looks := dialRaw(t, s), dialRaw(t, s), dialRaw(t, s)
	find := kmsg.NewPtrFindCoordinatorRequest()
	find.CoordinatorKey = "syncing"
	if code := a.ask(find).(*kmsg.FindCoordinatorResponse).ErrorCode; code != 0 {
		t.Fatalf("find the coordinator: %v", wire.Code(code))
	}
	if err := s.groups.SettleAll(ctx); err != nil {
		t.Fatal(err)
	}
	// Two make a generation, and the one that leads it says nothing more.
	first := a.joined(a.join("syncing", ""))
	second := b.join("syncing", "")
	looks.awaits("syncing", "PreparingRebalance")
	a.joined(a.join("syncing", first.MemberID))
	member := b.joined(second)
	sync := kmsg.NewPtrSyncGroupRequest()
	sync.Group, sync.MemberID, sync.Generation = "syncing", member.MemberID, member.Generation
	b.send(sync)
	// Of two the first does not come back for the next generation.
	a.joined(a.join("joining", ""))
	join := b.join("joining", "")
	looks.awaits("joining", "PreparingRebalance")
	behind := b.join("behind", "")
	looks.awaits("behind", "CompletingRebalance")
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if resp, ok := b.receive(sync); ok && resp.(*kmsg.SyncGroupResponse).ErrorCode != int16(wire.NotCoordinator) {
		t.Errorf("SyncGroup: got %+v, want NOT_COORDINATOR", resp)
	}
	if resp, ok := b.receive(join); ok && resp.(*kmsg.JoinGroupResponse).ErrorCode != int16(wire.NotCoordinator) {
		t.Errorf("JoinGroup: got %+v, want NOT_COORDINATOR", resp)
	}
	b.joined(behind)
}

// One of three nodes stops while a consumer waits for records at it, who is told that
// another node leads before the door closes, and not only that it closes.
func TestANodeThatStopsTellsWhoWaitsThatAnotherLeads(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	nodes, stop := three(ctx, t)
	c, err := kgo.NewClient(kgo.SeedBrokers(nodes[0].KafkaAddr()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if r, err := kadm.NewClient(c).CreateTopic(ctx, 1, 3, nil, "a"); errors.Join(err, r.Err) != nil {
		t.Fatal(err, r.Err)
	}
	led := nodes[0].image().TopicByName("a").Partitions[0].Leader
	leader := nodes[slices.IndexFunc(nodes, func(s *Server) bool { return s.NodeID() == led })]
	waits := dialRaw(t, leader)
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(10) // from 11 on a follower answers too (KIP-392)
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.SessionEpoch = 2*int32(patience.Milliseconds()), 1, 1<<20, -1
	part := kmsg.NewFetchRequestTopicPartition()
	part.PartitionMaxBytes = 1 << 20
	req.Topics = []kmsg.FetchRequestTopic{{Topic: "a", Partitions: []kmsg.FetchRequestTopicPartition{part}}}
	waits.send(req)
	stop(leader)
	resp, ok := waits.receive(req)
	if !ok {
		return
	}
	if got := wire.Code(resp.(*kmsg.FetchResponse).Topics[0].Partitions[0].ErrorCode); got != wire.NotLeaderOrFollower {
		t.Errorf("got %v, want NOT_LEADER_OR_FOLLOWER", got)
	}
}
