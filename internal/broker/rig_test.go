package broker

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"ottla/internal/config"
	"ottla/internal/controller"
	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/quorum"
	"ottla/internal/record"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// rig is a node without doors: log directories, quorum, controller, broker.
type rig struct {
	t      testing.TB
	fs     vfs.FS
	dirs   []*log.Dir
	broker *Broker
	quorum *quorum.Node
	epoch  int64
	clock  atomic.Int64 // ms
	ticks  chan time.Time
	cleans chan time.Time // of the cleaner
}

func (r *rig) now() time.Time { return time.UnixMilli(r.clock.Load()) }

// drawn counts the ids of all rigs, so that no two are the same.
var drawn atomic.Uint32

// start brings a node up on f, with as many log directories as asked.
func start(t testing.TB, f vfs.FS, dirs int, adjust ...func(*rig, *Options)) *rig {
	t.Helper()
	return startIn(t, f, "/", dirs, adjust...)
}

// startIn is start with the log directories in root.
func startIn(t testing.TB, f vfs.FS, root string, dirs int, adjust ...func(*rig, *Options)) *rig {
	t.Helper()
	r := &rig{t: t, fs: f, ticks: make(chan time.Time), cleans: make(chan time.Time)}
	r.clock.Store(1_700_000_000_000)
	var ids, work []uuid.UUID
	for n := range dirs {
		at := log.DirOptions{FS: f, Path: filepath.Join(root, fmt.Sprint("data", n)), Now: r.now}
		d, err := log.OpenDir(at)
		if err != nil && n == 0 {
			t.Fatal(err)
		}
		ids = append(ids, uuid.UUID{0: 0xd, 15: byte(n)})
		if err != nil {
			d = log.OfflineDir(at, err)
		} else {
			work = append(work, ids[n])
		}
		r.dirs = append(r.dirs, d)
	}
	static, err := config.StaticOf("test", nil)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		NodeID: 1, Dirs: r.dirs, Directories: ids, View: &config.View{Static: static, NodeID: 1}, Now: r.now,
		Tick: func(every time.Duration) (<-chan time.Time, func()) {
			if every == cleanPace {
				return r.cleans, func() {}
			}
			return r.ticks, func() {}
		},
		Control: func(ctx context.Context, cmd any) (any, error) { return r.quorum.Do(ctx, cmd) },
	}
	for _, f := range adjust {
		f(r, &o)
	}
	r.broker = New(o)
	newID := func() uuid.UUID {
		n := drawn.Add(1)
		id := uuid.UUID{0: 7, 6: 0x40, 8: 0x80}
		binary.BigEndian.PutUint32(id[12:], n)
		return id
	}
	r.quorum, err = quorum.Open(quorum.Options{
		NodeID: 1, DirectoryID: uuid.UUID{0xd}, ClusterID: "C", Dir: r.dirs[0], Now: r.now,
		Machine: controller.New(controller.Options{NewID: newID}), OnImage: r.broker.OnImage,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.broker.Start(context.Background())
	if err := r.quorum.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.quorum.Image().Feature("metadata.version"); !ok {
		r.do(controller.Bootstrap{Features: map[string]int16{"metadata.version": 33}})
	}
	r.epoch = r.do(controller.RegisterBroker{ClusterID: "C", Broker: metadata.Broker{ID: 1, Incarnation: newID(), Directories: work,
		Endpoints: []metadata.Endpoint{{Name: "PLAINTEXT", Host: "127.0.0.1", Port: 9092}}}}).(int64)
	r.do(controller.UnfenceBroker{ID: 1, Epoch: r.epoch})
	r.broker.TellDirectories(context.Background())
	return r
}

func (r *rig) do(cmd any) any {
	r.t.Helper()
	reply, err := r.quorum.Do(context.Background(), cmd)
	if err != nil {
		r.t.Fatalf("%T: %v", cmd, err)
	}
	return reply
}

func (r *rig) stop() {
	r.t.Helper()
	if err := r.quorum.Close(); err != nil {
		r.t.Fatal(err)
	}
	if err := r.broker.Close(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) create(name string, partitions int32, configs ...controller.ConfigEntry) controller.CreatedTopic {
	r.t.Helper()
	c := r.do(controller.CreateTopics{Topics: []controller.NewTopic{{Name: name, Partitions: partitions, Replicas: 1, Configs: configs}}}).([]controller.CreatedTopic)[0]
	if c.Code != wire.None {
		r.t.Fatalf("create %s: %v %s", name, c.Code, c.Message)
	}
	return c
}

func (r *rig) remove(name string) {
	r.t.Helper()
	d := r.do(controller.DeleteTopics{Topics: []controller.TopicRef{{Name: name}}}).([]controller.DeletedTopic)[0]
	if d.Code != wire.None {
		r.t.Fatalf("delete %s: %v %s", name, d.Code, d.Message)
	}
}

// find wants a partition that serves.
func (r *rig) find(name string, index int32) *partition.Partition {
	r.t.Helper()
	p, code := r.broker.ByName([]byte(name), index)
	if code != wire.None || p == nil {
		r.t.Fatalf("%s-%d: %v", name, index, code)
	}
	return p
}

// committed is a partition.Waiter.
type committed chan error

func (c committed) Committed(err error) { c <- err }

// produce appends a batch and waits until it is committed.
func (r *rig) produce(name string, index int32, value string) partition.Appended {
	r.t.Helper()
	p := r.find(name, index)
	b := record.NewBuilder()
	b.Add(r.clock.Load(), nil, []byte(value))
	var a partition.Appended
	if err := p.Append(b.Build(0), &partition.AppendArgs{Acks: -1, AllowZstd: true}, &a); err != nil {
		r.t.Fatalf("produce to %s-%d: %v", name, index, err)
	}
	w := make(committed, 1)
	done, err := p.Await(w, a.End, -1)
	if err != nil {
		r.t.Fatal(err)
	}
	if !done {
		if err := <-w; err != nil {
			r.t.Fatal(err)
		}
	}
	return a
}

// awaitRecovery returns once everything found at the start is open.
func (r *rig) awaitRecovery() {
	r.broker.opening.Wait()
}

func set(name, value string) controller.ConfigEntry {
	return controller.ConfigEntry{Name: name, Value: &value}
}

// appendAndWait is produce for partitions that may fail.
func appendAndWait(p *partition.Partition) error { return appendTo(p, "x") }

// appendTo is appendAndWait of a value.
func appendTo(p *partition.Partition, value string) error {
	b := record.NewBuilder()
	b.Add(1, nil, []byte(value))
	var a partition.Appended
	if err := p.Append(b.Build(0), &partition.AppendArgs{Acks: -1, AllowZstd: true}, &a); err != nil {
		return err
	}
	w := make(committed, 1)
	if done, err := p.Await(w, a.End, -1); done || err != nil {
		return err
	}
	return <-w
}
