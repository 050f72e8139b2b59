package cluster

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/quorum"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// members is a quorum whose leader answers with err, and other nodes to which
// requests go.
type members struct {
	n       *node
	err     error
	changes []quorum.MembershipChange
	sent    []int32
	answers []kmsg.Response // of other nodes, one a request; nil: not reached
	after   func()          // once a change was asked for
}

func (m *members) Change(_ context.Context, c quorum.MembershipChange) error {
	m.changes = append(m.changes, c)
	if m.after != nil {
		m.after()
	}
	return m.err
}

func (m *members) Forward(_ context.Context, node int32, _ kmsg.Request) (kmsg.Response, error) {
	m.sent = append(m.sent, node)
	answer := m.answers[0]
	m.answers = m.answers[1:]
	if answer == nil {
		return nil, errors.New("not reached")
	}
	return answer, nil
}

// withMembers is a node that leads a quorum of itself, node 2 being an observer.
func withMembers(t *testing.T) (*node, *members) {
	t.Helper()
	n := newNode(t, nil)
	n.quorum = Quorum{Leader: 1, Epoch: 7, Voters: []QuorumReplica{{ID: 1, DirectoryID: uuid.UUID{3}}}, Observers: []QuorumReplica{{ID: 2, DirectoryID: uuid.UUID{4}}}}
	m := &members{n: n}
	n.deps.Members = m
	return n, m
}

func addVoter(id int32, directory uuid.UUID) *kmsg.AddRaftVoterRequest {
	r := kmsg.NewPtrAddRaftVoterRequest()
	r.VoterID, r.VoterDirectoryID, r.TimeoutMillis = id, directory, 1000
	return r
}

func removeVoter(id int32, directory uuid.UUID) *kmsg.RemoveRaftVoterRequest {
	r := kmsg.NewPtrRemoveRaftVoterRequest()
	r.VoterID, r.VoterDirectoryID = id, directory
	return r
}

const (
	key1     = "ReplicaKey(id=1, directoryId=AwAAAAAAAAAAAAAAAAAAAA)"
	key2     = "ReplicaKey(id=2, directoryId=BAAAAAAAAAAAAAAAAAAAAA)"
	members1 = "[" + key1 + "]"
)

// KIP-853: codes and texts as Kafka's leader has them.
func TestAddRaftVoterAnswersAsKafka(t *testing.T) {
	foreign := addVoter(2, uuid.UUID{4})
	foreign.ClusterID = kmsg.StringPtr("other")
	for name, tt := range map[string]struct {
		req  *kmsg.AddRaftVoterRequest
		err  error
		code wire.Code
		text string
	}{
		"done":            {req: addVoter(2, uuid.UUID{4})},
		"another cluster": {req: foreign, code: wire.InconsistentClusterID, text: `The given id "other" doesn't match the cluster id "kLWis512S4usJIFY92lHzA"`},
		"no directory":    {req: addVoter(2, uuid.UUID{}), code: wire.InvalidRequest, text: "Add voter request didn't include a valid voter"},
		"no id":           {req: addVoter(-1, uuid.UUID{4}), code: wire.InvalidRequest, text: "Add voter request didn't include a valid voter"},
		"a voter": {req: addVoter(1, uuid.UUID{4}), code: wire.DuplicateVoter,
			text: "The voter id for ReplicaKey(id=1, directoryId=BAAAAAAAAAAAAAAAAAAAAA) is already part of the set of voters " + members1 + "."},
		"a stranger": {req: addVoter(2, uuid.UUID{4}), err: quorum.ErrUnknownMember, code: wire.RequestTimedOut, text: "New voter " + key2 + " is not ready to receive requests"},
		"lagging":    {req: addVoter(2, uuid.UUID{4}), err: quorum.ErrNotCaughtUp, code: wire.RequestTimedOut, text: "Aborted add voter operation for " + key2 + " since it is lagging behind"},
		"undecided": {req: addVoter(2, uuid.UUID{4}), err: fmt.Errorf("x: %w", quorum.ErrUndecided), code: wire.RequestTimedOut,
			text: "Request timed out waiting for voters to commit the latest voter change"},
	} {
		n, m := withMembers(t)
		m.err = tt.err
		resp := ask[*kmsg.AddRaftVoterResponse](n, tt.req, 1)
		got := ""
		if resp.ErrorMessage != nil {
			got = *resp.ErrorMessage
		}
		if wire.Code(resp.ErrorCode) != tt.code || got != tt.text {
			t.Errorf("%s: got %s %q, want %s %q", name, wire.Code(resp.ErrorCode), got, tt.code, tt.text)
		}
		if name == "done" && (len(m.changes) != 1 || m.changes[0].Kind != quorum.Promote || m.changes[0].Voter.ID != 2) {
			t.Errorf("it asked for %+v", m.changes)
		}
	}
}

