package controller

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// simWorld is a cluster of brokers with logs of numbers, whose metadata lag
// behind the controller's, beside a real controller. What a leader's high
// watermark has passed is committed: the test is that no clean election ever
// loses any of it (KIP-966), whatever comes in which order.
type simWorld struct {
	t      *testing.T
	rng    *rand.Rand
	c      *Controller
	img    *metadata.Image
	images []*metadata.Image // all so far: brokers see one of them
	nodes  []*simNode
	record int                   // the last one written
	done   map[simPart]*simTruth // what is committed
	log    []string
	hits   map[string]int
}

type simPart struct {
	topic string
	index int32
}

// simTruth is what was committed of a partition, the last leader epoch whose
// election was unclean, and the last in which somebody took the leadership.
type simTruth struct {
	committed      []int
	unclean, taken int32
}

// simNode is a broker: its process, and the logs on its disk.
type simNode struct {
	id      int32
	up      bool
	epoch   int64 // of the registration that its process has, -1 none
	lossy   bool  // it did not stop cleanly
	starts  int
	view    *metadata.Image
	logs    map[simPart][]int
	leading map[simPart]*simLeader
}

// simLeader is what a leader knows of its followers.
type simLeader struct {
	epoch int32
	start int // its log's end when it began to lead
	hw    int
	known map[int32]int // their log ends
	sayer map[int32]int64
	// asked are replicas that it asked into the ISR at a partition epoch: until
	// it knows a later one, they count as in sync.
	asked   []int32
	askedAt int32
}

func newSimWorld(t *testing.T, seed int64, brokers int32) *simWorld {
	w := &simWorld{t: t, rng: rand.New(rand.NewSource(seed)), img: metadata.Empty(), done: map[simPart]*simTruth{}, hits: map[string]int{}}
	w.c = New(Options{NewID: counter(), NodeID: 99, Durability: "memory", Features: map[string][2]int16{"metadata.version": {33, 33}, metadata.ELRVersion: {0, 1}}})
	w.do(Bootstrap{Features: map[string]int16{"metadata.version": 33, metadata.ELRVersion: 1}})
	for id := int32(1); id <= brokers; id++ {
		w.nodes = append(w.nodes, &simNode{id: id, logs: map[simPart][]int{}, epoch: -1})
	}
	for _, n := range w.nodes {
		w.start(n)
		w.see(n, w.img)
		w.do(UnfenceBroker{n.id, n.epoch})
	}
	two, three := "2", "3"
	w.do(CreateTopics{Topics: []NewTopic{
		{Name: "one", Partitions: 2, Replicas: 1},
		{Name: "two", Partitions: 2, Replicas: 2},
		{Name: "three", Partitions: 2, Replicas: 3, Configs: []ConfigEntry{{"min.insync.replicas", &two}}},
		{Name: "strict", Partitions: 1, Replicas: 3, Configs: []ConfigEntry{{"min.insync.replicas", &three}}},
	}})
	return w
}

// do commits a command, and checks what it did to every partition.
func (w *simWorld) do(cmd any) any {
	records, reply, err := w.c.Step(time.Time{}, cmd)
	w.log = append(w.log, fmt.Sprintf("%T%+v: %v %v", cmd, cmd, reply, err))
	if err != nil {
		w.hits["refused"]++
		return nil
	}
	for _, r := range records {
		w.log = append(w.log, "    "+strings.TrimSpace(formatRecord(r)))
		w.c.Apply(r)
	}
	if len(records) == 0 {
		return reply
	}
	before := w.img
	if w.img, _, err = before.With(before.Offset+int64(len(records)), 1, records...); err != nil {
		w.fail("%v", err)
	}
	w.images = append(w.images, w.img)
	w.check(before)
	w.hits[fmt.Sprintf("%T", cmd)]++
	return reply
}

func (w *simWorld) fail(format string, args ...any) {
	w.t.Helper()
	for _, l := range w.log[max(0, len(w.log)-2000):] {
		w.t.Log(l)
	}
	w.t.Fatalf(format, args...)
}

// check holds the promises of doc.go about what one step did.
func (w *simWorld) check(before *metadata.Image) {
	for t := range w.img.Topics() {
		old := before.TopicByID(t.ID)
		for i, p := range t.Partitions {
			if len(p.ISR)+len(p.ELR)+len(p.LastELR) == 0 {
				w.fail("%s-%d: nobody may lead: %+v", t.Name, i, p)
			}
			if p.Leader >= 0 && !slices.Contains(p.ISR, p.Leader) {
				w.fail("%s-%d: the leader is not in sync: %+v", t.Name, i, p)
			}
			if p.Leader >= 0 && !w.c.live(p.Leader) {
				w.fail("%s-%d: the leader does not live: %+v", t.Name, i, p)
			}
			for _, id := range slices.Concat(p.ISR, p.ELR, p.LastELR) {
				if !slices.Contains(p.Replicas, id) {
					w.fail("%s-%d: %d is no replica: %+v", t.Name, i, id, p)
				}
			}
			for _, id := range p.ISR {
				if slices.Contains(p.ELR, id) || !w.c.live(id) {
					w.fail("%s-%d: %d is in sync: %+v", t.Name, i, id, p)
				}
			}
			if len(p.Directories) != len(p.Replicas) || p.Leader < 0 && len(p.ISR) > 0 {
				w.fail("%s-%d: %+v", t.Name, i, p)
			}
			if old != nil && i < len(old.Partitions) {
				w.checkElection(t.Name, old.Partitions[i], p)
			}
		}
	}
}

