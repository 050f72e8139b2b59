package partition

import (
	"slices"
	"testing"

	"ottla/internal/log"
	"ottla/internal/wire"
)

func TestAWaitingFetchIsWokenByTheBytesThatItMayRead(t *testing.T) {
	r := memRig(t)
	b := batch(1, 100, "a")
	size := len(b)
	r.put(batch(1, 100, "a"), all)
	r.round()

	plain, stable := new(sleeper), new(sleeper)
	r.p.Watch(plain, 1, ReadUncommitted)
	r.p.Watch(stable, 1, ReadCommitted)
	r.put(b, all)
	if calls := plain.take(); len(calls) != 0 {
		t.Errorf("told %v before the sync, want nothing", calls)
	}
	r.round()
	if calls := plain.take(); !slices.Equal(calls, []int{size}) {
		t.Errorf("told %v, want [%d]", calls, size)
	}
	if calls := stable.take(); !slices.Equal(calls, []int{size}) {
		t.Errorf("read_committed told %v, want [%d]", calls, size)
	}

	// A transaction holds the last stable offset back, then releases all of it.
	r.put(batch(1, 100, "a", from(4, 0, 0), transactional), ours)
	r.put(batch(1, 100, "a"), all)
	r.round()
	if calls := plain.take(); !slices.Equal(calls, []int{2 * size}) {
		t.Errorf("told %v, want [%d]", calls, 2*size)
	}
	if calls := stable.take(); len(calls) != 0 {
		t.Errorf("read_committed told %v while the transaction is open, want nothing", calls)
	}
	end := marker(4, 0, true)
	r.put(end, ours)
	r.round()
	if calls := stable.take(); !slices.Equal(calls, []int{2*size + len(end)}) {
		t.Errorf("read_committed told %v, want [%d]", calls, 2*size+len(end))
	}

	r.p.Unwatch(plain)
	r.p.Unwatch(stable)
	plain.take()
	r.put(batch(1, 100, "a"), all)
	r.round()
	if calls := plain.take(); len(calls) != 0 {
		t.Errorf("told %v after Unwatch", calls)
	}
	r.p.Unwatch(plain) // not there any more: nothing happens
}

func TestWatchTellsAtOnceWhatWasMissed(t *testing.T) {
	r := memRig(t)
	r.put(batch(1, 100, "a"), all)
	r.round()
	s := new(sleeper)
	r.p.Watch(s, 0, ReadUncommitted)
	if calls := s.take(); len(calls) != 1 || calls[0] <= 0 {
		t.Errorf("told %v, want at once that there is more", calls)
	}
	r.p.Unwatch(s)
	if err := r.p.Close(); err != nil {
		t.Fatal(err)
	}
	r.p.Watch(s, 1, ReadUncommitted)
	if calls := s.take(); !slices.Equal(calls, []int{-1}) {
		t.Errorf("told %v, want [-1]: nobody serves here", calls)
	}
}

func TestAWaitingFetchLooksAgainWhenThePartitionChanges(t *testing.T) {
	follow := Role{Leader: 2, LeaderEpoch: 9, PartitionEpoch: 9, Replicas: []int32{1, 2}, ISR: []int32{2}}
	cases := []struct {
		name   string
		change func(t *testing.T, r *rig)
	}{
		{"new epoch", func(t *testing.T, r *rig) { r.lead(1) }},
		{"lead lost", func(t *testing.T, r *rig) { r.become(follow) }},
		{"records deleted", func(t *testing.T, r *rig) {
			if _, err := r.p.DeleteRecords(1); err != nil {
				t.Fatal(err)
			}
		}},
		{"closed", func(t *testing.T, r *rig) {
			if err := r.p.Close(); err != nil {
				t.Fatal(err)
			}
		}},
		{"deleted", func(t *testing.T, r *rig) {
			if err := r.p.Delete(wire.UnknownTopicOrPartition); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := memRig(t)
			r.put(batch(1, 100, "a"), all)
			r.round()
			s := new(sleeper)
			r.p.Watch(s, 1, ReadUncommitted)
			c.change(t, r)
			if calls := s.take(); !slices.Contains(calls, -1) {
				t.Errorf("told %v, want -1", calls)
			}
		})
	}
}

func TestMovedTellsBytesWhereItCan(t *testing.T) {
	pos := func(o, s, b int64) log.Position { return log.Position{Offset: o, Segment: s, Byte: b} }
	cases := []struct {
		from, to log.Position
		want     int
	}{
		{pos(5, 0, 100), pos(5, 0, 100), 0},
		{pos(5, 0, 100), pos(4, 0, 50), 0},
		{pos(5, 0, 100), pos(9, 0, 400), 300},
		{pos(5, 0, 100), pos(9, 6, 10), Unknown},
		{pos(5, 0, -1), pos(9, 0, 10), Unknown},
		{pos(5, 0, 100), pos(9, 0, -1), Unknown},
	}
	for _, c := range cases {
		if got := moved(c.from, c.to); got != c.want {
			t.Errorf("moved(%v, %v) = %d, want %d", c.from, c.to, got, c.want)
		}
	}
}