// Kafka's add-controller names a node by the directory that meta.properties tells
// of, which is not that of the metadata log of a node that joined.
func TestANodeIsAddedByItsDataDirectory(t *testing.T) {
	for name, tt := range map[string]struct {
		id          int32
		named, want uuid.UUID
	}{
		"its data directory":           {2, uuid.UUID{3, 15: 2}, uuid.UUID{4}},
		"its metadata log":             {2, uuid.UUID{4}, uuid.UUID{4}},
		"the directory of another":     {2, uuid.UUID{3, 15: 3}, uuid.UUID{3, 15: 3}},
		"one that takes part in none":  {3, uuid.UUID{3, 15: 3}, uuid.UUID{3, 15: 3}},
		"one that is no broker either": {9, uuid.UUID{3, 15: 2}, uuid.UUID{3, 15: 2}},
	} {
		n, m := withMembers(t)
		ask[*kmsg.AddRaftVoterResponse](n, addVoter(tt.id, tt.named), 1)
		if len(m.changes) != 1 || m.changes[0].Voter.ID != tt.id || m.changes[0].Voter.DirectoryID != tt.want {
			t.Errorf("%s: the quorum was asked for %+v, want directory %v", name, m.changes, tt.want)
		}
	}
}

func TestRemoveRaftVoterAnswersAsKafka(t *testing.T) {
	for name, tt := range map[string]struct {
		req  *kmsg.RemoveRaftVoterRequest
		err  error
		code wire.Code
		text string
	}{
		"done":         {req: removeVoter(1, uuid.UUID{3})},
		"no directory": {req: removeVoter(1, uuid.UUID{}), code: wire.InvalidRequest, text: "Remove voter request didn't include a valid voter"},
		"a stranger":   {req: removeVoter(2, uuid.UUID{4}), err: quorum.ErrUnknownMember, code: wire.VoterNotFound, text: "Cannot remove voter " + key2 + " from the set of voters " + members1},
		"the last one": {req: removeVoter(1, uuid.UUID{3}), err: quorum.ErrLastVoter, code: wire.VoterNotFound, text: "Cannot remove voter " + key1 + " from the set of voters " + members1},
		"no majority":  {req: removeVoter(1, uuid.UUID{3}), err: quorum.ErrNoMajority, code: wire.InvalidRequest, text: "the voters that would be left have no majority that answers"},
	} {
		n, m := withMembers(t)
		m.err = tt.err
		resp := ask[*kmsg.RemoveRaftVoterResponse](n, tt.req, 0)
		got := ""
		if resp.ErrorMessage != nil {
			got = *resp.ErrorMessage
		}
		if wire.Code(resp.ErrorCode) != tt.code || got != tt.text {
			t.Errorf("%s: got %s %q, want %s %q", name, wire.Code(resp.ErrorCode), got, tt.code, tt.text)
		}
	}
}

// Who has no place in the cluster any more does not stay an observer either.
func TestAVoterWithoutABrokerLeavesTheQuorum(t *testing.T) {
	for id, want := range map[int32]string{1: "[demote]", 9: "[demote remove]"} {
		n, m := withMembers(t)
		ask[*kmsg.RemoveRaftVoterResponse](n, removeVoter(id, uuid.UUID{3}), 0)
		var kinds []quorum.ChangeKind
		for _, c := range m.changes {
			kinds = append(kinds, c.Kind)
		}
		if fmt.Sprint(kinds) != want {
			t.Errorf("voter %d: the quorum was asked for %v, want %s", id, kinds, want)
		}
	}
}

