package quorum

import (
	"errors"
	"slices"
	"testing"

	"ottla/internal/sim"
	"ottla/internal/wire"
)

func TestQuorumOfOneLeadsAtOnceAndRemembers(t *testing.T) {
	f := newMem(t)
	r := mustRig(t, f, 0)
	for n := range 5 {
		r.do(create{n})
	}
	r.stop()
	epoch := int32(r.member.store.hard.term)
	r = mustRig(t, f, 0)
	if got := r.do(count{}); got != 5 {
		t.Errorf("after a restart there are %v topics, want 5", got)
	}
	if now := int32(r.member.store.hard.term); now <= epoch {
		t.Errorf("the leader epoch went from %d to %d, want a higher one", epoch, now)
	}
	if err := r.machine.agrees(r.member.image); err != nil {
		t.Error(err)
	}
}

// Commands of one turn see each other's records, a refusal fails its command
// alone, and replies are in order.
func TestTurnDecidesInOrder(t *testing.T) {
	r := mustRig(t, newMem(t), 0)
	got := r.turn(create{1}, create{1}, count{}, create{2}, huge{}, count{}, "nonsense", create{3})
	want := []any{"topic-00001", nil, 1, "topic-00002", nil, 2, nil, "topic-00003"}
	for i := range want {
		if got[i].reply != want[i] {
			t.Errorf("answer %d is %v, %v, want %v", i, got[i].reply, got[i].err, want[i])
		}
	}
	if !errors.Is(got[1].err, wire.TopicAlreadyExists) || !errors.Is(got[4].err, wire.RecordListTooLarge) || got[6].err == nil {
		t.Errorf("refusals: %v, %v, %v", got[1].err, got[4].err, got[6].err)
	}
	if r.member.image.TopicCount() != 3 || len(r.images) != 3 {
		t.Errorf("the image has %d topics after %d steps, want 3 and 3", r.member.image.TopicCount(), len(r.images))
	}
	if err := r.machine.agrees(r.member.image); err != nil {
		t.Error(err)
	}
}

// Index and offset run apart: leader change, then batches of two records.
func TestOffsetsAndIndexesAfterARestart(t *testing.T) {
	f := newMem(t)
	r := mustRig(t, f, 0)
	r.turn(create{1}, create{2})
	before := r.member.store.index
	r.stop()
	r = mustRig(t, f, 0)
	x := r.member.store.index
	if x.last() != before.last()+1 || x.endOf(before.last()) != before.end() || x.end() != before.end()+1 {
		t.Errorf("entry %d ended at offset %d; now entry %d ends at %d and the log at %d, want one leader change more",
			before.last(), before.end(), before.last(), x.endOf(before.last()), x.end())
	}
	if before.last() != 4 || before.end() != 5 { // base 1; leader change, two batches of two
		t.Errorf("last entry %d, end offset %d, want 4 and 5", before.last(), before.end())
	}
}

func countOps(d *sim.Disk, kinds ...sim.OpKind) *int {
	n := new(int)
	d.OnOp(func(op sim.Op) sim.Action {
		if slices.Contains(kinds, op.Kind) {
			*n++
		}
		return sim.Action{}
	})
	return n
}

func TestTurnSharesOneWriteAndOneSync(t *testing.T) {
	d := sim.NewDisk(1)
	r := mustRig(t, d, 0)
	r.do(create{0})
	syncs, writes := 0, 0
	d.OnOp(func(op sim.Op) sim.Action {
		switch op.Kind {
		case sim.OpSync, sim.OpSyncDir, sim.OpSyncFS:
			syncs++
		case sim.OpWrite:
			writes++
		}
		return sim.Action{}
	})
	var cmds []any
	for n := range 50 {
		cmds = append(cmds, create{n + 1})
	}
	r.turn(cmds...)
	if syncs != 1 || writes > 50 {
		t.Errorf("50 commands cost %d syncs and %d writes, want 1 sync", syncs, writes)
	}
	syncs = 0
	r.turn(count{}, create{1})
	if syncs != 0 {
		t.Errorf("a turn that writes nothing cost %d syncs", syncs)
	}
}

