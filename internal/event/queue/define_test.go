package queue_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"ottla/internal/event/queue"
	"ottla/internal/sim"
	fresh "ottla/test/rig"
)

// mostCuts bounds how many of the moments of a creation are tried.
const mostCuts = 10

// The power is cut while a queue is made. Who makes it then has a queue with a topic
// of its own, which goes with it, however far the first came.
func TestAQueueWhoseMakingWasCutOffHasItsOwnTopic(t *testing.T) {
	d := sim.NewDisk(7)
	if err := errors.Join(d.MkdirAll("/data", 0o755), d.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	r := startOn(t, d, time.Now().UnixMilli(), fewPartitions)
	r.create("earlier", nil) // what all queues need is there
	var disks []*sim.Disk
	var mu sync.Mutex // guards disks
	d.OnOp(func(op sim.Op) sim.Action {
		if op.Kind.Changes() {
			mu.Lock()
			defer mu.Unlock()
			disks = append(disks, d.Clone(uint64(op.Seq)))
		}
		return sim.Action{}
	})
	r.create("orders", func(s *queue.Spec) { s.VisibilityMs = 1000 })
	d.OnOp(nil)
	mu.Lock()
	defer mu.Unlock()
	if len(disks) == 0 {
		t.Fatal("nothing is written for a queue")
	}
	n := min(len(disks), mostCuts)
	for i := range n {
		disk := disks[i*len(disks)/n]
		t.Run(fmt.Sprint("moment ", i), func(t *testing.T) {
			disk.Crash()
			disk.Restart()
			startOn(t, disk, time.Now().UnixMilli(), fewPartitions).madeAnew()
		})
	}
}

// madeAnew makes a queue, unless the first came to its end, and deletes it.
func (r *rig) madeAnew() {
	r.Helper()
	spec := queue.DefaultSpec()
	spec.VisibilityMs, spec.RetentionMs = 2000, 100_000
	q, made, err := r.q.Create(r.ctx, ref("orders"), spec)
	switch {
	case errors.Is(err, queue.ErrExists):
		if q, err = r.q.Get(r.ctx, ref("orders")); err != nil || q.Adopted || q.VisibilityMs != 1000 {
			r.Errorf("as it was made: %+v, %v", q, err)
		}
	case err != nil || !made || q.Adopted || q.VisibilityMs != 2000:
		r.Errorf("made anew: %+v, %v, %v", q, made, err)
	}
	if _, err := r.q.Send(r.ctx, ref("orders"), []queue.Message{{Body: []byte("a"), DelayMs: -1}}); err != nil {
		r.Errorf("send: %v", err)
	}
	r.want("it is a queue", bodies(r.take("orders", 1)), "a:1")
	r.must(r.q.Delete(r.ctx, ref("orders")))
	r.noTopic("orders")
}

// The power is cut while a queue is deleted. Whoever deletes it again, or makes it
// again, ends that: a queue that is made then has nothing of the old one.
func TestAQueueWhoseDeletionWasCutOffLeavesNothing(t *testing.T) {
	d := sim.NewDisk(7)
	if err := errors.Join(d.MkdirAll("/data", 0o755), d.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	r := startOn(t, d, time.Now().UnixMilli(), fewPartitions)
	r.create("orders", nil)
	r.send("orders", "old", "older")
	r.good("ack", r.q.Ack(r.ctx, ref("orders"), receipts(r.take("orders", 1))))
	var disks []*sim.Disk
	var mu sync.Mutex // guards disks
	d.OnOp(func(op sim.Op) sim.Action {
		if op.Kind.Changes() {
			mu.Lock()
			defer mu.Unlock()
			disks = append(disks, d.Clone(uint64(op.Seq)))
		}
		return sim.Action{}
	})
	r.must(r.q.Delete(r.ctx, ref("orders")))
	d.OnOp(nil)
	mu.Lock()
	defer mu.Unlock()
	if len(disks) == 0 {
		t.Fatal("nothing is written to delete a queue")
	}
	n := min(len(disks), mostCuts)
	for i := range n {
		disk := disks[i*len(disks)/n]
		t.Run(fmt.Sprint("moment ", i), func(t *testing.T) {
			disk.Crash()
			disk.Restart()
			startOn(t, disk, time.Now().UnixMilli(), fewPartitions).endedAnew(i%2 == 0)
		})
	}
}

// endedAnew ends the deletion of a queue, by another or by making it anew.
func (r *rig) endedAnew(byDelete bool) {
	r.Helper()
	_, err := r.q.Get(r.ctx, ref("orders"))
	switch {
	case err == nil || byDelete: // it is there still, or whoever deletes it says so
		if err := r.q.Delete(r.ctx, ref("orders")); err != nil && !errors.Is(err, queue.ErrNotFound) {
			r.Errorf("delete: %v", err)
		}
		r.noTopic("orders")
	case !errors.Is(err, queue.ErrNotFound):
		r.Errorf("neither there nor gone: %v", err)
	}
	if q := r.create("orders", nil); q.Adopted {
		r.Errorf("it has the topic of the old one: %+v", q)
	}
	r.want("nothing of the old one is there", bodies(r.take("orders", 9)), "")
	r.send("orders", "new")
	r.want("it is a queue", bodies(r.take("orders", 9)), "new:1")
	r.must(r.q.Delete(r.ctx, ref("orders")))
	r.noTopic("orders")
}

func (r *rig) noTopic(name string) {
	r.Helper()
	m, err := fresh.Metadata(r.ctx, r.client())
	r.must(err)
	for _, t := range m.Topics {
		if *t.Topic == name {
			r.Errorf("the topic %s is left", name)
		}
	}
}

// Topics and groups that are the cluster's own, or another queue's, are no queue's.
func TestAQueueTakesNothingThatIsAnothers(t *testing.T) {
	r := start(t)
	first := r.create("first", nil)
	_, err := r.admin().CreateTopic(r.ctx, 1, 1, nil, "free")
	r.must(err)
	for what, change := range map[string]func(*queue.Spec){
		"the cluster's own":        func(s *queue.Spec) { s.Topic = "__consumer_offsets" },
		"the objects":              func(s *queue.Spec) { s.Topic = "__ottla_objects" },
		"another queue's":          func(s *queue.Spec) { s.Topic = first.Topic },
		"one that is not there":    func(s *queue.Spec) { s.Topic = "nowhere" },
		"none of that name":        func(s *queue.Spec) { s.Topic = "no topic" },
		"another queue's group":    func(s *queue.Spec) { s.Group = first.Group },
		"a group for a free topic": func(s *queue.Spec) { s.Topic, s.Group = "free", first.Group },
	} {
		spec := queue.DefaultSpec()
		change(&spec)
		if _, _, err := r.q.Create(r.ctx, ref("second"), spec); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := r.q.Get(r.ctx, ref("second")); !errors.Is(err, queue.ErrNotFound) {
			t.Errorf("%s: there is a queue: %v", what, err)
		}
	}
	own := r.create("__consumer_offsets", nil)
	if own.Adopted || own.Topic == "__consumer_offsets" {
		t.Errorf("a queue of the name of the cluster's own topic: %+v", own)
	}
	r.send("__consumer_offsets", "a")
	r.want("it is a queue", bodies(r.take("__consumer_offsets", 9)), "a:1")
}

// A topic that somebody made is his, whatever became of a queue of its name.
func TestAQueueThatAdoptsATopicLeavesIt(t *testing.T) {
	r := start(t)
	_, err := r.admin().CreateTopic(r.ctx, 1, 1, nil, "orders")
	r.must(err)
	if q := r.create("orders", nil); !q.Adopted {
		t.Errorf("%+v", q)
	}
	r.must(r.q.Delete(r.ctx, ref("orders")))
	m, err := fresh.Metadata(r.ctx, r.client(), "orders")
	r.must(err)
	if len(m.Topics) != 1 || m.Topics[0].ErrorCode != 0 {
		t.Errorf("the topic is gone: %+v", m.Topics)
	}
}
