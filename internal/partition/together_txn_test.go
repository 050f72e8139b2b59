package partition

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"ottla/internal/wire"
)

// referee is a coordinator that a test needs of one: it knows each producer's
// epoch, and whether its transaction has the partition.
type referee struct {
	bumps  bool // an end raises the epoch (KIP-890 part 2)
	mu     sync.Mutex
	epoch  map[int64]int16
	added  map[int64]bool
	ending map[int64]bool
}

// vouch puts the partition into the producer's transaction.
func (c *referee) vouch(id int64, epoch int16) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch[id] != epoch || c.ending[id] {
		return false
	}
	c.added[id] = true
	return true
}

// decide ends the producer's transaction, if it has the partition; it gives the
// marker's epoch.
func (c *referee) decide(id int64) (int16, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.added[id] || c.ending[id] {
		return 0, false
	}
	c.ending[id] = true
	if c.bumps {
		return c.epoch[id] + 1, true
	}
	return c.epoch[id], true
}

// complete notes that the marker is written.
func (c *referee) complete(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bumps {
		c.epoch[id]++
	}
	c.added[id], c.ending[id] = false, false
}

func (c *referee) now(id int64) int16 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.epoch[id]
}

// TestNoBatchIsWrittenBehindItsEnd lets producers write while their
// transactions are ended at any moment, between the coordinator's word and the
// append too (KIP-890): afterwards no transaction is open.
func TestNoBatchIsWrittenBehindItsEnd(t *testing.T) {
	t.Run("one epoch", func(t *testing.T) { writeAndEndTogether(t, false, ours) })
	t.Run("an epoch for each", func(t *testing.T) { writeAndEndTogether(t, true, strict) })
}

func writeAndEndTogether(t *testing.T, bumps bool, how AppendArgs) {
	const producers, writes = 4, 400
	r := verified(t)
	stop := r.drive()
	c := &referee{bumps: bumps, epoch: map[int64]int16{}, added: map[int64]bool{}, ending: map[int64]bool{}}
	end := func(id int64, commit bool) {
		epoch, ok := c.decide(id)
		if !ok {
			return
		}
		args := how
		var got Appended
		if err := r.p.Append(marker(id, epoch, commit), &args, &got); err != nil {
			t.Errorf("the end of epoch %d of producer %d: %v", epoch, id, err)
		}
		c.complete(id)
	}
	var writing, ending sync.WaitGroup
	over := make(chan struct{})
	for id := range int64(producers) {
		writing.Go(func() {
			epoch, seq := int16(0), int32(0)
			for range writes {
				if now := c.now(id); now != epoch {
					epoch, seq = now, 0
				}
				g := r.p.Guard(id, epoch, seq, bumps)
				if g != 0 && !c.vouch(id, epoch) {
					continue
				}
				runtime.Gosched() // the end may come in between
				args := inTxn(g)
				var got Appended
				switch err := r.p.Append(part(id, epoch, seq, "x"), &args, &got); wire.CodeOf(err) {
				case wire.None:
					seq++
				case wire.InvalidTxnState, wire.InvalidProducerEpoch, wire.OutOfOrderSequenceNumber:
				default:
					t.Errorf("producer %d: %v", id, err)
				}
			}
		})
	}
	for n := range uint64(2) {
		ending.Go(func() {
			rnd := rand.New(rand.NewPCG(n, 1))
			for {
				select {
				case <-over:
					return
				default:
					end(rnd.Int64N(producers), rnd.IntN(2) == 0)
					runtime.Gosched()
				}
			}
		})
	}
	writing.Wait()
	close(over)
	ending.Wait()
	for id := range int64(producers) {
		end(id, false)
	}
	stop()
	r.round()
	ended := map[int64]int16{}
	written := 0
	for from := int64(0); from < r.p.Offsets().LogEnd; {
		_, b := r.get(at(from))
		for _, h := range split(t, b) {
			from = h.NextOffset()
			if h.Control() {
				ended[h.ProducerID] = h.ProducerEpoch
				continue
			}
			written++
			if bumps && h.ProducerEpoch != ended[h.ProducerID] {
				t.Errorf("offset %d: a batch of epoch %d of producer %d behind the end of epoch %d", h.BaseOffset, h.ProducerEpoch, h.ProducerID, ended[h.ProducerID])
			}
		}
	}
	infos, err := r.p.Producers()
	if err != nil || len(infos) > producers || written == 0 {
		t.Fatalf("%d batches, producers %+v, %v", written, infos, err)
	}
	for _, x := range infos {
		if x.CurrentTxnStartOffset >= 0 {
			t.Errorf("producer %d has a transaction open from %d on", x.ProducerID, x.CurrentTxnStartOffset)
		}
	}
}