func TestUpdateRaftVoterChecksEpochAndVoter(t *testing.T) {
	update := func(change func(*kmsg.UpdateRaftVoterRequest)) *kmsg.UpdateRaftVoterRequest {
		r := kmsg.NewPtrUpdateRaftVoterRequest()
		r.CurrentLeaderEpoch, r.VoterID, r.VoterDirectoryID = 7, 1, uuid.UUID{3}
		l := kmsg.NewUpdateRaftVoterRequestListener()
		l.Name, l.Host, l.Port = "C", "h", 9
		r.Listeners, r.KRaftVersionFeature.MaxSupportedVersion = append(r.Listeners, l), 1
		if change != nil {
			change(r)
		}
		return r
	}
	for name, tt := range map[string]struct {
		req  *kmsg.UpdateRaftVoterRequest
		code wire.Code
	}{
		"done":         {update(nil), wire.None},
		"older epoch":  {update(func(r *kmsg.UpdateRaftVoterRequest) { r.CurrentLeaderEpoch = 6 }), wire.FencedLeaderEpoch},
		"newer epoch":  {update(func(r *kmsg.UpdateRaftVoterRequest) { r.CurrentLeaderEpoch = 8 }), wire.UnknownLeaderEpoch},
		"no listener":  {update(func(r *kmsg.UpdateRaftVoterRequest) { r.Listeners = nil }), wire.InvalidRequest},
		"old protocol": {update(func(r *kmsg.UpdateRaftVoterRequest) { r.KRaftVersionFeature.MaxSupportedVersion = 0 }), wire.InvalidRequest},
		"a stranger":   {update(func(r *kmsg.UpdateRaftVoterRequest) { r.VoterID = 9 }), wire.VoterNotFound},
	} {
		n, m := withMembers(t)
		resp := ask[*kmsg.UpdateRaftVoterResponse](n, tt.req, 0)
		if wire.Code(resp.ErrorCode) != tt.code || resp.CurrentLeader.LeaderID != 1 || resp.CurrentLeader.LeaderEpoch != 7 {
			t.Errorf("%s: got %+v, want %s", name, resp, tt.code)
		}
		if tt.code == wire.None && (len(m.changes) != 1 || m.changes[0].Voter.Endpoints[0].Host != "h") {
			t.Errorf("%s: asked for %+v", name, m.changes)
		}
	}
}

// Whoever is asked gives the request to the leader, and follows it when it
// moves; one that another node asked does not.
func TestVoterRequestsGoToTheLeader(t *testing.T) {
	n, m := withMembers(t)
	n.quorum.Leader = 2
	done := &kmsg.AddRaftVoterResponse{Version: 1}
	moved := &kmsg.AddRaftVoterResponse{Version: 1, ErrorCode: int16(wire.NotLeaderOrFollower)}
	m.answers = []kmsg.Response{nil, moved, done}
	if resp := askOf[*kmsg.AddRaftVoterResponse](n, addVoter(3, uuid.UUID{5}), 1, &api.Conn{Node: -1}); resp.ErrorCode != 0 || len(m.sent) != 3 || len(m.changes) != 0 {
		t.Errorf("got %+v after asking nodes %v", resp, m.sent)
	}
	m.err = &wire.Error{Code: wire.NotController, Message: "x", Cause: &quorum.NotLeading{Leader: 3}}
	if resp := askOf[*kmsg.AddRaftVoterResponse](n, addVoter(3, uuid.UUID{5}), 1, &api.Conn{Node: 3}); wire.Code(resp.ErrorCode) != wire.NotLeaderOrFollower || len(m.sent) != 3 {
		t.Errorf("a node that asked got %+v, nodes asked: %v", resp, m.sent)
	}
	// The leader itself is to lose its vote: it hands on, and the next one does it.
	n.quorum.Leader = 1
	m.after = func() { n.quorum.Leader = 2 }
	m.answers = []kmsg.Response{&kmsg.RemoveRaftVoterResponse{}}
	if resp := askOf[*kmsg.RemoveRaftVoterResponse](n, removeVoter(1, uuid.UUID{3}), 0, &api.Conn{Node: -1}); resp.ErrorCode != 0 || len(m.sent) != 4 {
		t.Errorf("got %+v after asking nodes %v", resp, m.sent)
	}
}

func TestTheQuorumIsDescribedByItsLeader(t *testing.T) {
	n, m := withMembers(t)
	n.quorum.Leader = 2
	far := &kmsg.DescribeQuorumResponse{Version: 2, ErrorCode: 0, Topics: []kmsg.DescribeQuorumResponseTopic{{Topic: "from node 2"}}}
	m.answers = []kmsg.Response{far, nil}
	if resp := askOf[*kmsg.DescribeQuorumResponse](n, quorumOf("__cluster_metadata", 0), 2, &api.Conn{Node: -1}); resp.Topics[0].Topic != "from node 2" {
		t.Errorf("got %+v", resp)
	}
	if resp := askOf[*kmsg.DescribeQuorumResponse](n, quorumOf("__cluster_metadata", 0), 2, &api.Conn{Node: -1}); resp.Topics[0].Topic != "__cluster_metadata" || resp.Topics[0].Partitions[0].LeaderID != 2 {
		t.Errorf("with the leader out of reach: %+v", resp)
	}
}
