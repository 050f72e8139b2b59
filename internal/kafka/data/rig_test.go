package data

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/config"
	"ottla/internal/kafka"
	"ottla/internal/kafka/api"
	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/metric"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// rig is a door with this family on real partitions in memory, and the least
// of Metadata that a client needs.
type rig struct {
	t      testing.TB
	dir    *log.Dir
	family *Family
	door   *kafka.Door
	reg    *metric.Registry
	image  *metadata.Image
	parts  map[string][]*partition.Partition
	ids    map[uuid.UUID]string
	now    func() time.Time

	stopSync func() // ends sync rounds: nothing more is committed
}

// Image, ByName and ByID make the rig the family's Cluster and Partitions.
func (r *rig) Image() *metadata.Image { return r.image }

func (r *rig) ByName(topic []byte, index int32) (*partition.Partition, wire.Code) {
	if list := r.parts[string(topic)]; index >= 0 && int(index) < len(list) {
		if list[index] == nil {
			return nil, wire.NotLeaderOrFollower
		}
		return list[index], wire.None
	}
	return nil, wire.UnknownTopicOrPartition
}

func (r *rig) ByID(id uuid.UUID, index int32) (*partition.Partition, wire.Code) {
	name, ok := r.ids[id]
	if !ok {
		return nil, wire.UnknownTopicID
	}
	return r.ByName([]byte(name), index)
}

// ordersID is the id of the topic "orders".
var ordersID = uuid.UUID{1, 2, 3}

// newRig has the topic "orders" with three partitions, led here, and one,
// index 3, that is led elsewhere. fs nil is a disk in memory.
func newRig(t testing.TB, adjust ...func(*partition.Config)) *rig {
	return newRigOn(t, vfs.NewMem(0), "/data", map[string]string{}, adjust...)
}

func newRigOn(t testing.TB, fs vfs.FS, path string, settings map[string]string, adjust ...func(*partition.Config)) *rig {
	t.Helper()
	r := &rig{t: t, parts: map[string][]*partition.Partition{}, ids: map[uuid.UUID]string{}, now: time.Now, reg: metric.New()}
	var err error
	r.dir, err = log.OpenDir(log.DirOptions{FS: fs, Path: path, Now: time.Now, VerifyAge: time.Hour})
	must(t, err)
	r.addTopic("orders", ordersID, 3, adjust...)
	records := []metadata.Record{&metadata.TopicRecord{Name: "orders", ID: ordersID}}
	for i := range int32(4) {
		leader := int32(1)
		if i == 3 {
			leader = 2
		}
		records = append(records, &metadata.PartitionRecord{Partition: i, TopicID: ordersID, Replicas: []int32{leader}, ISR: []int32{leader}, Leader: leader, LeaderEpoch: 5})
	}
	records = append(records, &metadata.RegisterBrokerRecord{BrokerID: 2, Endpoints: []metadata.Endpoint{{Name: "PLAINTEXT", Host: "other.example", Port: 9999}}})
	r.image, _, err = metadata.Empty().With(7, 1, records...)
	must(t, err)
	r.parts["orders"] = append(r.parts["orders"], nil)
	static, err := config.StaticOf("test", settings)
	must(t, err)
	view := &config.View{Static: static, NodeID: 1}
	r.family = New(Options{Cluster: r, Partitions: r, View: view, Now: func() time.Time { return r.now() }, Metrics: r.reg})
	r.door, err = kafka.New(kafka.Options{
		Cluster: r, View: view, NodeID: 1, ClusterID: "test", Metrics: r.reg,
		APIs: append(r.family.APIs(), api.API{Key: wire.KeyMetadata, Min: 0, Max: 13, Handle: r.metadata}),
	})
	must(t, err)
	r.stopSync = r.drive()
	t.Cleanup(r.stopSync)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := r.door.Close(ctx); err != nil {
			t.Error(err)
		}
		r.family.Close()
	})
	return r
}

// addTopic makes partitions that this node leads in epoch 5.
func (r *rig) addTopic(name string, id uuid.UUID, n int32, adjust ...func(*partition.Config)) {
	r.t.Helper()
	r.ids[id] = name
	c := partition.Config{
		Log:       log.Config{SegmentBytes: 1 << 30, IndexBytes: 10 << 20, IndexIntervalBytes: 4096, Delete: true, MaxDecompressed: 64 << 20},
		Rules:     record.Rules{MaxBatchBytes: 8 << 20, MaxDecompressed: 64 << 20, BeforeMaxMs: 1 << 60, AfterMaxMs: 3600_000},
		MinInsync: 1, ProducerExpiry: 24 * time.Hour,
	}
	for _, f := range adjust {
		f(&c)
	}
	for i := range n {
		p := partition.New(partition.Options{Topic: name, ID: id, Index: i, NodeID: 1, Now: time.Now, Config: c})
		must(r.t, p.Open(r.dir))
		must(r.t, p.Become(partition.Role{Leader: 1, LeaderEpoch: 5, Replicas: []int32{1}, ISR: []int32{1}}))
		r.parts[name] = append(r.parts[name], p)
	}
}

