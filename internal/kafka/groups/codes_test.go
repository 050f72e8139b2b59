package groups

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/coordinator"
	"ottla/internal/group"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// sulky is a coordinator that answers everything alike.
type sulky struct {
	body any
	err  error
}

func (s sulky) PartitionFor(string) (int32, error) { return 0, s.err }

func (s sulky) Go(_ context.Context, _ string, _ any, done func(any, error)) { done(s.body, s.err) }

func (s sulky) Each(context.Context, any) []coordinator.Answer {
	return []coordinator.Answer{{Body: s.body, Err: s.err}}
}

type emptyCluster struct{}

func (emptyCluster) Image() *metadata.Image                { return metadata.Empty() }
func (emptyCluster) Do(context.Context, any) (any, error)  { return nil, errors.New("not asked") }
func prepareNothing(context.Context, string, string) error { return errors.New("no controller") }
func family(s sulky) *Family {
	return New(Deps{Cluster: emptyCluster{}, Groups: s, Prepare: prepareNothing, NewID: func() uuid.UUID { return uuid.UUID{} }}).patient()
}
func (f *Family) patient() *Family { f.patience = time.Minute; return f }
func none(int32) (string, int32)   { return "", 0 }
func conn() *api.Conn              { return &api.Conn{ClientID: "c", Advertised: none} }
func with[R kmsg.Request](version int16, req R, change func(R)) R {
	req.SetVersion(version)
	change(req)
	return req
}

// answer runs a late handler.
func answer[Q kmsg.Request](t *testing.T, start func(*api.Conn, Q, api.Finish), req Q) kmsg.Response {
	t.Helper()
	var made kmsg.Response
	start(conn(), req, func(make func() kmsg.Response) { made = make() })
	if made == nil {
		t.Fatalf("%T was not answered", req)
	}
	return made
}

func TestWhatTheStorageSaysBecomesWhatConsumersActOn(t *testing.T) {
	for err, want := range map[error]wire.Code{
		nil:                          wire.None,
		wire.RequestTimedOut:         wire.CoordinatorNotAvailable,
		wire.NotEnoughReplicas:       wire.CoordinatorNotAvailable,
		wire.NotLeaderOrFollower:     wire.NotCoordinator,
		wire.KafkaStorageError:       wire.NotCoordinator,
		wire.MessageTooLarge:         wire.UnknownServerError,
		wire.UnknownMemberID:         wire.UnknownMemberID,
		errors.New("something else"): wire.UnknownServerError,
	} {
		if got := codeOf(err); got != int16(want) {
			t.Errorf("%v: %s, want %s", err, wire.Code(got).Name(), want.Name())
		}
	}
}

func TestACoordinatorThatLoadsIsToldByEachAPIInItsOwnPlace(t *testing.T) {
	f := family(sulky{err: wire.CoordinatorLoadInProgress})
	loads := int16(wire.CoordinatorLoadInProgress)
	join := answer(t, f.joinGroup, with(9, kmsg.NewPtrJoinGroupRequest(), func(r *kmsg.JoinGroupRequest) { r.MemberID = "m" })).(*kmsg.JoinGroupResponse)
	if join.ErrorCode != loads || join.MemberID != "m" || join.Generation != -1 {
		t.Errorf("join: %+v", join)
	}
	sync := answer(t, f.syncGroup, with(4, kmsg.NewPtrSyncGroupRequest(), func(*kmsg.SyncGroupRequest) {})).(*kmsg.SyncGroupResponse)
	if sync.ErrorCode != loads || sync.MemberAssignment == nil {
		t.Errorf("sync: %+v", sync)
	}
	beat := answer(t, f.heartbeat, with(4, kmsg.NewPtrHeartbeatRequest(), func(*kmsg.HeartbeatRequest) {})).(*kmsg.HeartbeatResponse)
	if beat.ErrorCode != 0 {
		t.Errorf("a heartbeat while the coordinator loads: %d, want none", beat.ErrorCode)
	}
	leave := answer(t, f.leaveGroup, with(5, kmsg.NewPtrLeaveGroupRequest(), func(*kmsg.LeaveGroupRequest) {})).(*kmsg.LeaveGroupResponse)
	if leave.ErrorCode != loads {
		t.Errorf("leave: %+v", leave)
	}
	d := answer(t, f.describeGroups, with(6, kmsg.NewPtrDescribeGroupsRequest(), func(r *kmsg.DescribeGroupsRequest) { r.Groups = []string{"g"} })).(*kmsg.DescribeGroupsResponse)
	if d.Groups[0].ErrorCode != loads || d.Groups[0].State != "" {
		t.Errorf("describe: %+v", d)
	}
	del := answer(t, f.deleteGroups, with(3, kmsg.NewPtrDeleteGroupsRequest(), func(r *kmsg.DeleteGroupsRequest) { r.Groups = []string{"g", "g"} })).(*kmsg.DeleteGroupsResponse)
	if len(del.Groups) != 1 || del.Groups[0].ErrorCode != loads {
		t.Errorf("delete: %+v", del)
	}
	list, err := f.listGroups(t.Context(), conn(), kmsg.NewPtrListGroupsRequest())
	if err != nil || list.(*kmsg.ListGroupsResponse).ErrorCode != loads {
		t.Errorf("list: %+v, %v", list, err)
	}
}

