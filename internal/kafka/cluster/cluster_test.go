package cluster

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/config"
	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/uuid"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// node is the family on a cluster whose controller runs in memory. Brokers 1
// and 2 live, 3 is fenced and has a rack.
type node struct {
	t       *testing.T
	c       *controller.Controller
	img     *metadata.Image
	fail    error
	deps    Deps
	dirs    []LogDir
	quorum  Quorum
	moves   []Move
	asked   []string // of Move
	moveErr error
	held    []partition.Describe
	created int
}

func newNode(t *testing.T, static map[string]string) *node {
	t.Helper()
	s, err := config.StaticOf("test", static)
	if err != nil {
		t.Fatal(err)
	}
	id := byte(0)
	n := &node{t: t, img: metadata.Empty(), c: controller.New(controller.Options{
		NewID:    func() uuid.UUID { id++; return uuid.UUID{1, 15: id} },
		Features: map[string][2]int16{"metadata.version": {33, 33}, "group.version": {0, 1}},
	})}
	n.must(controller.Bootstrap{Features: map[string]int16{"metadata.version": 33}})
	for id := int32(1); id <= 3; id++ {
		b := metadata.Broker{
			ID: id, Incarnation: uuid.UUID{2, 15: byte(id)}, Directories: []uuid.UUID{{3, 15: byte(id)}},
			Endpoints: []metadata.Endpoint{{Name: "INTERNAL", Host: "inside", Port: 1}, {Name: "PLAINTEXT", Host: fmt.Sprintf("host%d", id), Port: 9092}},
			Features:  map[string][2]int16{"metadata.version": {33, 33}, "group.version": {0, 1}},
		}
		if id == 3 {
			b.Rack = "r3"
		}
		epoch := n.must(controller.RegisterBroker{Broker: b}).(int64)
		if id != 3 {
			n.must(controller.UnfenceBroker{ID: id, Epoch: epoch})
		}
	}
	n.deps = Deps{Cluster: n, Storage: n, View: &config.View{Static: s, NodeID: 1}, NodeID: 1, ClusterID: "kLWis512S4usJIFY92lHzA", ControllerID: func() int32 { return 1 }, Quorum: func() Quorum { return n.quorum }}
	return n
}

func (n *node) must(cmd any) any {
	n.t.Helper()
	reply, err := n.Do(context.Background(), cmd)
	if err != nil {
		n.t.Fatalf("%T: %v", cmd, err)
	}
	return reply
}

func (n *node) Image() *metadata.Image { return n.img }

func (n *node) Do(ctx context.Context, cmd any) (any, error) {
	if _, creates := cmd.(controller.CreateTopics); creates {
		n.created++
	}
	if n.fail != nil {
		return nil, n.fail
	}
	records, reply, err := n.c.Step(time.Time{}, cmd)
	if err != nil || len(records) == 0 {
		return reply, err
	}
	if n.img, _, err = n.img.With(n.img.Offset+int64(len(records)), 1, records...); err != nil {
		n.t.Fatal(err)
	}
	for _, r := range records {
		n.c.Apply(r)
	}
	return reply, nil
}

func (n *node) LogDirs() []LogDir { return n.dirs }

func (n *node) Moves() []Move { return n.moves }

func (n *node) Move(topic string, index int32, dir string) error {
	n.asked = append(n.asked, fmt.Sprintf("%s-%d to %s", topic, index, dir))
	return n.moveErr
}

func (n *node) Replicas() iter.Seq[partition.Describe] {
	return func(yield func(partition.Describe) bool) {
		for _, d := range n.held {
			if !yield(d) {
				return
			}
		}
	}
}

// ask sends a request through encoding and decoding and returns what a client
// would read.
func ask[R kmsg.Response](n *node, req kmsg.Request, version int16) R {
	n.t.Helper()
	conn := &api.Conn{Listener: "PLAINTEXT", Remote: &net.TCPAddr{}, Advertised: func(id int32) (string, int32) {
		if id == 1 {
			return "as-the-client-said", 19092
		}
		return "", 0
	}}
	return askOf[R](n, req, version, conn)
}

