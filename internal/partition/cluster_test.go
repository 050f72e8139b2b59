package partition

import (
	"flag"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// More seeds by hand: go test ./internal/partition -run Replicas -cluster.seeds 5000
var (
	clusterSeeds = flag.Int("cluster.seeds", 120, "how many seeds the replicas' tests run")
	clusterFrom  = flag.Uint64("cluster.from", 0, "the first seed of the replicas' tests")
)

// TestReplicasKeepWhatWasAnsweredOrRead: three replicas with acks=all under power
// cuts that lose what was not synced, kills, changes of leader, lost answers of
// the controller and late words of it. Every later leader has every answered
// batch at its offset; the high watermark never goes back for a reader; when all
// is quiet the replicas are equal to the byte, and so are their epochs, producers
// and transactions.
func TestReplicasKeepWhatWasAnsweredOrRead(t *testing.T) {
	total := map[string]int{}
	for i := range *clusterSeeds {
		c := newCluster(t, *clusterFrom+uint64(i))
		c.run(600)
		for k, n := range c.count {
			total[k] += n
		}
	}
	for _, k := range []string{
		"new leaders", "kills", "power cuts", "truncations", "changes of the ISR", "refused proposals", "answers", "appends", "deletions", "starts over", "ends of transactions",
	} {
		if total[k] == 0 && *clusterSeeds >= 100 {
			t.Errorf("%s: never happened in %v", k, total)
		}
	}
	if testing.Verbose() {
		t.Log(total)
	}
}

// TestReplicasThatKeepTheirPowerNeedNoSync: with durability=replicated the memory
// of every in-sync replica is enough as long as only processes die.
func TestReplicasThatKeepTheirPowerNeedNoSync(t *testing.T) {
	for i := range *clusterSeeds / 3 {
		c := newCluster(t, *clusterFrom+uint64(i), func(c *Config) { c.Log.Durability = log.Replicated })
		c.killed = true
		c.run(500)
	}
}

// TestTheSameSeedGivesTheSameCluster: nothing hangs on the order of maps or
// goroutines.
func TestTheSameSeedGivesTheSameCluster(t *testing.T) {
	trace := func() string {
		c := newCluster(t, 7)
		c.run(400)
		s := fmt.Sprint(c.count, c.role())
		for _, m := range c.nodes {
			s += fmt.Sprint(" ", m.disk.Trace())
		}
		return s
	}
	if a, b := trace(), trace(); a != b {
		t.Errorf("two runs of one seed differ:\n%s\n%s", a, b)
	}
}

// run does so many random steps, then heals everything and compares.
func (c *cluster) run(steps int) {
	c.t.Helper()
	for c.steps = range steps {
		c.step()
	}
	c.heal()
	c.compare()
}

func (c *cluster) step() {
	m := c.nodes[c.rnd.IntN(3)]
	switch n := c.rnd.IntN(100); {
	case n < 25:
		s := c.producers[c.rnd.IntN(len(c.producers))]
		c.produce(s)
	case n < 50:
		m.up(func() { m.fetch(50 + c.rnd.IntN(3000)) })
	case n < 60:
		m.up(func() { m.ok(m.dir.SyncRound()) })
	case n < 66:
		m.up(m.progress)
	case n < 76:
		if m.p != nil && m.knows < len(c.roles)-1 {
			m.up(func() { m.learn(m.knows + 1 + c.rnd.IntN(len(c.roles)-1-m.knows)) })
		}
	case n < 82:
		m.up(m.consume)
	case n < 86:
		m.up(func() { m.ok(m.dir.Checkpoint(func(log.Ident) int64 { return m.p.Offsets().HighWatermark })) })
	case n < 88:
		c.clock.Advance(time.Duration(c.rnd.IntN(900)) * time.Millisecond)
		m.up(m.ask)
	case n < 90:
		m.up(m.deleteSome)
	case n < 92:
		m.up(func() { m.ok(m.dir.Housekeep()) })
	case n < 95:
		if m.p == nil {
			m.disk.Restart()
			m.start()
			c.elect()
		}
	case n < 96:
		if m.p != nil {
			m.fall()
		}
	case n < 98:
		c.moveLead()
	default:
		if m.p == nil {
			c.replace(m)
		}
	}
}

// moveLead elects another member of the ISR, as an operator or a balancer would.
func (c *cluster) moveLead() {
	r := c.role()
	id := r.ISR[c.rnd.IntN(len(r.ISR))]
	if c.node(id).p == nil || id == r.Leader {
		return
	}
	r.Leader, r.LeaderEpoch = id, r.LeaderEpoch+1
	c.decide(r)
}

// replace gives a machine that is down and not in sync an empty disk.
func (c *cluster) replace(m *machine) {
	if slices.Contains(c.role().ISR, m.id) {
		return
	}
	for _, f := range m.disk.Files() {
		m.disk.Restart()
		if err := m.disk.Remove(f); err != nil {
			c.failf("empty the disk of node %d: %v", m.id, err)
		}
	}
	m.disk.Restart()
	for _, dir := range []string{"/data/orders-3", "/data"} {
		if err := m.disk.SyncDir(dir); err != nil && dir == "/data" {
			c.failf("empty the disk of node %d: %v", m.id, err)
		}
	}
	if err := m.disk.RemoveAll("/data/orders-3"); err != nil {
		c.failf("empty the disk of node %d: %v", m.id, err)
	}
	if err := m.disk.SyncDir("/data"); err != nil {
		c.failf("empty the disk of node %d: %v", m.id, err)
	}
	c.count["new disks"]++
	m.start()
	c.elect()
}

// produce sends a producer's next batch, or the one that waits again, to the
// leader as the controller knows it.
func (c *cluster) produce(s *seqProducer) {
	if s.committed {
		c.answered(s)
	}
	if s.sent != nil {
		return
	}
	if s.batch == nil {
		c.compose(s)
	}
	r := c.role()
	if r.Leader < 0 {
		return
	}
	m := c.node(r.Leader)
	m.up(func() { m.append(s) })
}

// compose makes a producer's next batch.
func (c *cluster) compose(s *seqProducer) {
	if s.open && c.rnd.IntN(3) == 0 {
		s.end, s.what = true, fmt.Sprintf("%d ends", s.id)
		s.batch = record.EndTxnMarker(s.id, s.epoch, c.rnd.IntN(2) == 0, 1, epochOfTests.UnixMilli())
		return
	}
	s.end, s.what = false, fmt.Sprintf("%d/%d", s.id, s.seq)
	n := 1 + c.rnd.IntN(4)
	s.batch = batch(n, 10+c.rnd.IntN(200), s.what, func(b *record.Builder) {
		b.ProducerID, b.ProducerEpoch, b.BaseSequence, b.Transactional = s.id, s.epoch, s.seq, s.txn
	})
}

// append sends it and waits for all replicas.
func (m *machine) append(s *seqProducer) {
	args := AppendArgs{Acks: -1, Internal: s.end, Transactional: true, AllowZstd: true}
	var got Appended
	err := m.p.Append(slices.Clone(s.batch), &args, &got)
	if wire.CodeOf(err) == wire.OutOfOrderSequenceNumber && m.c.deletes {
		s.epoch, s.seq, s.batch = s.epoch+1, 0, nil // what it had sent is deleted: a client begins anew (KIP-360)
		return
	}
	if err != nil {
		if c := wire.CodeOf(err); c == wire.OutOfOrderSequenceNumber || c == wire.InvalidProducerEpoch || c == wire.InvalidTxnState {
			m.c.failf("node %d: %s: %v", m.id, s.what, err)
		}
		return // sent again some time
	}
	m.c.count["appends"]++
	s.sent = &attempt{by: s, at: m.id, base: got.BaseOffset}
	if done, err := m.p.Await(s.sent, got.End, -1); done || err != nil {
		s.sent.Committed(err)
	}
}

// answered counts an acknowledged batch.
func (c *cluster) answered(s *seqProducer) {
	c.count["answers"]++
	c.acked[s.sent.base] = string(s.batch)
	switch {
	case s.end:
		s.open = false
		c.count["ends of transactions"]++
	default:
		h, err := record.ParseHeader(s.batch)
		if err != nil {
			c.failf("%v", err)
		}
		s.seq = h.LastSequence() + 1
		s.open = s.open || s.txn
	}
	s.batch, s.sent, s.committed = nil, nil, false
}

// consume reads all that may be read, from any replica, and holds it against
// what was read before.
func (m *machine) consume() {
	at := m.p.Offsets().LogStart
	if m.c.rnd.IntN(2) == 0 && m.p.Offsets().HighWatermark > at {
		at += m.c.rnd.Int64N(m.p.Offsets().HighWatermark - at)
	}
	a := FetchArgs{Offset: at, MaxBytes: 1 << 20, CurrentLeaderEpoch: -1, LastFetchedEpoch: -1, Anyone: true}
	var f Fetched
	if err := m.p.Fetch(&a, &f); err != nil || f.Slice.Len == 0 {
		return
	}
	b := make([]byte, f.Slice.Len)
	_, err := f.Slice.ReadAt(b, 0)
	f.Slice.Release()
	if err != nil {
		return
	}
	for _, h := range split(m.c.t, b) {
		raw := string(b[:h.Size()])
		if old, ok := m.c.read[h.BaseOffset]; ok && !same(old, raw) {
			m.c.failf("node %d: offset %d reads otherwise than before", m.id, h.BaseOffset)
		}
		m.c.read[h.BaseOffset] = raw
		b = b[h.Size():]
		m.c.count["reads"]++
	}
}

// deleteSome deletes records below the high watermark, in every other run: where
// records are gone, replicas that came later know less of old transactions, in
// Kafka too.
func (m *machine) deleteSome() {
	o := m.p.Offsets()
	if m.c.seed%2 == 0 || o.HighWatermark <= o.LogStart || m.c.role().Leader != m.id {
		return
	}
	m.c.deletes = true // a power cut may come after the deletion and before its answer
	to, err := m.p.DeleteRecords(o.LogStart + m.c.rnd.Int64N((o.HighWatermark-o.LogStart)/2+1))
	if err == nil {
		m.c.count["deletions"]++
		m.c.lowest = max(m.c.lowest, to)
	}
}

// heal ends all faults and lets everybody catch up.
func (c *cluster) heal() {
	for _, m := range c.nodes {
		if m.p == nil {
			m.disk.Restart()
			m.start()
		}
	}
	c.elect()
	quiet := 0
	for range 3000 {
		before := c.standing()
		for _, m := range c.nodes {
			m.learn(len(c.roles) - 1)
			m.ok(m.dir.SyncRound())
			m.progress()
		}
		for _, m := range c.nodes {
			m.fetch(4000)
			m.ask()
		}
		for _, s := range c.producers {
			if s.committed {
				c.answered(s)
			}
			if s.batch != nil && s.sent == nil {
				c.node(c.role().Leader).append(s)
			}
		}
		if quiet++; c.standing() != before {
			quiet = 0
		}
		if quiet > 20 {
			return
		}
	}
	c.failf("the replicas do not come to rest: %s", c.standing())
}

// standing is what moves while the replicas catch up.
func (c *cluster) standing() string {
	s := fmt.Sprint(c.role())
	for _, m := range c.nodes {
		s += fmt.Sprint(" ", m.p.Offsets())
	}
	for _, x := range c.producers {
		s += fmt.Sprint(" ", x.batch != nil)
	}
	return s
}

// compare: when all is quiet the replicas are alike.
func (c *cluster) compare() {
	c.t.Helper()
	r := c.role()
	if len(r.ISR) != 3 {
		c.failf("not all replicas are in sync again: %+v, %s", r, c.standing())
	}
	lead := c.node(r.Leader)
	want := lead.p.Offsets()
	if want.HighWatermark != want.LogEnd {
		c.failf("the high watermark stays at %+v", want)
	}
	c.checkLeader(lead)
	c.checkOnce(lead)
	for _, s := range c.producers {
		if s.batch != nil {
			c.failf("producer %d gets no answer", s.id)
		}
	}
	for _, m := range c.nodes {
		got := m.p.Offsets()
		from := max(got.LogStart, want.LogStart)
		if got.LogEnd != want.LogEnd || got.HighWatermark != want.HighWatermark || !c.deletes && got.LastStable != want.LastStable {
			c.failf("node %d stands at %+v, the leader at %+v", m.id, got, want)
		}
		if !maps.Equal(lead.batchesOf(from), m.batchesOf(from)) {
			c.failf("node %d holds other batches than the leader", m.id)
		}
		if a, b := c.epochs(lead, from), c.epochs(m, from); !slices.Equal(a, b) {
			c.failf("node %d has epochs %v, the leader %v", m.id, b, a)
		}
		if a, b := lead.p.log.Load().Producers().List(), m.p.log.Load().Producers().List(); !reflect.DeepEqual(a, b) && !c.deletes {
			c.failf("node %d has producers %+v, the leader %+v", m.id, b, a)
		}
	}
}

// epochs are those of a log's records from an offset on.
func (c *cluster) epochs(m *machine, from int64) []log.EpochEntry {
	var out []log.EpochEntry
	for _, e := range m.p.log.Load().Epochs().All() {
		if e.Start < m.p.Offsets().LogEnd {
			e.Start = max(e.Start, from)
			if n := len(out); n > 0 && out[n-1].Start == e.Start {
				out = out[:n-1]
			}
			out = append(out, e)
		}
	}
	return out
}

// checkOnce: each number of each producer is in the log once, in order.
func (c *cluster) checkOnce(m *machine) {
	next := map[[2]int64]int32{}
	all := m.batchesOf(0)
	for _, base := range slices.Sorted(mapKeys(all)) {
		h, err := record.ParseHeader([]byte(all[base]))
		if err != nil {
			c.failf("%v", err)
		}
		if h.Control() {
			continue
		}
		who := [2]int64{h.ProducerID, int64(h.ProducerEpoch)}
		if want, ok := next[who]; ok && h.BaseSequence != want {
			c.failf("producer %d: sequence %d at offset %d, want %d", h.ProducerID, h.BaseSequence, base, want)
		}
		next[who] = h.LastSequence() + 1
	}
}