// checkElection looks at a partition before and after a step.
func (w *simWorld) checkElection(topic string, was, is *metadata.Partition) {
	if is.LeaderEpoch < was.LeaderEpoch || is.PartitionEpoch < was.PartitionEpoch ||
		is.Leader != was.Leader && is.LeaderEpoch == was.LeaderEpoch ||
		is != was && is.PartitionEpoch == was.PartitionEpoch && is.LeaderEpoch != was.LeaderEpoch {
		w.fail("%s-%d: epochs went from %+v to %+v", topic, is.Index, was, is)
	}
	if is.Leader < 0 || is.Leader == was.Leader {
		return
	}
	clean := slices.Contains(was.ISR, is.Leader) || slices.Contains(was.ELR, is.Leader)
	if moved := reassigning(was) && !reassigning(is) && !is.Recovering; clean || moved {
		w.hits["clean election"]++
		if len(was.ISR) == 0 {
			w.hits["election of an eligible one"]++
		}
		return
	}
	if !is.Recovering || len(is.ISR) != 1 {
		w.fail("%s-%d: an unclean election in silence: from %+v to %+v", topic, is.Index, was, is)
	}
	w.hits["unclean election"]++
	w.truth(simPart{topic, is.Index}).unclean = is.LeaderEpoch
}

func (w *simWorld) truth(at simPart) *simTruth {
	if w.done[at] == nil {
		w.done[at] = &simTruth{unclean: -1, taken: -1}
	}
	return w.done[at]
}

// start brings a node's process up and registers it.
func (w *simWorld) start(n *simNode) {
	n.starts++
	reply := w.do(RegisterBroker{OldGone: true, Lossy: n.lossy, Broker: metadata.Broker{
		ID: n.id, Incarnation: number(int(n.id)*10000 + n.starts), Directories: []uuid.UUID{number(50_000 + int(n.id))},
		Rack: fmt.Sprint(n.id % 3),
	}})
	n.up, n.lossy, n.epoch = true, false, reply.(int64)
	n.leading = map[simPart]*simLeader{}
	w.see(n, w.img) // a node acts on nothing older than its registration
}

// crash ends a process; one that loses power loses what was not synced, too.
func (w *simWorld) crash(n *simNode, power bool) {
	n.up, n.lossy = false, power
	if !power {
		return
	}
	for at, log := range n.logs {
		if len(log) > 0 {
			n.logs[at] = log[:w.rng.Intn(len(log)+1)]
		}
	}
}

// see has a node apply the metadata of an image.
func (w *simWorld) see(n *simNode, img *metadata.Image) {
	n.view = img
	for t := range img.Topics() {
		for _, p := range t.Partitions {
			at := simPart{t.Name, p.Index}
			if !slices.Contains(p.Replicas, n.id) {
				delete(n.logs, at)
				delete(n.leading, at)
				continue
			}
			l := n.leading[at]
			switch {
			case p.Leader != n.id:
				delete(n.leading, at)
			case l == nil || l.epoch != p.LeaderEpoch:
				n.leading[at] = &simLeader{epoch: p.LeaderEpoch, start: len(n.logs[at]), known: map[int32]int{}, sayer: map[int32]int64{}}
				w.took(n, at, p)
			case p.PartitionEpoch > l.askedAt:
				l.asked = nil
			}
		}
	}
}

// took checks a new leader against what was committed. The first one after an
// unclean election decides what is left of it.
func (w *simWorld) took(n *simNode, at simPart, p *metadata.Partition) {
	truth, log := w.truth(at), n.logs[at]
	if truth.unclean > truth.taken && p.LeaderEpoch >= truth.unclean {
		truth.taken = p.LeaderEpoch
		truth.committed = truth.committed[:common(truth.committed, log)]
		return
	}
	now := w.img.TopicByName(at.topic).Partitions[at.index]
	if b := w.img.Broker(n.id); now.LeaderEpoch != p.LeaderEpoch || b == nil || b.Epoch != n.epoch {
		return // it is no leader any more and does not know it yet
	}
	if common(truth.committed, log) < len(truth.committed) {
		w.fail("%v: node %d leads in epoch %d with %v, and %v is committed: %+v", at, n.id, p.LeaderEpoch, log, truth.committed, now)
	}
}

// common is the length of the longest common begin.
func common(a, b []int) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