// A restart leads after at most three syncs for term and vote (file and
// directory) and the leader change.
func TestRestartLeadsWithThreeSyncs(t *testing.T) {
	d := sim.NewDisk(1)
	r := mustRig(t, d, 0)
	r.do(create{0})
	r.stop()
	r = &rig{t: t}
	n := countOps(d, sim.OpSync, sim.OpSyncDir, sim.OpSyncFS)
	r = mustRig(t, d, 0)
	if *n > 4 { // the log takes its clean-shutdown mark away first: one SyncDir
		t.Errorf("a restart cost %d syncs until it led, want at most 4", *n)
	}
	if r.member.image.TopicCount() != 1 {
		t.Error("and forgot the topic")
	}
}

func TestSnapshotsBoundTheLog(t *testing.T) {
	f := newMem(t)
	r := mustRig(t, f, 2000)
	for n := range 200 {
		r.do(create{n})
	}
	if got := named(t, f, ".checkpoint"); len(got) != 2 {
		t.Errorf("snapshots %v, want the newest two", got)
	}
	if r.member.journal.start() == 0 || len(r.member.store.index.refs) > 100 {
		t.Errorf("the log begins at %d and %d entries are indexed, want it cut behind the older snapshot", r.member.journal.start(), len(r.member.store.index.refs))
	}
	r.stop()
	r = mustRig(t, f, 2000)
	if got := r.do(count{}); got != 200 {
		t.Errorf("%v topics come back from a snapshot and the log, want 200", got)
	}
	r.do(create{200})
	r.stop()
}

// Without room the command fails and nothing of it is kept; with room again
// the same node goes on.
func TestFullDiskFailsCommandsAndPasses(t *testing.T) {
	d := sim.NewDisk(1)
	r := mustRig(t, d, 0)
	r.do(create{0})
	d.SetCapacity(d.Used())
	var failed []int
	for n := 1; n < 60; n++ {
		if a := r.turn(create{n})[0]; a.err != nil {
			failed = append(failed, n)
		}
		if err := r.machine.agrees(r.member.image); err != nil {
			t.Fatalf("after command %d: %v", n, err)
		}
	}
	if len(failed) == 0 {
		t.Fatal("the disk never was full")
	}
	d.SetCapacity(1 << 30)
	for _, n := range failed {
		r.do(create{n})
	}
	if r.member.image.TopicCount() != 60 {
		t.Errorf("%d topics in the end, want 60", r.member.image.TopicCount())
	}
	r.stop()
	if r = mustRig(t, d, 0); r.member.image.TopicCount() != 60 {
		t.Errorf("%d topics after a restart, want 60", r.member.image.TopicCount())
	}
}

var errIO = errors.New("input/output error")

// A failed sync is final: no answer counts from then on, and what was
// acknowledged before is there after a restart.
func TestFailedSyncIsFinal(t *testing.T) {
	d := sim.NewDisk(1)
	r := mustRig(t, d, 0)
	r.do(create{0})
	d.OnOp(func(op sim.Op) sim.Action {
		if op.Kind == sim.OpSync {
			return sim.Action{Err: errIO}
		}
		return sim.Action{}
	})
	if a := r.turn(create{1})[0]; !errors.Is(a.err, wire.KafkaStorageError) {
		t.Errorf("the command whose sync failed answers %v, want KAFKA_STORAGE_ERROR", a.err)
	}
	d.OnOp(nil)
	for _, cmd := range []any{create{2}, count{}} {
		if a := r.turn(cmd)[0]; !errors.Is(a.err, wire.KafkaStorageError) || !errors.Is(a.err, errIO) {
			t.Errorf("%+v after the failure answers %v, want KAFKA_STORAGE_ERROR with its cause", cmd, a.err)
		}
	}
	if err := r.machine.agrees(r.member.image); err != nil {
		t.Error(err)
	}
	d.CrashWith(sim.Nothing)
	d.Restart()
	if r = mustRig(t, d, 0); r.member.image.TopicByName("topic-00000") == nil || r.member.image.TopicByName("topic-00002") != nil {
		t.Errorf("after a restart there are %d topics, want what was acknowledged", r.member.image.TopicCount())
	}
}

func TestStatusOfAQuorumOfOne(t *testing.T) {
	r := mustRig(t, newMem(t), 0)
	r.do(create{0})
	s := r.member.status()
	if s.Leader != 1 || s.Epoch != 1 || s.HighWatermark != 3 || len(s.Voters) != 1 || s.Voters[0].ID != 1 || s.Voters[0].DirectoryID != dirA || s.Voters[0].LogEndOffset != 3 {
		t.Errorf("got %+v", s)
	}
}