func TestAListLeavesOutWhatIsLedElsewhere(t *testing.T) {
	list, err := family(sulky{err: wire.NotCoordinator}).listGroups(t.Context(), conn(), kmsg.NewPtrListGroupsRequest())
	if got := list.(*kmsg.ListGroupsResponse); err != nil || got.ErrorCode != 0 || len(got.Groups) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestFetchErrorsStandWhereTheVersionHasAPlaceForThem(t *testing.T) {
	for _, tc := range []struct {
		version int16
		err     error
		want    wire.Code
	}{
		{1, wire.NotCoordinator, wire.NotCoordinator}, {7, wire.NotCoordinator, wire.NotCoordinator}, {9, wire.NotCoordinator, wire.NotCoordinator},
		{9, wire.RequestTimedOut, wire.NotCoordinator},
	} {
		req := with(tc.version, kmsg.NewPtrOffsetFetchRequest(), func(r *kmsg.OffsetFetchRequest) {
			r.Group = "g"
			r.Topics = []kmsg.OffsetFetchRequestTopic{{Topic: "t", Partitions: []int32{3}}}
			r.Groups = []kmsg.OffsetFetchRequestGroup{{Group: "g"}, {Group: "h"}}
		})
		got := answer(t, family(sulky{err: tc.err}).offsetFetch, req).(*kmsg.OffsetFetchResponse)
		switch {
		case tc.version < 2:
			if p := got.Topics[0].Partitions[0]; p.Partition != 3 || p.Offset != -1 || p.ErrorCode != int16(tc.want) {
				t.Errorf("version %d: %+v", tc.version, got)
			}
		case tc.version < 8:
			if got.ErrorCode != int16(tc.want) || len(got.Topics) != 0 {
				t.Errorf("version %d: %+v", tc.version, got)
			}
		default:
			if len(got.Groups) != 2 || got.Groups[1].Group != "h" || got.Groups[1].ErrorCode != int16(tc.want) {
				t.Errorf("version %d: %+v", tc.version, got)
			}
		}
	}
}

func TestUnknownTopicIDsAreToldPerPartition(t *testing.T) {
	req := with(10, kmsg.NewPtrOffsetFetchRequest(), func(r *kmsg.OffsetFetchRequest) {
		r.Groups = []kmsg.OffsetFetchRequestGroup{{Group: "g", Topics: []kmsg.OffsetFetchRequestGroupTopic{{TopicID: [16]byte{7}, Partitions: []int32{0, 1}}}}}
	})
	got := answer(t, family(sulky{body: group.FetchReply{Topics: []group.FetchedTopic{{}}}}).offsetFetch, req).(*kmsg.OffsetFetchResponse)
	rows := got.Groups[0].Topics[0]
	if rows.TopicID != [16]byte{7} || len(rows.Partitions) != 2 || rows.Partitions[1].ErrorCode != int16(wire.UnknownTopicID) || rows.Partitions[1].Offset != -1 {
		t.Errorf("got %+v", got)
	}
}

func TestWithoutItsTopicTheCoordinatorIsNotAvailable(t *testing.T) {
	f := family(sulky{err: wire.CoordinatorNotAvailable})
	for _, version := range []int16{0, 3, 4, 6} {
		req := with(version, kmsg.NewPtrFindCoordinatorRequest(), func(r *kmsg.FindCoordinatorRequest) { r.CoordinatorKeys = []string{"g"} })
		resp, err := f.findCoordinator(t.Context(), conn(), req)
		got := resp.(*kmsg.FindCoordinatorResponse)
		if version >= 4 {
			got.ErrorCode, got.NodeID = got.Coordinators[0].ErrorCode, got.Coordinators[0].NodeID
		}
		if err != nil || got.ErrorCode != int16(wire.CoordinatorNotAvailable) || got.NodeID != -1 {
			t.Errorf("version %d: %+v, %v", version, got, err)
		}
	}
}

func TestAReplyOfAnotherTypeIsAnErrorAndNoPanic(t *testing.T) {
	got := answer(t, family(sulky{body: 42}).joinGroup, with(9, kmsg.NewPtrJoinGroupRequest(), func(*kmsg.JoinGroupRequest) {})).(*kmsg.JoinGroupResponse)
	if got.ErrorCode != int16(wire.UnknownServerError) {
		t.Errorf("got %+v", got)
	}
}

func TestHostsAreShownAsKafkaShowsThem(t *testing.T) {
	for want, addr := range map[string]net.Addr{
		"/":          nil,
		"/127.0.0.1": &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9},
		"/::1":       &net.TCPAddr{IP: net.IPv6loopback, Port: 9},
		"/pipe":      &net.UnixAddr{Name: "pipe", Net: "unix"},
	} {
		if got := hostOf(&api.Conn{Remote: addr}); got != want {
			t.Errorf("%v is shown as %q, want %q", addr, got, want)
		}
	}
}

