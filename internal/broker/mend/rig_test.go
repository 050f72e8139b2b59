package mend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/metric"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// rig is a partition with replicas on nodes 1, 2 and 3; ours is node 1's.
type rig struct {
	t     *testing.T
	fs    *vfs.Mem
	dirs  map[int32]*log.Dir
	parts map[int32]*partition.Partition
	k     *Keeper
	ticks chan time.Time
	image *metadata.Image
	conf  partition.Config
	lead  int32
	epoch int32

	mu       sync.Mutex // guards all below
	asked    []int32    // nodes
	refuse   map[int32]error
	doubtful []int32                           // nodes whose logs' ends are in doubt
	change   func(node int32, b []byte) []byte // of what a node answers
	renewals []controller.RenewReplicas
	settled  []controller.SettleEnd
	answer   any // the controller's

	trusted int // ends that are no longer in doubt
}

var topicID = uuid.UUID{5}

// newRig makes replicas of a hundred records, led by a node.
func newRig(t *testing.T, leader int32, replicas ...int32) *rig {
	t.Helper()
	r := &rig{
		t: t, fs: vfs.NewMem(0), dirs: map[int32]*log.Dir{}, parts: map[int32]*partition.Partition{}, ticks: make(chan time.Time), lead: leader,
		refuse: map[int32]error{}, answer: []controller.Result{{}},
		conf: partition.Config{
			Log:   log.Config{SegmentBytes: 4096, IndexIntervalBytes: 256, Durability: log.Fsync, Delete: true, MaxDecompressed: 1 << 20},
			Rules: record.Rules{MaxBatchBytes: 1 << 20, MaxDecompressed: 1 << 20, BeforeMaxMs: 1 << 60, AfterMaxMs: 1 << 60}, MinInsync: 1,
		},
	}
	r.image, _, _ = metadata.Empty().With(9, 1,
		&metadata.RegisterBrokerRecord{BrokerID: 1, BrokerEpoch: 10},
		&metadata.RegisterBrokerRecord{BrokerID: 2, BrokerEpoch: 11},
		&metadata.RegisterBrokerRecord{BrokerID: 3, BrokerEpoch: 12},
		&metadata.TopicRecord{Name: "orders", ID: topicID},
		&metadata.PartitionRecord{Partition: 0, TopicID: topicID, Replicas: replicas, ISR: replicas, Leader: leader, Directories: make([]uuid.UUID, len(replicas))})
	reg := metric.New()
	r.k = New(Options{
		NodeID: 1, Image: func() *metadata.Image { return r.image }, Ask: r.ask, Control: r.control, Logger: slog.New(slog.DiscardHandler),
		Tick:    func(time.Duration) (<-chan time.Time, func()) { return r.ticks, func() {} },
		Trust:   func(*partition.Partition) { r.trusted++ },
		Stepped: true, // the test takes its rounds
		Metrics: Metrics{Mended: reg.Counter("ottla_replica_ranges_mended_total"), Renewed: reg.Counter("ottla_replica_renewals_total")},
	})
	t.Cleanup(r.k.Close)
	for _, id := range replicas {
		r.open(id)
		r.become(id, leader, replicas)
	}
	for range 50 {
		b := record.NewBuilder()
		b.Add(1_700_000_000_000, nil, []byte("a record of some bytes, more than a few"))
		b.Add(1_700_000_000_000, nil, []byte("another one"))
		var a partition.Appended
		must(t, r.parts[leader].Append(b.Build(0), &partition.AppendArgs{Acks: 1}, &a))
	}
	r.settle()
	return r
}

func (r *rig) now() time.Time { return time.UnixMilli(1_700_000_000_000) }

// open opens a replica's log, anew where it was open.
func (r *rig) open(id int32) {
	r.t.Helper()
	dir, err := log.OpenDir(log.DirOptions{FS: r.fs, Path: fmt.Sprint("/data", id), Now: r.now})
	must(r.t, err)
	r.dirs[id] = dir
	o := partition.Options{Topic: "orders", ID: topicID, NodeID: id, Now: r.now, Config: r.conf}
	if id == 1 {
		o.Rot = r.k.Found
	}
	r.parts[id] = partition.New(o)
	must(r.t, r.parts[id].Open(dir))
}

func (r *rig) become(id, leader int32, replicas []int32) {
	r.t.Helper()
	must(r.t, r.parts[id].Become(partition.Role{Leader: leader, LeaderEpoch: r.epoch, Replicas: replicas, ISR: replicas}))
}

// settle copies what the leader has to the others, and syncs, until all have the
// high watermark.
func (r *rig) settle() {
	r.t.Helper()
	for range 4 {
		must(r.t, r.dirs[r.lead].SyncRound())
		for id, p := range r.parts {
			if id != r.lead {
				must(r.t, r.follow(id, p))
				must(r.t, r.dirs[id].SyncRound())
			}
		}
	}
}

// follow fetches once, as a fetcher does.
func (r *rig) follow(id int32, p *partition.Partition) error {
	pos, err := p.Follow()
	if err != nil {
		return err
	}
	if pos.Lost {
		if err := p.StartOver(pos.LeaderEpoch, 0); err != nil {
			return err
		}
		if pos, err = p.Follow(); err != nil {
			return err
		}
	}
	var f partition.Fetched
	a := partition.ReplicaArgs{Replica: id, BrokerEpoch: -1, Synced: pos.Synced, FetchArgs: partition.FetchArgs{
		Offset: pos.End, MaxBytes: 1 << 20, MinOne: true, CurrentLeaderEpoch: pos.LeaderEpoch, LastFetchedEpoch: pos.LastEpoch,
	}}
	b, err := read(&f, r.parts[r.lead].FetchReplica(&a, &f))
	if err != nil {
		return err
	}
	_, err = p.AppendFollower(b, &partition.FollowerArgs{LeaderEpoch: pos.LeaderEpoch, HighWatermark: f.HighWatermark, LogStart: f.LogStart})
	return err
}

