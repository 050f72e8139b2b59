package partition

import (
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"ottla/internal/record"
	"ottla/internal/wire"
)

// bell is a waiter of a goroutine, for both kinds of waiting.
type bell struct {
	committed chan error
	readable  chan struct{}
}

func newBell() *bell { return &bell{make(chan error, 1), make(chan struct{}, 1)} }

func (b *bell) Committed(err error) { b.committed <- err }
func (b *bell) Readable(int) {
	select {
	case b.readable <- struct{}{}:
	default:
	}
}

// numberedBatch carries who sent it and its number in that sender's order.
func numberedBatch(b *record.Builder, sender, n int) []byte {
	b.ProducerID, b.ProducerEpoch, b.BaseSequence = int64(sender), 0, int32(n)
	b.Add(epochOfTests.UnixMilli(), nil, binary.BigEndian.AppendUint64(nil, uint64(sender)<<32|uint64(n)))
	return b.Build(0)
}

// passing is the sender of records that no reader counts.
const passing = 1 << 20

// TestWritersReadersAndChangesTogether lets idempotent writers (each resending
// now and then), waiting readers of both isolations, changes of role and
// settings and deletion run beside sync rounds. Every reader sees every
// record of every writer once and in order.
func TestWritersReadersAndChangesTogether(t *testing.T) {
	const writers, each = 4, 300
	r := memRig(t, func(c *Config) { c.Log.SegmentBytes = 16 << 10 })
	r.drive()
	var all sync.WaitGroup
	for s := range writers {
		all.Go(func() { writeNumbered(t, r.p, s, each) })
	}
	for i := range 3 {
		all.Go(func() { readNumbered(t, r.p, Isolation(i%2), writers, each) })
	}
	all.Go(func() { r.chores(50) })
	all.Go(func() {
		for i := range 100 {
			o := r.p.Offsets()
			if o.LogStart > o.LastStable || o.LastStable > o.HighWatermark || o.HighWatermark > o.LogEnd {
				t.Errorf("offsets out of order: %+v", o)
			}
			c := r.conf
			c.MinInsync = i % 3
			r.p.Configure(c)
			if err := r.p.Become(Role{Leader: 1, LeaderEpoch: int32(i), PartitionEpoch: int32(i), Replicas: []int32{1}, ISR: []int32{1}}); err != nil {
				t.Error(err)
			}
			// A producer of long ago comes by and is forgotten again.
			old := record.NewBuilder()
			old.ProducerID, old.ProducerEpoch, old.BaseSequence = int64(1000+i), 0, 0
			old.Add(epochOfTests.Add(-48*time.Hour).UnixMilli(), nil, binary.BigEndian.AppendUint64(nil, passing<<32))
			if err := r.p.Append(old.Build(0), &AppendArgs{Acks: 1}, new(Appended)); err != nil {
				t.Error(err)
			}
			r.p.Expire(epochOfTests)
			if err := r.p.Retain(); err != nil {
				t.Error(err)
			}
			_ = r.p.Describe()
			if _, err := r.p.ListOffset(TimeLatest, ReadCommitted, -1); err != nil && wire.CodeOf(err) != wire.OffsetNotAvailable {
				t.Error(err)
			}
		}
	})
	all.Wait()
	if o := r.p.Offsets(); o.LogEnd != writers*each+100 {
		t.Errorf("offsets %+v, want %d records", o, writers*each+100)
	}
	if infos, err := r.p.Producers(); err != nil || len(infos) != writers {
		t.Errorf("%d producers %v, want the %d writers", len(infos), err, writers)
	}
}

func writeNumbered(t *testing.T, p *Partition, sender, each int) {
	w, b := newBell(), record.NewBuilder()
	for n := range each {
		made := numberedBatch(b, sender, n)
		for range 1 + n%2 { // every other one is sent twice
			var got Appended
			record.SetBaseOffset(made, 0)
			if err := p.Append(made, &AppendArgs{Acks: -1}, &got); err != nil {
				t.Errorf("writer %d, number %d: %v", sender, n, err)
				return
			}
			done, err := p.Await(w, got.End, -1)
			if !done && err == nil {
				err = <-w.committed
			}
			if err != nil {
				t.Errorf("writer %d, number %d: %v", sender, n, err)
				return
			}
			if high := p.Offsets().HighWatermark; high < got.End {
				t.Errorf("answered for %d at high watermark %d", got.End, high)
			}
		}
	}
}

func readNumbered(t *testing.T, p *Partition, i Isolation, writers, each int) {
	w := newBell()
	next := make([]int, writers)
	offset, buf := int64(0), []byte(nil)
	for seen := 0; seen < writers*each; {
		a := at(offset)
		a.Isolation, a.MaxBytes = i, 2000
		var f Fetched
		if err := p.Fetch(&a, &f); err != nil {
			t.Errorf("reader at %d: %v", offset, err)
			return
		}
		if f.Slice.Len == 0 {
			bound := f.HighWatermark
			if i == ReadCommitted {
				bound = f.LastStable
			}
			p.Watch(w, bound, i)
			<-w.readable
			p.Unwatch(w)
			continue
		}
		buf = append(buf[:0], make([]byte, f.Slice.Len)...)
		if _, err := f.Slice.ReadAt(buf, 0); err != nil {
			t.Errorf("reader at %d: %v", offset, err)
			return
		}
		f.Slice.Release()
		for rest := buf; len(rest) >= record.HeaderSize; {
			h, err := record.ParseHeader(rest)
			if err != nil || h.BaseOffset != offset && h.Size() <= len(rest) {
				t.Errorf("reader at %d: batch %+v, %v", offset, h, err)
				return
			}
			if h.Size() > len(rest) {
				break
			}
			err = record.Walk(rest[:h.Size()], 1<<20, func(x *record.Record) bool {
				v := binary.BigEndian.Uint64(x.Value)
				sender, n := int(v>>32), int(uint32(v))
				if sender == passing {
					return true
				}
				seen++
				if next[sender] != n {
					t.Errorf("offset %d: number %d of writer %d, want %d", offset, n, sender, next[sender])
				}
				next[sender] = n + 1
				return true
			})
			if err != nil {
				t.Errorf("reader at %d: %v", offset, err)
				return
			}
			offset, rest = h.NextOffset(), rest[h.Size():]
		}
	}
}

// TestEveryWaiterIsToldOnce closes, loses and regains partitions under load:
// each waiter is told once, and those who were told nothing but success find
// their records.
func TestEveryWaiterIsToldOnce(t *testing.T) {
	for range 20 {
		r := memRig(t)
		stop := r.drive()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 50 {
					w := newWaiter(t)
					var got Appended
					if err := r.p.Append(batch(1, 10, "x"), &AppendArgs{Acks: -1}, &got); err != nil {
						return
					}
					done, err := r.p.Await(w, got.End, -1)
					if !done && err == nil {
						err = <-w.ch
					}
					if err != nil && wire.CodeOf(err) != wire.NotLeaderOrFollower {
						t.Errorf("told %v", err)
					}
				}
			})
		}
		all.Go(func() {
			if err := r.p.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
		all.Wait()
		stop()
	}
}