// drive runs sync rounds as the log asks for them.
func (r *rig) drive() (stop func()) {
	quit := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		for {
			select {
			case <-r.dir.Dirty():
				_ = r.dir.SyncRound() // a failure shows in what the tests see
			case <-quit:
				return
			}
		}
	})
	return sync.OnceFunc(func() { close(quit); done.Wait() })
}

// metadata answers as much as clients need.
func (r *rig) metadata(_ context.Context, c *api.Conn, q kmsg.Request) (kmsg.Response, error) {
	resp := q.ResponseKind().(*kmsg.MetadataResponse)
	host, port := c.Advertised(1)
	b := kmsg.NewMetadataResponseBroker()
	b.NodeID, b.Host, b.Port = 1, host, port
	resp.Brokers = append(resp.Brokers, b)
	resp.ControllerID = 1
	for id, name := range r.ids {
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic, topic.TopicID = &name, id
		for i, p := range r.parts[name] {
			if p == nil {
				continue
			}
			row := kmsg.NewMetadataResponseTopicPartition()
			row.Partition, row.Leader, row.LeaderEpoch, row.Replicas, row.ISR = int32(i), 1, 5, []int32{1}, []int32{1}
			topic.Partitions = append(topic.Partitions, row)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp, nil
}

// client is a franz-go client over the in-memory connection.
func (r *rig) client(opts ...kgo.Opt) *kgo.Client {
	r.t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers("memory:1"), kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(0),
		kgo.Dialer(func(context.Context, string, string) (net.Conn, error) { return r.door.Dial() }),
	}, opts...)...)
	must(r.t, err)
	r.t.Cleanup(cl.Close)
	return cl
}

// conn is a bare connection that speaks kmsg.
type conn struct {
	t  testing.TB
	nc net.Conn
	n  int32
}

func (r *rig) dial() *conn {
	r.t.Helper()
	nc, err := r.door.Dial()
	must(r.t, err)
	r.t.Cleanup(func() { nc.Close() })
	return &conn{t: r.t, nc: nc}
}

// send writes a request, receive reads the answer to it.
func (c *conn) send(req kmsg.Request) {
	c.t.Helper()
	c.n++
	_, err := c.nc.Write(kmsg.NewRequestFormatter(kmsg.FormatterClientID("test")).AppendRequest(nil, req, c.n))
	must(c.t, err)
}

func (c *conn) receive(req kmsg.Request, corr int32) kmsg.Response {
	c.t.Helper()
	frame, err := readFrame(c.nc)
	must(c.t, err)
	if got := int32(binary.BigEndian.Uint32(frame)); got != corr {
		c.t.Fatalf("correlation id %d, want %d", got, corr)
	}
	frame = frame[4:]
	if req.IsFlexible() && req.Key() != 18 {
		frame = frame[1:]
	}
	resp := req.ResponseKind()
	if err := resp.ReadFrom(frame); err != nil {
		c.t.Fatalf("decode the answer of %s v%d: %v\n%x", kmsg.Key(req.Key()).Name(), req.GetVersion(), err, frame)
	}
	return resp
}

// ask sends and receives.
func (c *conn) ask(req kmsg.Request) kmsg.Response {
	c.t.Helper()
	c.send(req)
	return c.receive(req, c.n)
}

// readFrame reads one answer without its length.
func readFrame(r io.Reader) ([]byte, error) {
	var l [4]byte
	if _, err := io.ReadFull(r, l[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, binary.BigEndian.Uint32(l[:]))
	_, err := io.ReadFull(r, frame)
	return frame, err
}

// batch makes a batch of records with the given values.
func batch(values ...string) []byte {
	b := record.NewBuilder()
	for _, v := range values {
		b.Add(1_700_000_000_000, nil, []byte(v))
	}
	return b.Build(0)
}

// valuesOf lists the values of batches laid end to end, dropping a partial
// tail as clients do.
func valuesOf(t testing.TB, b []byte) []string {
	t.Helper()
	var got []string
	for len(b) > 0 {
		h, err := record.ParseHeader(b)
		if err != nil || h.Size() > len(b) {
			return got
		}
		must(t, record.Walk(b[:h.Size()], 1<<20, func(r *record.Record) bool {
			got = append(got, string(r.Value))
			return true
		}))
		b = b[h.Size():]
	}
	return got
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
