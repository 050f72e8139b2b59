package topics

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/config"
	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// fakeCluster runs the real controller in memory: what it decides is applied
// at once.
type fakeCluster struct {
	t    *testing.T
	c    *controller.Controller
	img  *metadata.Image
	fail error // given to every command when set
	last any   // the last command
}

func newCluster(t *testing.T, brokers ...int32) *fakeCluster {
	t.Helper()
	n := byte(0)
	newID := func() uuid.UUID { n++; return uuid.UUID{1, 15: n} }
	f := &fakeCluster{t: t, c: controller.New(controller.Options{NewID: newID}), img: metadata.Empty()}
	f.must(controller.Bootstrap{Features: map[string]int16{"metadata.version": 33}})
	for _, id := range brokers {
		f.must(controller.UnfenceBroker{ID: id, Epoch: f.register(id)})
	}
	return f
}

// register makes a broker known, fenced, and gives its epoch.
func (f *fakeCluster) register(id int32) int64 {
	f.t.Helper()
	return f.must(controller.RegisterBroker{Broker: metadata.Broker{
		ID: id, Incarnation: uuid.UUID{2, 15: byte(id)}, Directories: []uuid.UUID{{3, 15: byte(id)}},
		Endpoints: []metadata.Endpoint{{Name: "PLAINTEXT", Host: "localhost", Port: 9092}},
		Features:  map[string][2]int16{"metadata.version": {33, 33}},
	}}).(int64)
}

func (f *fakeCluster) must(cmd any) any {
	f.t.Helper()
	reply, err := f.Do(context.Background(), cmd)
	if err != nil {
		f.t.Fatalf("%T: %v", cmd, err)
	}
	return reply
}

func (f *fakeCluster) Image() *metadata.Image { return f.img }

func (f *fakeCluster) Do(ctx context.Context, cmd any) (any, error) {
	if _, bounded := ctx.Deadline(); !bounded && ctx != context.Background() {
		f.t.Errorf("%T runs without a deadline", cmd)
	}
	f.last = cmd
	if f.fail != nil {
		return nil, f.fail
	}
	records, reply, err := f.c.Step(time.Time{}, cmd)
	if err != nil {
		return nil, err
	}
	if len(records) > 0 {
		img, _, err := f.img.With(f.img.Offset+int64(len(records)), 1, records...)
		if err != nil {
			f.t.Fatal(err)
		}
		f.img = img
		for _, r := range records {
			f.c.Apply(r)
		}
	}
	return reply, nil
}

// fakeRecords is a node that leads everything, each partition with records 0
// to 4.
type fakeRecords map[string]int64

func (f fakeRecords) DeleteRecords(topic string, index int32, offset int64) (int64, error) {
	switch {
	case index == 7:
		return -1, wire.NotLeaderOrFollower
	case offset > 5:
		return -1, wire.OffsetOutOfRange
	case offset == -1:
		offset = 5
	}
	f[topic] = max(f[topic], offset)
	return f[topic], nil
}

// AwaitLow: other replicas of partition 3 lag, those of 4 have lost their leader.
func (f fakeRecords) AwaitLow(_ context.Context, _ string, index int32, offset int64, alive func(int32) bool) (int64, error) {
	switch {
	case index == 3 && alive(1):
		return 1, wire.RequestTimedOut
	case index == 4:
		return -1, wire.NotLeaderOrFollower
	}
	return offset, nil
}

// node is a family on a cluster of one.
type node struct {
	*fakeCluster
	t    *testing.T
	rows map[int16]api.API
}

func newNode(t *testing.T, static map[string]string) *node {
	t.Helper()
	s, err := config.StaticOf("test", static)
	if err != nil {
		t.Fatal(err)
	}
	f := newCluster(t, 1)
	n := &node{fakeCluster: f, t: t, rows: map[int16]api.API{}}
	for _, r := range APIs(Deps{Cluster: f, Records: fakeRecords{}, View: &config.View{Static: s, NodeID: 1}, NodeID: 1}) {
		n.rows[r.Key] = r
	}
	return n
}

// ask sends a request through encoding and decoding at its version (the
// newest unless set) and returns what a client would read.
func ask[R kmsg.Response](n *node, req kmsg.Request, version int16) R {
	n.t.Helper()
	r := n.rows[req.Key()]
	if version < 0 {
		version = r.Max
	}
	req.SetVersion(version)
	sent := kmsg.RequestForKey(req.Key())
	sent.SetVersion(version)
	if err := sent.ReadFrom(req.AppendTo(nil)); err != nil {
		n.t.Fatalf("request does not survive: %v", err)
	}
	resp, err := r.Handle(context.Background(), &api.Conn{}, sent)
	if err != nil {
		n.t.Fatalf("%T: %v", req, err)
	}
	resp.SetVersion(version)
	got := kmsg.ResponseForKey(req.Key())
	got.SetVersion(version)
	if err := got.ReadFrom(resp.AppendTo(nil)); err != nil {
		n.t.Fatalf("answer does not survive: %v", err)
	}
	return got.(R)
}

func str(p *string) string {
	if p == nil {
		return "<null>"
	}
	return *p
}

func newTopicRequest(name string, partitions int32, replicas int16, configs ...string) kmsg.CreateTopicsRequestTopic {
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = name, partitions, replicas
	for i := 0; i+1 < len(configs); i += 2 {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name = configs[i]
		if configs[i+1] != "<null>" {
			c.Value = kmsg.StringPtr(configs[i+1])
		}
		t.Configs = append(t.Configs, c)
	}
	return t
}

func assigned(t kmsg.CreateTopicsRequestTopic, lists ...[]int32) kmsg.CreateTopicsRequestTopic {
	for _, l := range lists {
		a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		a.Partition, a.Replicas = l[0], l[1:]
		t.ReplicaAssignment = append(t.ReplicaAssignment, a)
	}
	return t
}

func create(n *node, topics ...kmsg.CreateTopicsRequestTopic) *kmsg.CreateTopicsResponse {
	n.t.Helper()
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = topics
	return ask[*kmsg.CreateTopicsResponse](n, req, -1)
}

func TestEveryVersionOfEveryRowIsKafkas(t *testing.T) {
	for _, r := range Rows() {
		info := wire.LookupAPI(r.Key)
		if info == nil || r.Min != info.Min || r.Max != info.Max || r.ListedMin != r.Min {
			t.Errorf("key %d: serves %d to %d, Kafka has %+v", r.Key, r.Min, r.Max, info)
		}
		for v := r.Min; v <= r.Max; v++ {
			if req := kmsg.RequestForKey(r.Key); req == nil || req.MaxVersion() < v {
				t.Errorf("key %d: version %d has no codec", r.Key, v)
			}
		}
	}
}

func TestARequestOfAnotherKindIsAnErrorAndNoPanic(t *testing.T) {
	for _, r := range Rows() {
		if _, err := r.Handle(context.Background(), nil, kmsg.NewPtrHeartbeatRequest()); err == nil {
			t.Errorf("key %d: no error", r.Key)
		}
	}
}

func TestACommandThatRunsOutOfTimeIsRequestTimedOut(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f := newCluster(t, 1)
	f.fail = context.DeadlineExceeded
	if _, err := do[[]controller.Result](ctx, f, 5, controller.CreatePartitions{}); !errors.Is(err, wire.RequestTimedOut) {
		t.Errorf("got %v", err)
	}
	f.fail = nil
	if _, err := do[string](context.Background(), f, 5, controller.CreatePartitions{}); wire.CodeOf(err) != wire.UnknownServerError {
		t.Errorf("a reply of another type: got %v", err)
	}
}
