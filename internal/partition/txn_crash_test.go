package partition

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"ottla/internal/sim"
	"ottla/internal/wire"
)

// txnLife is several transactional producers, their coordinator, and a
// consumer at read_committed of one partition whose machine loses power again
// and again. What the coordinator decided is remembered outside: its log is
// another.
type txnLife struct {
	*rig
	disk      *sim.Disk
	rnd       *rand.Rand
	producers []*txnProducer
	reader    committedReader
	committed []string // of transactions whose commit is complete
}

// txnProducer is one producer: in no transaction, in one that is open, or in
// one that is decided and whose end is not known to be complete.
type txnProducer struct {
	id      int64
	epoch   int16
	seq     int32
	n       int      // values sent, ever
	sent    []string // of the transaction
	ends    []int64  // what the answers to them wait for
	added   bool     // the coordinator knows that the transaction has this partition
	decided bool
	commit  bool
	end     int64 // of its marker, -1 until it is written
}

func (p *txnProducer) next() {
	p.epoch, p.seq, p.sent, p.ends, p.added, p.decided, p.end = p.epoch+1, 0, nil, nil, false, false, -1
}

// TestTransactionsSurvivePowerCuts cuts the power at random operations of the
// disk. After each restart the coordinator writes the markers of what it had
// decided again and aborts the rest, as after a restart of its own; at the end
// everything committed can be read, each value once and a producer's in order,
// and nothing else; and what a consumer has read on the way is still there.
func TestTransactionsSurvivePowerCuts(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			l := &txnLife{disk: sim.NewDisk(seed), rnd: rand.New(rand.NewPCG(seed, 11)), reader: committedReader{t: t}}
			c := plain()
			c.VerifyTransactions = true
			c.Log.SegmentBytes = 1500 + l.rnd.Int64N(4000)
			c.Log.IndexIntervalBytes = l.rnd.Int64N(1000)
			l.rig = newRig(t, durable(t, l.disk), "/data", c)
			for id := range int64(4) {
				l.producers = append(l.producers, &txnProducer{id: id, end: -1})
			}
			for range 6 {
				l.live()
				l.fall()
				l.check()
				if t.Failed() {
					return
				}
			}
		})
	}
}

// live works until the power goes.
func (l *txnLife) live() {
	left := l.rnd.IntN(250)
	l.disk.OnOp(func(o sim.Op) sim.Action {
		if left--; left < 0 {
			return sim.Action{Cut: true, Keep: o.Len / 2}
		}
		return sim.Action{}
	})
	for left >= 0 {
		p := l.producers[l.rnd.IntN(len(l.producers))]
		var err error
		switch n := l.rnd.IntN(20); {
		case n < 8 && !p.decided:
			err = l.send(p)
		case n < 11 && p.added && !p.decided:
			l.decide(p)
		case n < 13 && p.decided:
			err = l.finish(p)
		case n < 16:
			err = l.dir.SyncRound()
		case n < 17:
			err = l.dir.Checkpoint(nil)
		case n < 18:
			l.refuseLate(p)
		default:
			l.consume()
		}
		if err != nil && left >= 0 {
			l.t.Fatalf("with the power on: %v", err)
		}
	}
}

// send is a Produce: the coordinator is asked where the partition wants it.
func (l *txnLife) send(p *txnProducer) error {
	value := fmt.Sprintf("%d/%d", p.id, p.n)
	g := l.p.Guard(p.id, p.epoch, p.seq, true)
	if (g == 0) != (len(p.sent) > 0) {
		l.t.Errorf("producer %d, epoch %d: guard %d with %d batches in the transaction", p.id, p.epoch, g, len(p.sent))
	}
	p.added = true
	args := inTxn(g)
	var got Appended
	if err := l.p.Append(part(p.id, p.epoch, p.seq, value), &args, &got); err != nil {
		return err
	}
	p.n, p.seq, p.sent, p.ends = p.n+1, p.seq+1, append(p.sent, value), append(p.ends, got.End)
	return nil
}

// decide is an EndTxn: a client commits when all it sent was answered.
func (l *txnLife) decide(p *txnProducer) {
	p.decided, p.commit = true, l.rnd.IntN(3) > 0
	for _, end := range p.ends {
		if done, err := l.p.Await(ignore{}, end, -1); p.commit && (!done || err != nil) {
			p.decided = false // its answer is not there yet
			return
		}
	}
}

