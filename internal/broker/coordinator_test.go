package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"syscall"
	"testing"

	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/sim"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// promised is what clients of ledgers were told.
type promised struct {
	mu    sync.Mutex
	told  map[string]uint64 // a reply said that the number is at least this
	tried map[string]uint64 // and it is at most this
}

func (p *promised) note(m map[string]uint64, name string, n uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m[name] = max(m[name], n)
}

// cut is the disk at one operation, and what was promised by then.
type cut struct {
	what  string
	disk  *sim.Disk
	told  map[string]uint64
	tried map[string]uint64
}

// TestNoReplyOfACoordinatorIsForgotten cuts the power, or kills the process, at
// every operation of the disk in the life of a coordinator with clients that
// write and read numbers at once. Whatever a reply said, a read's too, holds
// after the restart.
func TestNoReplyOfACoordinatorIsForgotten(t *testing.T) {
	d := durableDisk(t, 5)
	p := &promised{told: map[string]uint64{}, tried: map[string]uint64{}}
	var cuts []cut
	d.OnOp(func(op sim.Op) sim.Action {
		if op.Kind.Changes() {
			p.mu.Lock()
			defer p.mu.Unlock()
			cuts = append(cuts, cut{op.String(), d.Clone(uint64(op.Seq)), maps.Clone(p.told), maps.Clone(p.tried)})
		}
		return sim.Action{}
	})
	for range 2 {
		l := startLedgers(t, d)
		must(t, l.broker.Ensure(t.Context(), OffsetsTopic))
		l.work(p)
		l.stop()
	}
	d.OnOp(nil)
	if len(cuts) < 100 {
		t.Errorf("only %d operations of the disk", len(cuts))
	}
	for i, c := range cuts {
		// Every cut near the writing of numbers counts, the making of fifty
		// partitions less so.
		if len(c.told) == 0 && i%16 != 0 {
			continue
		}
		if i%3 == 0 {
			c.disk.Kill()
		} else {
			c.disk.Crash()
		}
		c.disk.Restart()
		c.verify(t)
	}
}

// work lets clients raise their own numbers and look at all others.
func (l *ledgers) work(p *promised) {
	var wg sync.WaitGroup
	const clients = 4
	for i := range clients {
		wg.Go(func() {
			mine, others := fmt.Sprint("n", i), fmt.Sprint("n", (i+1)%clients)
			must(l.t, l.rt.Settle(context.Background(), mine))
			must(l.t, l.rt.Settle(context.Background(), others))
			n := l.get(mine)
			for range 10 {
				n++
				p.note(p.tried, mine, n)
				_, err := l.rt.Do(context.Background(), mine, setNumber{mine, n})
				must(l.t, err)
				p.note(p.told, mine, n)
				p.note(p.told, others, l.get(others))
			}
		})
	}
	wg.Wait()
}

func (l *ledgers) get(name string) uint64 {
	got, err := l.rt.Do(context.Background(), name, getNumber{name})
	must(l.t, err)
	n, _ := got.(uint64)
	return n
}

// verify starts the node again on what the cut left.
func (c *cut) verify(t *testing.T) {
	t.Helper()
	l := startLedgers(t, c.disk)
	defer l.stop()
	l.awaitRecovery()
	if l.broker.Image().TopicByName(OffsetsTopic) == nil {
		if len(c.told) > 0 {
			t.Errorf("cut at %s: the offsets topic is gone", c.what)
		}
		return
	}
	for name, most := range c.tried {
		must(t, l.rt.Settle(t.Context(), name))
		if got := l.get(name); got < c.told[name] || got > most {
			t.Errorf("cut at %s: %s is %d; clients were told %d and tried up to %d", c.what, name, got, c.told[name], most)
		}
	}
}

