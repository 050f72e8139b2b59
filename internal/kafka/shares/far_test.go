package shares

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/config"
	"ottla/internal/coordinator"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/share"
	"ottla/internal/share/persist"
	"ottla/internal/share/store"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// machine is a share coordinator that has everything committed at once; idle,
// it leads nothing.
type machine struct {
	mu   sync.Mutex
	m    *store.Machine
	idle bool
	next coordinator.Token
}

func newMachine() *machine { return &machine{m: store.New(store.Settings{SnapshotEvery: 500})} }

func (m *machine) PartitionFor(string) (int32, error) { return 0, nil }

func (m *machine) Go(_ context.Context, _ string, cmd any, done func(any, error)) { done(m.step(cmd)) }

func (m *machine) Do(_ context.Context, _ string, cmd any) (any, error) { return m.step(cmd) }

func (m *machine) step(cmd any) (any, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.idle {
		return nil, wire.NotCoordinator
	}
	m.next++
	out, err := m.m.Step(time.UnixMilli(1), coordinator.Command{Token: m.next, Body: cmd})
	if err != nil {
		return nil, err
	}
	for _, r := range out.Records {
		m.m.Apply(r)
	}
	return out.Replies[0].Body, out.Replies[0].Err
}

// fixed is a cluster that does not change.
type fixed struct{ img *metadata.Image }

func (f fixed) Image() *metadata.Image               { return f.img }
func (f fixed) Do(context.Context, any) (any, error) { return nil, wire.NotController }

// topicsOf is an image with topics of partitions that are led by the nodes
// named.
func topicsOf(t *testing.T, topics map[string][]int32) *metadata.Image {
	t.Helper()
	var records []metadata.Record
	names := make([]string, 0, len(topics))
	for name := range topics {
		names = append(names, name)
	}
	slices.Sort(names)
	for n, name := range names {
		id := uuid.UUID{15: byte(n + 1)}
		records = append(records, &metadata.TopicRecord{Name: name, ID: id})
		for i, leader := range topics[name] {
			records = append(records, &metadata.PartitionRecord{
				Partition: int32(i), TopicID: id, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2, 3}, Leader: leader, LeaderEpoch: 4, Directories: make([]uuid.UUID, 3),
			})
		}
	}
	img, _, err := metadata.Empty().With(int64(len(records)), 1, records...)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func viewOf() *config.View { return &config.View{NodeID: 1} }

// nodes hand requests to the rows of other nodes, as bytes.
type nodes struct {
	t    *testing.T
	rows map[int32][]api.API
	down bool
	keys []int16 // of what was asked
}

func (n *nodes) Start(_ context.Context, node int32, req kmsg.Request, done func(kmsg.Response, error)) {
	n.keys = append(n.keys, req.Key())
	i := slices.IndexFunc(n.rows[node], func(a api.API) bool { return a.Key == req.Key() })
	if n.down || i < 0 {
		done(nil, wire.NetworkException)
		return
	}
	row := n.rows[node][i]
	req.SetVersion(row.Max)
	q := &api.Request{Header: wire.Header{Key: row.Key, Version: row.Max}, Body: req.AppendTo(nil)}
	answer, err := row.Serve(&api.Conn{Advertised: func(int32) (string, int32) { return "h", 1 }}, q)
	if err != nil {
		n.t.Errorf("a request of type %T is refused: %v", req, err)
		done(nil, wire.NetworkException)
		return
	}
	var out api.Out
	if ready, err := answer.Build(&out); err != nil || !ready {
		n.t.Errorf("a request of type %T has no answer: %v", req, err)
	}
	resp := req.ResponseKind()
	resp.SetVersion(row.Max)
	b := out.Buf[8:]
	if resp.IsFlexible() {
		b = b[1:] // no tags in the header
	}
	if size := int(binary.BigEndian.Uint32(out.Buf)); size != len(out.Buf)-4 {
		n.t.Errorf("a frame of %d bytes says %d", len(out.Buf), size)
	}
	if err := resp.ReadFrom(b); err != nil {
		n.t.Errorf("an answer of type %T cannot be read: %v", resp, err)
	}
	done(resp, nil)
}

// farStates are the states of node 2 as node 1 reaches them.
func farStates(t *testing.T) (*persist.States, *machine, *nodes) {
	t.Helper()
	img := topicsOf(t, map[string][]int32{stateTopic: {2}})
	far := newMachine()
	f := New(Deps{
		Cluster: fixed{img}, States: far, View: viewOf(), NodeID: 2,
		Prepare: func(context.Context, string, string) error { return nil },
	})
	t.Cleanup(f.Close)
	n := &nodes{t: t, rows: map[int32][]api.API{2: f.APIs()}}
	near := newMachine()
	near.idle = true
	s := persist.New(persist.Options{NodeID: 1, Topic: stateTopic, Image: fixed{img}.Image, Local: near, Peers: n, Timeout: time.Minute})
	return s, far, n
}