// finish writes the marker, and sees whether it is synced.
func (l *txnLife) finish(p *txnProducer) error {
	if p.end < 0 {
		args := strict
		var got Appended
		if err := l.p.Append(marker(p.id, p.epoch+1, p.commit), &args, &got); err != nil {
			return err
		}
		p.end = got.End
	}
	if done, err := l.p.Await(ignore{}, p.end, -1); !done || err != nil {
		return nil
	}
	if o := l.p.Offsets(); o.HighWatermark < p.end {
		l.t.Errorf("the end of producer %d's transaction at %d is told with the high watermark at %d", p.id, p.end, o.HighWatermark)
	}
	if p.commit {
		l.committed = append(l.committed, p.sent...)
	}
	p.next()
	return nil
}

// refuseLate sends a batch of an epoch that is over.
func (l *txnLife) refuseLate(p *txnProducer) {
	if p.epoch == 0 || p.added {
		return
	}
	args := inTxn(l.p.Guard(p.id, p.epoch-1, 0, true))
	var got Appended
	if err := l.p.Append(part(p.id, p.epoch-1, 7, "late"), &args, &got); err == nil {
		l.t.Errorf("producer %d: a batch of epoch %d was taken in epoch %d", p.id, p.epoch-1, p.epoch)
	}
}

// consume reads some at read_committed.
func (l *txnLife) consume() {
	a := committed(l.reader.next)
	a.MaxBytes = l.rnd.IntN(2000)
	var f Fetched
	if err := l.p.Fetch(&a, &f); err != nil || f.Slice.Len == 0 {
		return
	}
	b := make([]byte, f.Slice.Len)
	_, err := f.Slice.ReadAt(b, 0)
	f.Slice.Release()
	if err == nil {
		l.reader.take(&f, b)
	}
}

// fall is the power cut and the start after it.
func (l *txnLife) fall() {
	l.disk.OnOp(nil)
	if l.rnd.IntN(3) == 0 {
		l.disk.Kill()
	} else {
		l.disk.Crash()
	}
	l.disk.Restart()
	l.epoch++
	l.open()
	if o := l.p.Offsets(); o.LastStable < l.reader.next {
		l.t.Errorf("read_committed had come to %d; after the restart the last stable offset is %d", l.reader.next, o.LastStable)
	}
	for _, p := range l.producers {
		if !p.decided && p.added {
			p.decided, p.commit = true, false // fenced
		}
		p.end = -1 // written again, whether it is there or not
	}
	for _, p := range l.producers {
		for p.decided {
			l.consume() // what is open is not to be seen
			if err := l.finish(p); err != nil {
				l.t.Fatalf("the end of producer %d's transaction: %v", p.id, err)
			}
			l.round()
		}
	}
	if o := l.p.Offsets(); o.LastStable != o.LogEnd {
		l.t.Errorf("all transactions have ended, the last stable offset is %d of %d", o.LastStable, o.LogEnd)
	}
}

// check reads all from the beginning.
func (l *txnLife) check() {
	all := l.readAll(0, 200+l.rnd.IntN(3000))
	got, want := all.values(), slices.Clone(l.committed)
	slices.Sort(want)
	sorted := slices.Clone(got)
	slices.Sort(sorted)
	if !slices.Equal(sorted, want) {
		l.t.Errorf("read_committed reads\n%q, committed was\n%q", sorted, want)
	}
	if !slices.Equal(all.seen[:min(len(l.reader.seen), len(all.seen))], l.reader.seen) {
		l.t.Errorf("read on the way: %v\nread now: %v", l.reader.seen, all.seen)
	}
	for offset := int64(0); offset < l.p.Offsets().LogEnd; offset += 1 + l.rnd.Int64N(20) {
		from := l.readAll(offset, 1<<20)
		i := slices.IndexFunc(all.seen, func(r seenRecord) bool { return r.offset >= offset })
		if i < 0 {
			i = len(all.seen)
		}
		if !slices.Equal(from.seen, all.seen[i:]) {
			l.t.Errorf("from offset %d: %v, want %v", offset, from.seen, all.seen[i:])
		}
	}
	if found, err := l.p.ListOffset(TimeLatest, ReadCommitted, -1); err != nil || found.Offset != l.p.Offsets().LastStable {
		l.t.Errorf("the latest offset at read_committed: %+v, %v (%s)", found, err, wire.CodeOf(err).Name())
	}
	l.reader = *all
}
