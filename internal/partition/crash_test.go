package partition

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"ottla/internal/producer"
	"ottla/internal/record"
	"ottla/internal/sim"
	"ottla/internal/wire"
)

// life is an idempotent producer and a consumer of one partition whose machine
// loses power again and again.
type life struct {
	*rig
	disk  *sim.Disk
	rnd   *rand.Rand
	sent  int // batches sent at least once; number n has sequence n
	acked int // batches whose answer has come
	where map[int]int64
	read  int64 // a consumer has read everything below this offset
}

// TestWhatWasAnsweredOrReadSurvivesPowerCuts cuts the power at random
// operations of the disk, with torn and lost writes. After each restart
// nothing acknowledged and nothing read is missing or elsewhere, and the
// producer's repeats are recognised: each number is in the log once, in order.
func TestWhatWasAnsweredOrReadSurvivesPowerCuts(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			l := &life{disk: sim.NewDisk(seed), rnd: rand.New(rand.NewPCG(seed, 9)), where: map[int]int64{}}
			c := plain()
			c.Log.SegmentBytes = 3000 + l.rnd.Int64N(5000)
			l.rig = newRig(t, durable(t, l.disk), "/data", c)
			for range 8 {
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
func (l *life) live() {
	left := l.rnd.IntN(150)
	l.disk.OnOp(func(o sim.Op) sim.Action {
		if left--; left < 0 {
			return sim.Action{Cut: true, Keep: o.Len / 2}
		}
		return sim.Action{}
	})
	for left >= 0 {
		var err error
		switch l.rnd.IntN(4) {
		case 0, 1:
			if l.sent-l.acked < producer.WindowSize { // as clients do
				err = l.send(l.sent)
			}
		case 2:
			if err = l.dir.SyncRound(); err == nil {
				l.answers()
			}
		case 3:
			l.consume()
		}
		if l.rnd.IntN(20) == 0 {
			err = l.dir.Checkpoint(nil)
		}
		if err != nil && left >= 0 {
			l.t.Fatalf("with the power on: %v", err)
		}
	}
}

// send sends number n.
func (l *life) send(n int) error {
	b := record.NewBuilder()
	b.ProducerID, b.ProducerEpoch, b.BaseSequence = 4, 0, int32(n)
	b.Add(epochOfTests.UnixMilli(), nil, binary.BigEndian.AppendUint64(make([]byte, l.rnd.IntN(300)), uint64(n)))
	l.sent = max(l.sent, n+1)
	var got Appended
	if err := l.p.Append(b.Build(0), &all, &got); err != nil {
		return err
	}
	if old, ok := l.where[n]; ok && n < l.acked && old != got.BaseOffset {
		l.t.Errorf("number %d is at offset %d, was acknowledged at %d", n, got.BaseOffset, old)
	}
	l.where[n] = got.BaseOffset
	return nil
}

// answers counts what is acknowledged by now.
func (l *life) answers() {
	for l.acked < l.sent {
		at, ok := l.where[l.acked]
		if !ok {
			return
		}
		if done, err := l.p.Await(ignore{}, at+1, -1); !done || err != nil {
			return
		}
		l.acked++
	}
}

type ignore struct{}

func (ignore) Committed(error) {}

// consume reads everything that may be read.
func (l *life) consume() {
	a := at(l.read)
	var f Fetched
	if err := l.p.Fetch(&a, &f); err != nil || f.Slice.Len == 0 {
		return
	}
	b := make([]byte, f.Slice.Len)
	_, err := f.Slice.ReadAt(b, 0)
	f.Slice.Release()
	if err != nil {
		return
	}
	for _, h := range split(l.t, b) {
		l.read = h.NextOffset()
	}
}

// fall is the power cut and the start after it; then the producer repeats what
// was not answered.
func (l *life) fall() {
	l.disk.OnOp(nil)
	if l.rnd.IntN(3) == 0 {
		l.disk.Kill()
	} else {
		l.disk.Crash()
	}
	l.disk.Restart()
	l.epoch++
	l.open()
	if high := l.p.Offsets().HighWatermark; high < l.read || l.acked > 0 && high <= l.where[l.acked-1] {
		l.t.Errorf("after the restart the high watermark is %d; read up to %d, %d acknowledged", high, l.read, l.acked)
	}
	for n := max(0, min(l.acked, l.sent-1)); n < l.sent; n++ {
		if err := l.send(n); err != nil {
			l.t.Fatalf("number %d again: %v", n, err)
		}
	}
	l.round()
	l.answers()
	if l.acked != l.sent {
		l.t.Errorf("%d of %d are acknowledged after all were repeated", l.acked, l.sent)
	}
}

// check reads the whole log: each number once, in order, where its answer said.
func (l *life) check() {
	n := 0
	for offset := l.p.Offsets().LogStart; ; {
		a := at(offset)
		var f Fetched
		if err := l.p.Fetch(&a, &f); err != nil {
			l.t.Fatalf("fetch at %d: %v (%s)", offset, err, wire.CodeOf(err).Name())
		}
		b := l.bytes(&f)
		if len(b) == 0 {
			l.read = offset
			break
		}
		for _, h := range split(l.t, b) {
			err := record.Walk(b[:h.Size()], 1<<20, func(x *record.Record) bool {
				if got := int(binary.BigEndian.Uint64(x.Value[len(x.Value)-8:])); got != n || h.BaseOffset != l.where[n] {
					l.t.Errorf("offset %d holds number %d; number %d was answered at %d", h.BaseOffset, got, n, l.where[n])
				}
				n++
				return true
			})
			if err != nil {
				l.t.Fatalf("batch at %d: %v", h.BaseOffset, err)
			}
			b, offset = b[h.Size():], h.NextOffset()
		}
	}
	if n != l.sent {
		l.t.Errorf("the log holds %d numbers, %d were sent", n, l.sent)
	}
}