// read takes the bytes of a fetch.
func read(f *partition.Fetched, err error) ([]byte, error) {
	if err != nil || f.Slice.Len == 0 {
		return nil, err
	}
	defer f.Slice.Release()
	b := make([]byte, f.Slice.Len)
	_, err = f.Slice.ReadAt(b, 0)
	return b, err
}

// ask is another node's answer to a fetch.
func (r *rig) ask(_ context.Context, node int32, req kmsg.Request) (kmsg.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, node)
	if err := r.refuse[node]; err != nil {
		return nil, err
	}
	if q, ok := req.(*kmsg.OffsetForLeaderEpochRequest); ok {
		return r.tail(node, q)
	}
	q, ok := req.(*kmsg.FetchRequest)
	if !ok || len(q.Topics) != 1 || q.ReplicaID != -1 {
		return nil, errors.New("another request")
	}
	ask := &q.Topics[0].Partitions[0]
	var f partition.Fetched
	b, err := read(&f, r.parts[node].Fetch(&partition.FetchArgs{
		Offset: ask.FetchOffset, MaxBytes: int(ask.PartitionMaxBytes), MinOne: true, CurrentLeaderEpoch: -1, LastFetchedEpoch: -1, Anyone: true,
	}, &f))
	if r.change != nil {
		b = r.change(node, b)
	}
	resp := kmsg.NewPtrFetchResponse()
	resp.Topics = []kmsg.FetchResponseTopic{{TopicID: q.Topics[0].TopicID, Partitions: []kmsg.FetchResponseTopicPartition{{ErrorCode: int16(wire.CodeOf(err)), RecordBatches: b}}}}
	return resp, nil
}

// tail is another node's answer to a question about its log's end.
func (r *rig) tail(node int32, q *kmsg.OffsetForLeaderEpochRequest) (kmsg.Response, error) {
	if q.ReplicaID != 1 || len(q.Topics) != 1 || q.Topics[0].Topic != "orders" || len(q.Topics[0].Partitions) != 1 {
		return nil, errors.New("another question")
	}
	end, err := r.parts[node].Tail()
	if err == nil && r.parts[node].Damaged() {
		err = wire.CorruptMessage
	}
	resp := kmsg.NewPtrOffsetForLeaderEpochResponse()
	resp.Topics = []kmsg.OffsetForLeaderEpochResponseTopic{{Topic: "orders", Partitions: []kmsg.OffsetForLeaderEpochResponseTopicPartition{{
		ErrorCode: int16(wire.CodeOf(err)), LeaderEpoch: end.Epoch, EndOffset: end.End,
	}}}}
	if slices.Contains(r.doubtful, node) {
		own.SetDoubt(&resp.Topics[0].Partitions[0].UnknownTags)
	}
	return resp, nil
}

// control is the controller.
func (r *rig) control(_ context.Context, cmd any) (any, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch x := cmd.(type) {
	case controller.RenewReplicas:
		r.renewals = append(r.renewals, x)
	case controller.SettleEnd:
		r.settled = append(r.settled, x)
	default:
		return nil, errors.New("another command")
	}
	if err, ok := r.answer.(error); ok {
		return nil, err
	}
	return r.answer, nil
}

func (r *rig) segment(id int32, base int64) string {
	return fmt.Sprintf("/data%d/orders-0/%020d.log", id, base)
}

// hurt turns a bit in the first record of a segment.
func (r *rig) hurt(id int32, base int64) {
	r.t.Helper()
	f, err := r.fs.OpenFile(r.segment(id, base), os.O_RDWR, 0)
	must(r.t, err)
	defer f.Close()
	b := make([]byte, 1)
	_, err = f.ReadAt(b, record.HeaderSize+5)
	must(r.t, err)
	b[0] ^= 8
	_, err = f.WriteAt(b, record.HeaderSize+5)
	must(r.t, err)
}

// readAll reads our replica from its start as a consumer does, and gives the first
// error.
func (r *rig) readAll() error {
	p := r.parts[1]
	for at, end := p.Offsets().LogStart, p.Offsets().HighWatermark; at < end; {
		var f partition.Fetched
		b, err := read(&f, p.Fetch(&partition.FetchArgs{Offset: at, MaxBytes: 1000, MinOne: true, CurrentLeaderEpoch: -1, LastFetchedEpoch: -1, Anyone: true}, &f))
		if err != nil {
			return err
		}
		for len(b) > 0 {
			h, batch, rest, err := record.Next(b)
			if err == record.ErrShort {
				break
			}
			if err != nil || h.BaseOffset != at || !record.VerifyCRC(batch) {
				return fmt.Errorf("at %d: a batch of %d, %w", at, h.BaseOffset, err)
			}
			at, b = h.NextOffset(), rest
		}
	}
	return nil
}

// turn has two ticks go by.
func (r *rig) turn() {
	r.k.Round(true)
	r.k.Round(true)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