func TestBytesOfARequestAreNotKept(t *testing.T) {
	metadata := []byte("says")
	req := with(9, kmsg.NewPtrJoinGroupRequest(), func(r *kmsg.JoinGroupRequest) {
		p := kmsg.NewJoinGroupRequestProtocol()
		p.Name, p.Metadata = "range", metadata
		r.Protocols = append(r.Protocols, p)
	})
	body := req.AppendTo(nil)
	var kept group.Join
	f := New(Deps{Cluster: emptyCluster{}, Groups: keeper{&kept}, NewID: func() uuid.UUID { return uuid.UUID{} }}).patient()
	a, err := f.joinGroupRow().Serve(conn(), &api.Request{Header: wire.Header{Key: 11, Version: 9, ClientID: []byte("c")}, Body: body})
	if err != nil || a == nil {
		t.Fatal(err)
	}
	clear(body)
	if len(kept.Protocols) != 1 || string(kept.Protocols[0].Metadata) != "says" || kept.Protocols[0].Name != "range" {
		t.Errorf("kept %+v after the request's memory was used again", kept)
	}
	if done, err := a.Build(&api.Out{}); done || err != nil {
		t.Errorf("an answer that nobody has made is built: %v, %v", done, err)
	}
	a.Drop()
	if _, err := f.joinGroupRow().Serve(conn(), &api.Request{Header: wire.Header{Key: 11, Version: 9}, Body: body[:3]}); err == nil {
		t.Error("half a request is served")
	}
}

// keeper keeps the last join and never answers.
type keeper struct{ last *group.Join }

func (keeper) PartitionFor(string) (int32, error)             { return 0, nil }
func (keeper) Each(context.Context, any) []coordinator.Answer { return nil }
func (k keeper) Go(_ context.Context, _ string, cmd any, _ func(any, error)) {
	*k.last = cmd.(group.Join)
}
