package quorum

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"ottla/internal/metadata"
	"ottla/internal/record"
	"ottla/internal/sim"
	"ottla/internal/wire"
)

// lagging is a trio whose member 3 (or 2, if 3 leads) is cut off while topics
// are created.
func lagging(t *testing.T, topics int) (w *trio, lead *rig, behind uint64) {
	t.Helper()
	w = newTrio(t)
	lead = w.elect()
	for _, id := range w.ids {
		if w.nodes[id] != lead {
			behind = id
		}
	}
	w.cut[behind] = true
	for n := range topics {
		if a := answer(t, w.ask(lead, create{n})[0]); a.err != nil {
			t.Fatal(a.err)
		}
	}
	return w, lead, behind
}

// A member that lags gets what it lacks from the leader's log on disk: the
// entries are no longer in memory.
func TestLaggingMemberIsServedFromTheLog(t *testing.T) {
	w, lead, behind := lagging(t, 30)
	lead.member.store.trim(lead.member.applied, true)
	if len(lead.member.store.tail) != 0 {
		t.Fatalf("%d entries are still in memory", len(lead.member.store.tail))
	}
	w.cut[behind] = false
	w.elect()
	w.settle(30)
}

// One that lags behind the log itself gets a snapshot from the leader, and goes
// on from there; a restart finds it.
func TestMemberBehindTheLogTakesASnapshot(t *testing.T) {
	w, lead, behind := lagging(t, 30)
	m := lead.member
	for n := range keptSnapshots {
		meta := m.snapshotMeta(w.now)
		m.snapshotWritten(meta, m.files.write(meta, m.image))
		if a := answer(t, w.ask(lead, create{100 + n})[0]); a.err != nil {
			t.Fatal(a.err)
		}
	}
	w.cut[behind] = false
	w.settle(32)
	r := w.nodes[behind]
	if r.member.failed != nil || len(r.member.files.ids) != 1 || r.member.journal.start() == 0 {
		t.Fatalf("failed %v, snapshots %v, log from %d", r.member.failed, r.member.files.ids, r.member.journal.start())
	}
	v := r.member.voters.byID[behind]
	if err := errors.Join(r.member.journal.close(), r.dir.Close(nil)); err != nil {
		t.Fatal(err)
	}
	w.open(behind, v, r.fs)
	w.settle(32)
}

// A snapshot that cannot be written costs the snapshot and nothing else.
func TestFailedSnapshotIsTriedAgain(t *testing.T) {
	d := sim.NewDisk(1)
	r := mustRig(t, d, 1000)
	failures := 0
	d.OnOp(func(op sim.Op) sim.Action {
		if op.Kind == sim.OpWrite && strings.HasSuffix(op.Name, partSuffix) && failures < 2 {
			failures++
			return sim.Action{Err: errIO}
		}
		return sim.Action{}
	})
	for n := range 40 {
		r.do(create{n})
	}
	if failures != 2 || len(r.member.files.ids) != keptSnapshots {
		t.Errorf("after %d failures there are snapshots %v", failures, r.member.files.ids)
	}
	if len(named(t, d, ".checkpoint")) != keptSnapshots {
		t.Errorf("files: %v", files(t, d))
	}
	r.stop()
	if r = mustRig(t, d, 1000); r.member.image.TopicCount() != 40 {
		t.Errorf("%d topics after a restart", r.member.image.TopicCount())
	}
}

// Close leaves no goroutine and no timer, with snapshots under way and callers
// waiting; an idle quorum of one has nothing that ticks.
func TestNothingRunsAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := node(t, newMem(t), func(o *Options) { o.SnapshotBytes = 500 })
		for i := range 20 {
			go func() {
				_, err := n.Do(context.Background(), create{i})
				if err != nil && !errors.Is(err, wire.NotController) {
					t.Errorf("command %d: %v", i, err)
				}
			}()
		}
		synctest.Wait()
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Whatever is in a log under a sound checksum, the start refuses it or takes
// it, and does not panic.
func TestStrangeBatchesAreRefused(t *testing.T) {
	bad := map[string][]byte{
		"not a metadata record": func() []byte {
			b := newControlBatch(1)
			b.Control = false
			b.Add(0, nil, []byte("nonsense"))
			return b.Build(3)
		}(),
		"unknown control record": func() []byte {
			b := newControlBatch(1)
			b.Add(0, []byte{0, 0, 0, 99}, nil)
			return b.Build(3)
		}(),
		"short control key": func() []byte {
			b := newControlBatch(1)
			b.Add(0, []byte{0}, nil)
			return b.Build(3)
		}(),
		"voters without a change": func() []byte {
			b := newControlBatch(1)
			b.Add(0, []byte{0, 0, 0, 6}, votersValue([]Voter{voterA}))
			return b.Build(3)
		}(),
		"two control records": func() []byte {
			b := newControlBatch(1)
			b.Add(0, []byte{0, 0, 0, 2}, leaderChangeValue(1, nil))
			b.Add(0, []byte{0, 0, 0, 2}, leaderChangeValue(1, nil))
			return b.Build(3)
		}(),
		"a partition of no topic": recordBatch(3, 1, 0, topicRecords(9)[1:]),
	}
	for name, batch := range bad {
		t.Run(name, func(t *testing.T) {
			f := newMem(t)
			r := mustRig(t, f, 0)
			r.do(create{1}) // leader change, then two records: the log ends at 3
			h, err := record.ParseHeader(batch)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.member.journal.log.Append(&h, batch); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(r.member.journal.sync(), r.dir.Close(nil)); err != nil {
				t.Fatal(err)
			}
			if n, err := reopen(t, f); err == nil {
				t.Errorf("the node started with %d topics", n)
			} else if !strings.Contains(err.Error(), fmt.Sprint("offset ", 3)) {
				t.Errorf("the refusal does not name the offset: %v", err)
			}
		})
	}
}

// Images that OnImage got are the committed steps, in order.
func TestImagesComeInOrder(t *testing.T) {
	r := mustRig(t, newMem(t), 0)
	r.turn(create{0}, create{1}, count{}, create{2})
	var last *metadata.Image
	for i, img := range r.images {
		if img.TopicCount() != i+1 || last != nil && img.Offset <= last.Offset {
			t.Errorf("step %d has %d topics at offset %d", i, img.TopicCount(), img.Offset)
		}
		last = img
	}
}