// TestTheOffsetsTopicIsMadeWhenItIsNeeded as Kafka makes it, once, with the
// factor that one node can hold; and producers cannot write to it.
func TestTheOffsetsTopicIsMadeWhenItIsNeeded(t *testing.T) {
	l := startLedgers(t, vfs.NewMem(0))
	defer l.stop()
	if _, err := l.rt.Do(t.Context(), "g", getNumber{"g"}); wire.CodeOf(err) != wire.CoordinatorNotAvailable {
		t.Errorf("before there is a topic: got %v, want COORDINATOR_NOT_AVAILABLE", err)
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { must(t, l.broker.Ensure(t.Context(), OffsetsTopic)) })
	}
	wg.Wait()
	topic := l.broker.Image().TopicByName(OffsetsTopic)
	if topic == nil || len(topic.Partitions) != 50 || len(topic.Partitions[7].Replicas) != 1 {
		t.Fatalf("got %+v, want 50 partitions of one replica", topic)
	}
	want := map[string]string{"cleanup.policy": "compact", "compression.type": "producer", "segment.bytes": "104857600"}
	if got := l.broker.Image().Config(metadata.ResourceTopic, OffsetsTopic); !maps.Equal(got, want) {
		t.Errorf("settings: got %v, want %v", got, want)
	}
	must(t, l.rt.Settle(t.Context(), "g"))
	if got := l.get("g"); got != 0 {
		t.Errorf("a new coordinator says %d, want 0", got)
	}
	b := record.NewBuilder()
	b.Add(1, []byte("k"), []byte("v"))
	var a partition.Appended
	err := l.find(OffsetsTopic, 3).Append(b.Build(0), &partition.AppendArgs{Acks: -1}, &a)
	if wire.CodeOf(err) != wire.InvalidTopic {
		t.Errorf("a producer's batch: got %v, want INVALID_TOPIC_EXCEPTION", err)
	}
	if err := l.broker.Ensure(t.Context(), "orders-of-nobody"); wire.CodeOf(err) != wire.CoordinatorNotAvailable {
		t.Errorf("a topic that has no coordinator yet: got %v, want COORDINATOR_NOT_AVAILABLE", err)
	}
}

// TestCoordinatorsFollowTheRolesOfTheirPartitions: a deleted topic's are gone,
// a new topic's begin from nothing.
func TestCoordinatorsFollowTheRolesOfTheirPartitions(t *testing.T) {
	l := startLedgers(t, vfs.NewMem(0))
	defer l.stop()
	must(t, l.broker.Ensure(t.Context(), OffsetsTopic))
	for i := range 1000 { // keys of every shard: all are loaded now
		must(t, l.rt.Settle(t.Context(), fmt.Sprint(i)))
	}
	_, err := l.rt.Do(t.Context(), "g", setNumber{"g", 7})
	must(t, err)
	if got := l.rt.Each(t.Context(), allNumbers{}); len(got) != 50 {
		t.Errorf("%d shards answer, want 50", len(got))
	}
	l.remove(OffsetsTopic)
	if _, err := l.rt.Do(t.Context(), "g", getNumber{"g"}); wire.CodeOf(err) != wire.CoordinatorNotAvailable {
		t.Errorf("after the topic was deleted: got %v, want COORDINATOR_NOT_AVAILABLE", err)
	}
	if got := l.rt.Each(t.Context(), allNumbers{}); len(got) != 0 {
		t.Errorf("%d shards of a deleted topic answer", len(got))
	}
	must(t, l.broker.Ensure(t.Context(), OffsetsTopic))
	must(t, l.rt.Settle(t.Context(), "g"))
	if got := l.get("g"); got != 0 {
		t.Errorf("the new topic's coordinator says %d, want 0", got)
	}
}

// TestACoordinatorsStateIsThatOfItsLog after a clean stop, over several
// segments and batches larger than one read.
func TestACoordinatorsStateIsThatOfItsLog(t *testing.T) {
	f := vfs.NewMem(0)
	l := startLedgers(t, f)
	l.create(OffsetsTopic, 1, set("segment.bytes", "1048576"), set("cleanup.policy", "compact"))
	must(t, l.rt.Settle(t.Context(), ""))
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			for n := range 200 {
				name := fmt.Sprintf("%0200d", i*100+n%100)
				_, err := l.rt.Do(context.Background(), name, setNumber{name, uint64(n)})
				must(t, err)
			}
		})
	}
	wg.Wait()
	before := l.rt.Each(t.Context(), allNumbers{})[0].Body.(map[string]uint64)
	l.stop()
	spoiled := false
	for restart := range 3 {
		l = startLedgers(t, f)
		l.awaitRecovery()
		must(t, l.rt.Settle(t.Context(), ""))
		note := l.find(OffsetsTopic, 0).Note()
		file, err := note.Read(1 << 24)
		if err != nil || len(file) == 0 && restart == 0 {
			t.Errorf("restart %d: the snapshot has %d bytes, %v; want some", restart, len(file), err)
		}
		if restart == 1 && len(file) > 0 {
			file[len(file)/2] ^= 4
			must(t, note.Keep(file, 1<<40))
			spoiled = true
		}
		after, _ := l.rt.Each(t.Context(), allNumbers{})[0].Body.(map[string]uint64)
		if len(before) != 5000 || !maps.Equal(before, after) {
			t.Errorf("restart %d: %d numbers before it, %d after it, or they differ", restart, len(before), len(after))
		}
		l.stop()
	}
	if !spoiled {
		t.Error("no snapshot was spoiled")
	}
}

