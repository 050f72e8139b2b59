package log

import (
	"encoding/binary"
	"hash/crc32"
	"testing"
	"time"
)

// reseal puts the right checksum behind a checkpoint file.
func reseal(b []byte) []byte {
	n := len(b) - 4
	binary.BigEndian.PutUint32(b[n:], crc32.Checksum(b[:n], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

func TestWhenAnAppendIsDurable(t *testing.T) {
	for name, c := range map[string]struct {
		cfg   Config
		round int64 // durable after a sync round
		aged  int64 // after Housekeep five seconds later
		close int64
	}{
		"fsync":                     {Config{}, 5, 5, 5},
		"replicated":                {Config{Durability: Replicated}, 0, 5, 5},
		"memory":                    {Config{Durability: Memory}, 0, 0, 5},
		"memory of an internal log": {Config{Durability: Memory, Internal: true}, 5, 5, 5},
		"memory, flush.messages 2":  {Config{Durability: Memory, FlushMessages: 2}, 4, 4, 5},
		"memory, flush.ms 3 s":      {Config{Durability: Memory, FlushAge: 3 * time.Second}, 0, 5, 5},
		"memory, flush.ms 9 s":      {Config{Durability: Memory, FlushAge: 9 * time.Second}, 0, 0, 5},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			told := int64(0)
			l, err := r.d.Open(ident(0), OpenOptions{Config: c.cfg, OnDurable: func(p Position) { told = p.Offset }})
			if err != nil {
				t.Fatal(err)
			}
			fill(t, l, 5, 1)
			check := func(when string, want int64) {
				t.Helper()
				if err := r.d.SyncRound(); err != nil {
					t.Fatal(err)
				}
				if got := l.Durable().Offset; got != want || told != want {
					t.Errorf("%s: durable below %d, the owner was told %d, want %d", when, got, told, want)
				}
			}
			check("after a round", c.round)
			r.now = r.now.Add(5 * time.Second)
			if err := r.d.Housekeep(); err != nil {
				t.Fatal(err)
			}
			check("five seconds later", c.aged)
			if err := r.d.Close(nil); err != nil {
				t.Fatal(err)
			}
			if got := l.Durable().Offset; got != c.close {
				t.Errorf("after a clean stop durable below %d, want %d", got, c.close)
			}
		})
	}
}

func TestAStrongerDurabilitySyncsWhatWasAppendedBefore(t *testing.T) {
	r := newRig(t)
	l := r.log(Config{Durability: Memory})
	fill(t, l, 5, 1)
	l.Configure(Config{})
	if err := r.d.SyncRound(); err != nil || l.Durable() != l.End() {
		t.Errorf("durable %v %v, want the end %v", l.Durable(), err, l.End())
	}
}

func TestInternalLogsAreToldFirst(t *testing.T) {
	r := newRig(t)
	var order []int32
	for i := range 12 { // enough for one sync of the whole file system
		c := Config{Internal: i >= 9}
		l, err := r.d.Open(ident(i), OpenOptions{Config: c, OnDurable: func(Position) { order = append(order, int32(i)) }})
		if err != nil {
			t.Fatal(err)
		}
		fill(t, l, 1, 1)
	}
	select {
	case <-r.d.Dirty():
	default:
		t.Error("no token though logs are dirty")
	}
	if err := r.d.SyncRound(); err != nil {
		t.Fatal(err)
	}
	if len(order) != 12 || order[0] < 9 || order[1] < 9 || order[2] < 9 {
		t.Errorf("told in the order %v, want the internal ones (9 to 11) first", order)
	}
	order = nil
	if err := r.d.SyncRound(); err != nil || order != nil {
		t.Errorf("a round with nothing dirty told %v %v", order, err)
	}
}

func TestALogDirtiedDuringItsSyncStaysDirty(t *testing.T) {
	r := newRig(t)
	var l *Log
	again := true
	l, err := r.d.Open(ident(0), OpenOptions{Config: Config{}, OnDurable: func(Position) {
		if again { // stands for an append that another goroutine made meanwhile
			again = false
			r.d.markUrgent(l, false)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, l, 1, 1)
	<-r.d.Dirty()
	if err := r.d.SyncRound(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-r.d.Dirty():
	default:
		t.Error("no token for what was appended during the round")
	}
}