// Whatever a coordinator is asked and says, it is the same from another node.
func TestAStateIsTheSameFromAnotherNode(t *testing.T) {
	s, _, n := farStates(t)
	twin := newMachine()
	key := store.Key{Group: "g", TopicID: uuid.UUID{1}, Partition: 3}
	other := key
	other.Partition = 4
	rows := []share.Stored{
		{First: 5, Last: 6, State: share.Available, Count: 2, NotBeforeMs: 77},
		{First: 7, Last: 7, State: share.Available, Count: 1, UntilMs: 99, KeyLock: 1 << 63, Holder: 1 << 62},
		{First: 9, Last: 9, State: share.Acknowledged, Count: 1},
	}
	for _, cmd := range []any{
		store.Summarize{Key: key, LeaderEpoch: -1},
		store.Read{Key: key, LeaderEpoch: 4},
		store.Read{Key: key, LeaderEpoch: 4, OrNone: true},
		store.Put{Key: key, Start: -1, Done: -1},
		store.Initialize{Key: key, Start: -1, LeaderEpoch: -1},
		store.Summarize{Key: key, LeaderEpoch: -1},
		store.Initialize{Key: key, StateEpoch: 1, Start: 5, LeaderEpoch: 6},
		store.Initialize{Key: key, StateEpoch: 1, Start: 5, LeaderEpoch: 5},
		store.Put{Key: key, StateEpoch: 1, LeaderEpoch: 6, Start: 5, Done: 1, Rows: rows},
		store.Read{Key: key, LeaderEpoch: 7},
		store.Put{Key: key, StateEpoch: 1, LeaderEpoch: 6, Start: 6, Done: 1},
		store.Put{Key: key, StateEpoch: 0, LeaderEpoch: 7, Start: 6, Done: 1},
		store.Read{Key: key, LeaderEpoch: 6},
		store.Summarize{Key: key, LeaderEpoch: -1},
		store.Read{Key: other, LeaderEpoch: 0, OrNone: true},
		store.Delete{Key: key},
		store.Delete{Key: key},
		store.Summarize{Key: key, LeaderEpoch: -1},
		store.Summarize{Key: store.Key{}, LeaderEpoch: -1},
	} {
		got, err := s.Do(t.Context(), key.String(), cmd)
		want, wantErr := twin.step(cmd)
		if wire.CodeOf(err) != wire.CodeOf(wantErr) || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%T %+v\n got %+v, %v\nwant %+v, %v", cmd, cmd, got, err, want, wantErr)
		}
	}
	if len(n.keys) != 19 {
		t.Errorf("%d requests for 19 commands", len(n.keys))
	}
	if _, err := s.Do(t.Context(), key.String(), store.Forget{}); wire.CodeOf(err) != wire.UnknownServerError {
		t.Errorf("Forget: %v", err)
	}
}

func TestACoordinatorThatIsNotThereIsAskedForAgain(t *testing.T) {
	s, far, n := farStates(t)
	key := store.Key{Group: "g", TopicID: uuid.UUID{1}}
	far.idle = true
	if _, err := s.Do(t.Context(), key.String(), store.Read{Key: key}); wire.CodeOf(err) != wire.NotCoordinator {
		t.Errorf("it has moved: %v", err)
	}
	n.down = true
	if _, err := s.Do(t.Context(), key.String(), store.Read{Key: key}); wire.CodeOf(err) != wire.CoordinatorNotAvailable {
		t.Errorf("its node is down: %v", err)
	}
	img := topicsOf(t, map[string][]int32{stateTopic: {-1}})
	s = persist.New(persist.Options{NodeID: 1, Topic: stateTopic, Image: fixed{img}.Image, Local: newMachine(), Peers: n, Timeout: time.Minute})
	if _, err := s.Do(t.Context(), key.String(), store.Read{Key: key}); wire.CodeOf(err) != wire.CoordinatorNotAvailable {
		t.Errorf("without a leader: %v", err)
	}
	near := persist.New(persist.Options{NodeID: 1, Topic: stateTopic, Image: metadata.Empty, Local: newMachine(), Peers: n, Timeout: time.Minute})
	if got, err := near.Do(t.Context(), key.String(), store.Read{Key: key, OrNone: true}); err != nil || got == nil {
		t.Errorf("this node's own: %v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n.down = false
	if _, err := s.Do(ctx, key.String(), store.Read{Key: key}); err == nil {
		t.Error("its time is over and there is no leader, and it has an answer")
	}
}
