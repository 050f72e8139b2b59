package partition

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/record"
	"ottla/internal/sim"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// cluster is three replicas of one partition on three machines, a controller
// that elects and keeps the ISR, and producers; one goroutine, one seed.
type cluster struct {
	t      *testing.T
	seed   uint64
	rnd    *rand.Rand
	clock  *sim.Clock
	conf   Config
	nodes  []*machine // index: node id - 1
	killed bool       // machines keep their power: only processes end
	told   bool       // a story tells who is in sync; leaders propose nothing
	roles  []Role     // all that the controller has decided, the newest last

	producers []*seqProducer
	acked     map[int64]string // by base offset: what acks=all has answered
	read      map[int64]string // by base offset: what consumers have read
	lowest    int64            // below it records were deleted
	deletes   bool             // records may have been deleted
	steps     int
	count     map[string]int // of what happened
}

// machine is a node.
type machine struct {
	c      *cluster
	id     int32
	disk   *sim.Disk
	dir    *log.Dir
	p      *Partition // nil while it is down
	lives  int64      // registrations so far
	knows  int        // index of the newest role that it has learnt
	high   int64      // the highest high watermark of this life
	begins bool       // it has begun to lead and was not looked at yet
}

// seqProducer sends numbered batches one at a time, each until it is answered.
type seqProducer struct {
	id        int64
	txn       bool
	epoch     int16
	seq       int32
	open      bool // a transaction is open
	batch     []byte
	what      string
	end       bool // what is sent is a marker
	sent      *attempt
	committed bool
}

// attempt is one append of a batch, which waits for its answer.
type attempt struct {
	by   *seqProducer
	at   int32 // the node that was asked
	base int64
}

// Committed implements Waiter.
func (a *attempt) Committed(err error) {
	if a.by.sent != a {
		return // it was given up
	}
	if err == nil || wire.CodeOf(err) == wire.NotEnoughReplicasAfterAppend {
		a.by.committed = true
		return
	}
	a.by.sent = nil
}

func newCluster(t *testing.T, seed uint64, adjust ...func(*Config)) *cluster {
	c := &cluster{
		t: t, seed: seed, rnd: rand.New(rand.NewPCG(seed, 77)), clock: sim.NewClock(epochOfTests), conf: plain(),
		acked: map[int64]string{}, read: map[int64]string{}, count: map[string]int{},
	}
	c.conf.MinInsync = 2
	c.conf.Log.SegmentBytes = 1500 + c.rnd.Int64N(6000)
	for _, f := range adjust {
		f(&c.conf)
	}
	for i := range int32(3) {
		m := &machine{c: c, id: i + 1, disk: durable(t, sim.NewDisk(seed*31+uint64(i)))}
		c.nodes = append(c.nodes, m)
	}
	c.roles = []Role{{Leader: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2, 3}}}
	for _, m := range c.nodes {
		m.start()
	}
	for i := range 4 {
		c.producers = append(c.producers, &seqProducer{id: int64(100 + i), txn: i >= 2})
	}
	return c
}

func (c *cluster) failf(format string, args ...any) {
	c.t.Helper()
	c.t.Fatalf("seed %d, step %d: %s", c.seed, c.steps, fmt.Sprintf(format, args...))
}

// role is what the controller says now.
func (c *cluster) role() Role { return c.roles[len(c.roles)-1] }

func (c *cluster) node(id int32) *machine { return c.nodes[id-1] }

// decide makes a new role known to the controller. Nodes learn it later.
func (c *cluster) decide(r Role) {
	r.PartitionEpoch++
	c.roles = append(c.roles, r)
}

// start brings a machine up; it knows nothing newer than the controller's first
// word.
func (m *machine) start() {
	m.c.t.Helper()
	dir, err := log.OpenDir(log.DirOptions{FS: m.disk, Path: "/data", Now: m.c.clock.Now, VerifyAge: time.Hour})
	if err != nil {
		m.c.failf("node %d: open directory: %v", m.id, err)
	}
	m.dir, m.high, m.begins = dir, 0, false
	m.lives++
	m.p = New(Options{Topic: "orders", ID: uuid.UUID{1, 2, 3}, Index: 3, NodeID: m.id, Now: m.c.clock.Now, Config: m.c.conf})
	if err := m.p.Open(dir); err != nil {
		m.c.failf("node %d: open partition: %v", m.id, err)
	}
	m.learn(len(m.c.roles) - 1)
}