// askOf is ask over a connection of the test's own.
func askOf[R kmsg.Response](n *node, req kmsg.Request, version int16, conn *api.Conn) R {
	n.t.Helper()
	for _, r := range APIs(n.deps) {
		if r.Key != req.Key() {
			continue
		}
		req.SetVersion(version)
		sent := kmsg.RequestForKey(req.Key())
		sent.SetVersion(version)
		if err := sent.ReadFrom(req.AppendTo(nil)); err != nil {
			n.t.Fatalf("request does not survive: %v", err)
		}
		resp, err := r.Handle(context.Background(), conn, sent)
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
	n.t.Fatalf("no row for %T", req)
	panic("unreachable")
}

func (n *node) create(name string, lists ...[]int32) {
	n.t.Helper()
	t := controller.NewTopic{Name: name, Partitions: -1, Replicas: -1, Assignments: map[int32][]int32{}}
	for i, l := range lists {
		t.Assignments[int32(i)] = l
	}
	if r := n.must(controller.CreateTopics{Topics: []controller.NewTopic{t}}).([]controller.CreatedTopic)[0]; r.Code != wire.None {
		n.t.Fatalf("create %s: %v", name, r)
	}
	n.created = 0
}

func topicsNamed(names ...string) []kmsg.MetadataRequestTopic {
	out := []kmsg.MetadataRequestTopic{}
	for _, name := range names {
		q := kmsg.NewMetadataRequestTopic()
		q.Topic = kmsg.StringPtr(name)
		out = append(out, q)
	}
	return out
}

func metadataText(resp *kmsg.MetadataResponse) string {
	var out []string
	for _, t := range resp.Topics {
		name := "<null>"
		if t.Topic != nil {
			name = *t.Topic
		}
		s := fmt.Sprintf("%s %d", name, t.ErrorCode)
		if t.IsInternal {
			s += " internal"
		}
		for _, p := range t.Partitions {
			s += fmt.Sprintf(" [%d err %d leader %d replicas %v isr %v offline %v]", p.Partition, p.ErrorCode, p.Leader, p.Replicas, p.ISR, p.OfflineReplicas)
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

func TestEveryVersionOfEveryRowIsKafkas(t *testing.T) {
	for _, r := range Rows() {
		info := wire.LookupAPI(r.Key)
		if info == nil || r.Min != info.Min || r.Max != info.Max || r.ListedMin != r.Min {
			t.Errorf("key %d: serves %d to %d, Kafka has %+v", r.Key, r.Min, r.Max, info)
		}
		if _, err := r.Handle(context.Background(), nil, kmsg.NewPtrHeartbeatRequest()); err == nil {
			t.Errorf("key %d: a request of another kind is no error", r.Key)
		}
	}
}

func TestMetadataNamesTopicsAsTheVersionDoes(t *testing.T) {
	n := newNode(t, map[string]string{"auto.create.topics.enable": "false"})
	n.create("a", []int32{1, 2})
	n.create("b", []int32{2})
	const a, b = "a 0 [0 err 0 leader 1 replicas [1 2] isr [1 2] offline []]", "b 0 [0 err 0 leader 2 replicas [2] isr [2] offline []]"
	for _, c := range []struct {
		what    string
		version int16
		topics  []kmsg.MetadataRequestTopic
		want    string
	}{
		{"v0 empty means all", 0, topicsNamed(), a + "; " + b},
		{"v1 null means all", 1, nil, a + "; " + b},
		{"v1 empty means none", 1, topicsNamed(), ""},
		{"newest, null", 13, nil, a + "; " + b},
		{"newest, empty", 13, topicsNamed(), ""},
		{"each once", 13, topicsNamed("b", "a", "b"), b + "; " + a},
		{"unknown and bad names", 13, topicsNamed("nope", "a b", "", "__consumer_offsets"), "nope 3; a b 17;  17; __consumer_offsets 3 internal"},
		{"v0 by name", 0, topicsNamed("b"), b},
	} {
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = c.topics
		got := metadataText(ask[*kmsg.MetadataResponse](n, req, c.version))
		if got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.what, got, c.want)
		}
	}
}

func TestMetadataTellsBrokersWhereTheClientCanReachThem(t *testing.T) {
	n := newNode(t, nil)
	for version := int16(0); version <= 13; version++ {
		resp := ask[*kmsg.MetadataResponse](n, kmsg.NewPtrMetadataRequest(), version)
		var got []string
		for _, b := range resp.Brokers {
			got = append(got, fmt.Sprintf("%d@%s:%d", b.NodeID, b.Host, b.Port))
		}
		if want := "1@as-the-client-said:19092 2@host2:9092"; strings.Join(got, " ") != want {
			t.Errorf("v%d: got %q, want %q", version, got, want)
		}
		if version >= 1 && resp.ControllerID != 1 || version >= 2 && *resp.ClusterID != n.deps.ClusterID {
			t.Errorf("v%d: got controller %d, cluster %v", version, resp.ControllerID, resp.ClusterID)
		}
	}
}

func TestMetadataByIDAnswersForIDsAlone(t *testing.T) {
	n := newNode(t, nil)
	n.create("a", []int32{1})
	id := n.img.TopicByName("a").ID
	ask1 := func(version int16, topics ...kmsg.MetadataRequestTopic) string {
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = topics
		return metadataText(ask[*kmsg.MetadataResponse](n, req, version))
	}
	byID := func(id uuid.UUID) kmsg.MetadataRequestTopic {
		q := kmsg.NewMetadataRequestTopic()
		q.TopicID = id
		return q
	}
	if got := ask1(13, byID(id), byID(uuid.UUID{9})); got != "a 0 [0 err 0 leader 1 replicas [1] isr [1] offline []]; <null> 100" {
		t.Errorf("got %s", got)
	}
	if got := ask1(13, byID(uuid.UUID{9}), topicsNamed("a")[0]); got != "<null> 100" {
		t.Errorf("with a name beside: got %s", got)
	}
}

func TestMetadataRefusesIDsBeforeTheyHaveAMeaning(t *testing.T) { // KIP-516: v12
	n := newNode(t, nil)
	n.create("a", []int32{1})
	row := func(name *string, id uuid.UUID) kmsg.MetadataRequestTopic {
		q := kmsg.NewMetadataRequestTopic()
		q.Topic, q.TopicID = name, id
		return q
	}
	id, a := n.img.TopicByName("a").ID, kmsg.StringPtr("a")
	for _, version := range []int16{10, 11} {
		for what, c := range map[string]struct {
			topics []kmsg.MetadataRequestTopic
			want   string
		}{
			"by id":           {[]kmsg.MetadataRequestTopic{row(nil, id)}, " 42"},
			"id and name":     {[]kmsg.MetadataRequestTopic{row(a, id)}, "a 42"},
			"neither":         {[]kmsg.MetadataRequestTopic{row(nil, uuid.UUID{})}, " 42"},
			"a good one, too": {[]kmsg.MetadataRequestTopic{row(a, uuid.UUID{}), row(nil, id)}, "a 42;  42"},
		} {
			req := kmsg.NewPtrMetadataRequest()
			req.Topics = c.topics
			resp := ask[*kmsg.MetadataResponse](n, req, version)
			if got := metadataText(resp); got != c.want || len(resp.Brokers) != 0 || resp.ControllerID != -1 {
				t.Errorf("%s, v%d: got %q, %d brokers, controller %d, want %q and nothing else", what, version, got, len(resp.Brokers), resp.ControllerID, c.want)
			}
		}
	}
}

func TestMetadataShowsWhatIsOffline(t *testing.T) {
	n := newNode(t, nil)
	n.create("two", []int32{1, 2})
	n.create("lost", []int32{2})
	n.must(controller.FenceBroker{ID: 2, Epoch: n.img.Broker(2).Epoch})
	req := kmsg.NewPtrMetadataRequest()
	if got, want := metadataText(ask[*kmsg.MetadataResponse](n, req, 13)),
		"lost 0 [0 err 5 leader -1 replicas [2] isr [2] offline [2]]; two 0 [0 err 0 leader 1 replicas [1 2] isr [1] offline [2]]"; got != want {
		t.Errorf("\ngot  %s\nwant %s", got, want)
	}
	if got, want := metadataText(ask[*kmsg.MetadataResponse](n, req, 0)),
		"lost 0 [0 err 5 leader -1 replicas [] isr [] offline []]; two 0 [0 err 9 leader 1 replicas [1] isr [1] offline []]"; got != want {
		t.Errorf("v0:\ngot  %s\nwant %s", got, want)
	}
}

func TestMetadataCarriesAuthorizedOperationsOnDemand(t *testing.T) {
	n := newNode(t, map[string]string{"auto.create.topics.enable": "false"})
	n.create("a", []int32{1})
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = topicsNamed("a", "nope")
	if r := ask[*kmsg.MetadataResponse](n, req, 9); r.Topics[0].AuthorizedOperations != api.OperationsUnset || r.AuthorizedOperations != api.OperationsUnset {
		t.Errorf("not asked for: got %d and %d", r.Topics[0].AuthorizedOperations, r.AuthorizedOperations)
	}
	req.IncludeTopicAuthorizedOperations, req.IncludeClusterAuthorizedOperations = true, true
	r := ask[*kmsg.MetadataResponse](n, req, 9)
	if r.Topics[0].AuthorizedOperations != 3576 || r.Topics[1].AuthorizedOperations != 3576 || r.AuthorizedOperations != 8096 {
		t.Errorf("got %d, %d and %d", r.Topics[0].AuthorizedOperations, r.Topics[1].AuthorizedOperations, r.AuthorizedOperations)
	}
}

func TestMetadataCreatesWhereClientAndBrokerAllow(t *testing.T) {
	for _, c := range []struct {
		what    string
		enabled string
		version int16
		allow   bool
		created int
	}{
		{"both allow", "true", 13, true, 1},
		{"the client does not", "true", 13, false, 0},
		{"the broker does not", "false", 13, true, 0},
		{"old clients always do", "true", 3, false, 1},
	} {
		n := newNode(t, map[string]string{"auto.create.topics.enable": c.enabled, "num.partitions": "2", "default.replication.factor": "3"})
		req := kmsg.NewPtrMetadataRequest()
		req.Topics, req.AllowAutoTopicCreation = topicsNamed("new", "a b", "__consumer_offsets"), c.allow
		resp := ask[*kmsg.MetadataResponse](n, req, c.version)
		if n.created != c.created {
			t.Errorf("%s: %d commands, want %d", c.what, n.created, c.created)
		}
		first := resp.Topics[0]
		if c.created == 1 && (first.ErrorCode != 0 || len(first.Partitions) != 2 || len(first.Partitions[0].Replicas) != 2) {
			t.Errorf("%s: got %s", c.what, metadataText(resp))
		}
		if c.created == 0 && first.ErrorCode != int16(wire.UnknownTopicOrPartition) {
			t.Errorf("%s: got %s", c.what, metadataText(resp))
		}
		if resp.Topics[1].ErrorCode != int16(wire.InvalidTopic) || resp.Topics[2].ErrorCode != int16(wire.UnknownTopicOrPartition) {
			t.Errorf("%s: got %s", c.what, metadataText(resp))
		}
	}
}

func TestMetadataListingAllCreatesNothing(t *testing.T) {
	n := newNode(t, nil)
	req := kmsg.NewPtrMetadataRequest()
	req.AllowAutoTopicCreation = true
	if ask[*kmsg.MetadataResponse](n, req, 13); n.created != 0 {
		t.Errorf("%d commands", n.created)
	}
}

func TestMetadataTellsWhyATopicWasNotCreated(t *testing.T) {
	n := newNode(t, nil)
	n.create("col.x", []int32{1})
	req := kmsg.NewPtrMetadataRequest()
	req.Topics, req.AllowAutoTopicCreation = topicsNamed("col_x"), true
	if got := metadataText(ask[*kmsg.MetadataResponse](n, req, 13)); got != "col_x 17" {
		t.Errorf("a collision: got %s", got)
	}
	n.fail = wire.NotController
	if got := metadataText(ask[*kmsg.MetadataResponse](n, req, 13)); got != "col_x 41" {
		t.Errorf("no controller: got %s", got)
	}
	n.fail = errors.New("broken")
	if _, err := APIs(n.deps)[0].Handle(context.Background(), &api.Conn{}, req); err == nil {
		t.Error("an internal error is hidden")
	}
	n.fail = context.Canceled
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	refused := map[string]wire.Code{}
	if err := (&handlers{n.deps}).autoCreate(ctx, []string{"late"}, refused); err != nil || refused["late"] != wire.LeaderNotAvailable {
		t.Errorf("out of time: got %v and %v", refused["late"], err)
	}
}

// Producers give up on a topic that a few answers do not know; a node that is cut off
// may not have heard of it.
func TestANodeThatMayBeCutOffDoesNotSayThatATopicIsUnknown(t *testing.T) {
	n := newNode(t, map[string]string{"auto.create.topics.enable": "false"})
	n.create("known", []int32{1, 2})
	trusted := false
	n.deps.Trusted = func() bool { return trusted }
	for _, want := range []wire.Code{wire.LeaderNotAvailable, wire.UnknownTopicOrPartition} {
		trusted = want == wire.UnknownTopicOrPartition
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = topicsNamed("known", "later", "a/b")
		resp := ask[*kmsg.MetadataResponse](n, req, 12)
		for i, code := range []wire.Code{wire.None, want, wire.InvalidTopic} {
			if got := wire.Code(resp.Topics[i].ErrorCode); got != code {
				t.Errorf("trusted %v, %s: got %v, want %v", trusted, *resp.Topics[i].Topic, got, code)
			}
		}
	}
}

func TestDescribeCluster(t *testing.T) {
	n := newNode(t, nil)
	for _, c := range []struct {
		what           string
		version        int16
		endpoint       int8
		fenced, access bool
		want           string
	}{
		{"plain", 2, 1, false, false, "0 <null> 1 kLWis512S4usJIFY92lHzA 1 ops -2147483648: 1@as-the-client-said:19092 2@host2:9092"},
		{"with operations", 2, 1, false, true, "0 <null> 1 kLWis512S4usJIFY92lHzA 1 ops 8096: 1@as-the-client-said:19092 2@host2:9092"},
		{"with fenced", 2, 1, true, false, "0 <null> 1 kLWis512S4usJIFY92lHzA 1 ops -2147483648: 1@as-the-client-said:19092 2@host2:9092 3@host3:9092 fenced"},
		{"controllers", 2, 2, false, false, "114 The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER 1  -1 ops -2147483648:"},
		{"neither", 1, 3, false, false, "115 Unsupported endpoint type 3 1  -1 ops -2147483648:"},
		{"v0", 0, 1, false, false, "0 <null> 1 kLWis512S4usJIFY92lHzA 1 ops -2147483648: 1@as-the-client-said:19092 2@host2:9092"},
	} {
		req := kmsg.NewPtrDescribeClusterRequest()
		req.EndpointType, req.IncludeFencedBrokers, req.IncludeClusterAuthorizedOperations = c.endpoint, c.fenced, c.access
		r := ask[*kmsg.DescribeClusterResponse](n, req, c.version)
		message := "<null>"
		if r.ErrorMessage != nil {
			message = *r.ErrorMessage
		}
		got := fmt.Sprintf("%d %s %d %s %d ops %d:", r.ErrorCode, message, r.EndpointType, r.ClusterID, r.ControllerID, r.ClusterAuthorizedOperations)
		for _, b := range r.Brokers {
			got += fmt.Sprintf(" %d@%s:%d", b.NodeID, b.Host, b.Port)
			if b.IsFenced {
				got += " fenced"
			}
			if (b.NodeID == 3) != (b.Rack != nil) {
				t.Errorf("%s: broker %d has rack %v", c.what, b.NodeID, b.Rack)
			}
		}
		if got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.what, got, c.want)
		}
	}
}