// TestATopicDoesNotInheritASnapshot of one that had its name.
func TestATopicDoesNotInheritASnapshot(t *testing.T) {
	f := vfs.NewMem(0)
	l := startLedgers(t, f)
	write := func() {
		l.create(OffsetsTopic, 1)
		must(t, l.rt.Settle(t.Context(), ""))
		for n := range uint64(100) {
			_, err := l.rt.Do(t.Context(), "", setNumber{"n", n})
			must(t, err)
		}
	}
	write()
	l.stop() // snapshots are on disk then
	l = startLedgers(t, f)
	defer func() { l.stop() }()
	l.awaitRecovery()
	old, err := l.find(OffsetsTopic, 0).Note().Read(1 << 20)
	if err != nil || len(old) == 0 {
		t.Fatalf("no snapshot after 100 records: %v", err)
	}
	l.remove(OffsetsTopic)
	write()
	p := l.find(OffsetsTopic, 0)
	must(t, p.Note().Keep(old, 1<<40))
	_, err = l.rt.Do(t.Context(), "", setNumber{"m", 1})
	must(t, err)
	l.rt.Resign(0)
	l.rt.Lead(0, &tail{p, p.Offsets().LeaderEpoch})
	must(t, l.rt.Settle(t.Context(), ""))
	got, _ := l.rt.Each(t.Context(), allNumbers{})[0].Body.(map[string]uint64)
	if want := map[string]uint64{"n": 99, "m": 1}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestADiskThatIsFullCostsItsCommandsAlone: they are refused, what was
// answered stays, and service goes on when there is room.
func TestADiskThatIsFullCostsItsCommandsAlone(t *testing.T) {
	d := durableDisk(t, 8)
	l := startLedgers(t, d)
	defer l.stop()
	l.create(OffsetsTopic, 1)
	must(t, l.rt.Settle(t.Context(), ""))
	set := func(n uint64) error {
		_, err := l.rt.Do(t.Context(), "g", setNumber{"g", n})
		return err
	}
	must(t, set(1))
	full := true
	var mu sync.Mutex
	d.OnOp(func(op sim.Op) sim.Action {
		mu.Lock()
		defer mu.Unlock()
		if full && op.Kind == sim.OpWrite {
			return sim.Action{Err: syscall.ENOSPC}
		}
		return sim.Action{}
	})
	if err := set(2); wire.CodeOf(err) != wire.NotCoordinator {
		t.Errorf("the write that finds the disk full: got %v, want NOT_COORDINATOR", err)
	}
	must(t, l.rt.Settle(t.Context(), ""))
	if err := set(3); wire.CodeOf(err) != wire.KafkaStorageError {
		t.Errorf("the write after it: got %v, want KAFKA_STORAGE_ERROR", err)
	}
	if got := l.get("g"); got != 1 {
		t.Errorf("the number is %d, want 1", got)
	}
	mu.Lock()
	full = false
	mu.Unlock()
	must(t, set(4))
	if got := l.get("g"); got != 4 {
		t.Errorf("the number is %d, want 4", got)
	}
}

func durableDisk(t *testing.T, seed uint64) *sim.Disk {
	t.Helper()
	d := sim.NewDisk(seed)
	must(t, errors.Join(d.MkdirAll("/data0", 0o755), d.SyncDir("/")))
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