// learn brings the machine to a word of the controller's.
func (m *machine) learn(i int) {
	m.knows = i
	r := m.c.roles[i]
	leads := r.Leader == m.id && m.p.Offsets().LeaderEpoch < r.LeaderEpoch
	if err := m.p.Become(r); err != nil {
		m.c.failf("node %d: become %+v: %v", m.id, r, err)
	}
	// A word that is old news by now may make a leader that nobody obeys.
	m.begins = m.begins || leads && r.LeaderEpoch == m.c.role().LeaderEpoch
}

// begun looks at a machine that began to lead.
func (m *machine) begun() {
	if m.begins {
		m.begins = false
		m.c.count["new leaders"]++
		m.c.checkLeader(m)
	}
}

// fall is the end of a machine: of its process, or of its power.
func (m *machine) fall() {
	m.disk.OnOp(nil)
	if m.c.killed || m.c.rnd.IntN(3) == 0 {
		m.disk.Kill()
		m.c.count["kills"]++
	} else {
		m.disk.Crash()
		m.c.count["power cuts"]++
	}
	m.p, m.dir = nil, nil
	m.c.fence(m.id)
	for _, s := range m.c.producers { // whoever waited at this machine hears nothing
		if s.sent != nil && s.sent.at == m.id && !s.committed {
			s.sent = nil
		}
	}
}

// fence takes a node out of the ISR, the last of it excepted, and elects another
// leader if it led.
func (c *cluster) fence(id int32) {
	r := c.role()
	if len(r.ISR) > 1 {
		r.ISR = slices.DeleteFunc(slices.Clone(r.ISR), func(x int32) bool { return x == id })
	}
	if r.Leader == id {
		r.Leader, r.LeaderEpoch = -1, r.LeaderEpoch+1
	}
	c.decide(r)
	c.elect()
}

// elect gives a partition without leader one of the ISR that is up.
func (c *cluster) elect() {
	r := c.role()
	if r.Leader >= 0 {
		return
	}
	for _, id := range r.ISR {
		if c.node(id).p != nil {
			r.Leader, r.LeaderEpoch = id, r.LeaderEpoch+1
			c.decide(r)
			return
		}
	}
}

// up does something on a machine, which may end it: power cuts come at any
// operation of its disk. It tells whether the machine still stands.
func (m *machine) up(do func()) bool {
	if m.p == nil {
		return false
	}
	cut := false
	if m.c.rnd.IntN(60) == 0 {
		left := m.c.rnd.IntN(12)
		m.disk.OnOp(func(o sim.Op) sim.Action {
			if left--; left < 0 {
				cut = true
				return sim.Action{Cut: true, Keep: o.Len / 2}
			}
			return sim.Action{}
		})
	}
	do()
	m.disk.OnOp(nil)
	if cut {
		m.fall()
		return false
	}
	if m.p.Offsets().HighWatermark < m.high {
		m.c.failf("node %d: the high watermark goes back from %d to %d", m.id, m.high, m.p.Offsets().HighWatermark)
	}
	m.high = m.p.Offsets().HighWatermark
	m.begun()
	return true
}