func TestDescribeLogDirsTellsOfLogsThatCannotBeOpened(t *testing.T) {
	n := newNode(t, nil)
	want := own.ClosedLog{Topic: "t", Partition: 2, Why: "the disk is full"}
	n.dirs = []LogDir{{Path: "/a", Closed: []own.ClosedLog{want}}, {Path: "/b"}}
	for version := int16(1); version <= 5; version++ {
		dirs := ask[*kmsg.DescribeLogDirsResponse](n, kmsg.NewPtrDescribeLogDirsRequest(), version).Dirs
		for i, dir := range dirs {
			got, err := own.ReadClosed(&dir.UnknownTags)
			if told := len(got) == 1 && got[0] == want; err != nil || told != (i == 0 && version >= 2) { // tagged fields begin with version 2
				t.Errorf("v%d: of %s it tells %v, %v", version, dir.Dir, got, err)
			}
		}
	}
}

func TestDescribeLogDirs(t *testing.T) {
	n := newNode(t, nil)
	n.dirs = []LogDir{{Path: "/a", TotalBytes: 100, UsableBytes: 60}, {Path: "/b", Err: errors.New("gone"), TotalBytes: 5, UsableBytes: 5}}
	n.held = []partition.Describe{
		{Topic: "t", Index: 1, Dir: "/a", Bytes: 11, Offsets: partition.Offsets{HighWatermark: 5, LogEnd: 7}},
		{Topic: "t", Index: 0, Dir: "/a", Bytes: 10, Offsets: partition.Offsets{HighWatermark: 9, LogEnd: 7}},
		{Topic: "s", Index: 0, Dir: "/a", Bytes: 12},
		{Topic: "lost", Index: 0, Dir: "/b", Bytes: 13},
	}
	named := func(name string, partitions ...int32) kmsg.DescribeLogDirsRequestTopic {
		q := kmsg.NewDescribeLogDirsRequestTopic()
		q.Topic, q.Partitions = name, partitions
		return q
	}
	for _, c := range []struct {
		what   string
		topics []kmsg.DescribeLogDirsRequestTopic
		want   string
	}{
		{"all", nil, "/a 0 100/60 s-0:12+0 t-0:10+2 t-1:11+0; /b 56 -1/-1"},
		{"named", []kmsg.DescribeLogDirsRequestTopic{named("t", 1, 99), named("nope", 0)}, "/a 0 100/60 t-1:11+0; /b 56 -1/-1"},
		{"none", []kmsg.DescribeLogDirsRequestTopic{}, "/a 0 100/60; /b 56 -1/-1"},
	} {
		for version := int16(1); version <= 5; version++ {
			req := kmsg.NewPtrDescribeLogDirsRequest()
			req.Topics = c.topics
			var got []string
			for _, d := range ask[*kmsg.DescribeLogDirsResponse](n, req, version).Dirs {
				if version < 4 {
					d.TotalBytes, d.UsableBytes = map[string]int64{"/a": 100, "/b": -1}[d.Dir], map[string]int64{"/a": 60, "/b": -1}[d.Dir]
				}
				s := fmt.Sprintf("%s %d %d/%d", d.Dir, d.ErrorCode, d.TotalBytes, d.UsableBytes)
				for _, topic := range d.Topics {
					for _, p := range topic.Partitions {
						s += fmt.Sprintf(" %s-%d:%d+%d", topic.Topic, p.Partition, p.Size, p.OffsetLag)
					}
				}
				got = append(got, s)
			}
			if strings.Join(got, "; ") != c.want {
				t.Errorf("%s v%d:\ngot  %s\nwant %s", c.what, version, strings.Join(got, "; "), c.want)
			}
		}
	}
}