// fetch is one round of a follower with its leader. Requests and answers take no
// time here; that a machine knows an old word of the controller's makes for the
// delays.
func (m *machine) fetch(maxBytes int) {
	f, err := m.p.Follow()
	if err != nil {
		return
	}
	if f.Lost {
		m.c.failf("node %d: durable records are gone: %+v", m.id, m.p.log.Load().RecoveryReport())
	}
	leader := m.c.node(f.Leader)
	if leader.p == nil {
		return
	}
	a := ReplicaArgs{Replica: m.id, BrokerEpoch: m.lives, Synced: f.Synced, FetchArgs: FetchArgs{
		Offset: f.End, MaxBytes: maxBytes, MinOne: true, CurrentLeaderEpoch: f.LeaderEpoch, LastFetchedEpoch: f.LastEpoch,
	}}
	var got Fetched
	err = leader.p.FetchReplica(&a, &got)
	leader.ask()
	var b []byte
	if err == nil && got.Slice.Len > 0 {
		b = make([]byte, got.Slice.Len)
		if _, err := got.Slice.ReadAt(b, 0); err != nil {
			m.c.failf("node %d: read: %v", leader.id, err)
		}
		got.Slice.Release()
	}
	switch {
	case wire.CodeOf(err) == wire.OffsetOutOfRange:
		m.c.count["starts over"]++
		m.ok(m.p.StartOver(f.LeaderEpoch, got.LogStart))
	case err != nil:
	case got.Diverging:
		m.c.count["truncations"]++
		_, err = m.p.TruncateTo(f.LeaderEpoch, got.DivergingEpoch, got.DivergingEnd)
		m.ok(err)
	default:
		_, err = m.p.AppendFollower(b, &FollowerArgs{LeaderEpoch: f.LeaderEpoch, HighWatermark: got.HighWatermark, LogStart: got.LogStart})
		m.ok(err)
	}
}

// ok fails on an error that no power cut explains.
func (m *machine) ok(err error) {
	if err == nil || m.dir.Err() != nil || wire.CodeOf(err) == wire.NotLeaderOrFollower {
		return
	}
	if _, serr := m.disk.Stat("/data"); serr != nil {
		return // the power is gone
	}
	m.c.failf("node %d: %v", m.id, err)
}

// progress tells the leader what a follower has synced.
func (m *machine) progress() {
	f, err := m.p.Follow()
	if err != nil || m.c.node(f.Leader).p == nil {
		return
	}
	_ = m.c.node(f.Leader).p.Progress(m.id, f.LeaderEpoch, f.Synced)
}

// ask has the controller note what a leader proposes. The answer may be lost on
// its way, and the controller refuses what is stale, and for reasons of its own.
func (m *machine) ask() {
	if m.p == nil || m.c.told {
		return
	}
	x, ok := m.p.Propose(&ProposeArgs{MaxLagMs: 500, Epoch: m.lives, MayJoin: func(id int32, epoch int64) bool {
		n := m.c.node(id)
		return n.p != nil && (epoch < 0 || epoch == n.lives)
	}})
	if !ok || m.c.rnd.IntN(3) == 0 {
		return // it is asked again some time
	}
	r := m.c.role()
	switch {
	case x.LeaderEpoch != r.LeaderEpoch || x.PartitionEpoch != r.PartitionEpoch:
		return // its word is on the way
	case m.c.rnd.IntN(8) == 0:
		m.c.count["refused proposals"]++
		m.p.Withdraw(x)
		return
	}
	r.ISR = nil
	for _, b := range x.ISR {
		r.ISR = append(r.ISR, b.Broker)
	}
	m.c.decide(r)
	m.c.count["changes of the ISR"]++
}

// batchesOf reads a log whole.
func (m *machine) batchesOf(from int64) map[int64]string {
	out := map[int64]string{}
	l := m.p.log.Load()
	err := l.Scan(max(from, l.Start()), func(h *record.Header, raw []byte) error {
		out[h.BaseOffset] = string(bytes.Clone(raw))
		return nil
	})
	if err != nil {
		m.c.failf("node %d: scan: %v", m.id, err)
	}
	return out
}

// same compares two batches but for what a leader puts into them.
func same(a, b string) bool { return len(a) == len(b) && a[16:] == b[16:] }

// checkLeader: whoever begins to lead has everything that was answered or read,
// at its offset.
func (c *cluster) checkLeader(m *machine) {
	has := m.batchesOf(c.lowest)
	for what, of := range map[string]map[int64]string{"acknowledged": c.acked, "read": c.read} {
		for _, base := range slices.Sorted(mapKeys(of)) {
			if base < c.lowest || base < m.p.Offsets().LogStart {
				continue
			}
			if got, ok := has[base]; !ok || !same(got, of[base]) {
				c.failf("node %d begins to lead in epoch %d with %+v and lacks the batch at offset %d, which was %s (there: %v)",
					m.id, m.p.Offsets().LeaderEpoch, m.p.Offsets(), base, what, ok)
			}
		}
	}
}

func mapKeys(m map[int64]string) func(func(int64) bool) {
	return func(yield func(int64) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
