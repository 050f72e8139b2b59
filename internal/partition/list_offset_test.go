package partition

import (
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// timed is a batch of records with the given times after the tests' epoch.
func timed(ms ...int64) []byte {
	b := record.NewBuilder()
	for _, m := range ms {
		b.Add(epochOfTests.UnixMilli()+m, []byte("k"), []byte("v"))
	}
	return b.Build(0)
}

func TestListOffset(t *testing.T) {
	r := memRig(t)
	t0 := epochOfTests.UnixMilli()
	r.lead(2)
	r.put(timed(10, 30, 20), all) // 0, 1, 2
	r.put(timed(40), all)         // 3
	r.round()
	r.put(batch(1, 10, "x", from(7, 0, 0), transactional), ours) // 4, undecided
	r.put(timed(50), all)                                        // 5
	r.round()
	r.put(timed(60, 70), all) // 6, 7: not committed
	if _, err := r.p.DeleteRecords(1); err != nil {
		t.Fatal(err)
	}
	at := func(ms, offset int64) log.TimeOffset {
		return log.TimeOffset{TimestampMs: ms, Offset: offset, LeaderEpoch: 2}
	}
	cases := []struct {
		name string
		ms   int64
		i    Isolation
		want log.TimeOffset
	}{
		{"latest", TimeLatest, ReadUncommitted, at(-1, 6)},
		{"latest stable", TimeLatest, ReadCommitted, at(-1, 4)},
		{"earliest", TimeEarliest, ReadUncommitted, at(-1, 1)},
		{"earliest local", TimeEarliestLocal, ReadUncommitted, at(-1, 1)},
		{"latest tiered", TimeLatestTiered, ReadUncommitted, none},
		{"earliest pending upload", TimeEarliestPendingUpload, ReadUncommitted, none},
		{"by time", t0 + 35, ReadUncommitted, at(t0+40, 3)},
		{"by time, inside a batch", t0 + 25, ReadUncommitted, at(t0+30, 1)},
		{"by time, before all", 0, ReadUncommitted, at(t0+30, 1)},
		{"by time, undecided for read_committed", t0 + 45, ReadCommitted, none},
		{"by time, beyond the high watermark", t0 + 55, ReadUncommitted, none},
		{"by time, beyond the end", t0 + 5000, ReadUncommitted, none},
	}
	for _, c := range cases {
		got, err := r.p.ListOffset(c.ms, c.i, 2)
		if err != nil || got != c.want {
			t.Errorf("%s: got %+v %v, want %+v", c.name, got, err, c.want)
		}
	}
	r.round()
	if got, err := r.p.ListOffset(TimeMax, ReadUncommitted, -1); err != nil || got != at(t0+70, 7) {
		t.Errorf("largest timestamp: got %+v %v, want that of offset 7", got, err)
	}
}

func TestTheLargestTimestampIsAmongWhatIsCommitted(t *testing.T) {
	r := memRig(t)
	t0 := epochOfTests.UnixMilli()
	if got, err := r.p.ListOffset(TimeMax, ReadUncommitted, -1); err != nil || got != none {
		t.Errorf("empty: got %+v %v, want none", got, err)
	}
	r.put(timed(10, 30), all)
	r.round()
	r.put(timed(90), all) // written, not committed
	got, err := r.p.ListOffset(TimeMax, ReadUncommitted, -1)
	if want := (log.TimeOffset{TimestampMs: t0 + 30, Offset: 1, LeaderEpoch: 0}); err != nil || got != want {
		t.Errorf("got %+v %v, want %+v", got, err, want)
	}
}

func TestListOffsetRefuses(t *testing.T) {
	r := memRig(t)
	r.lead(3)
	for _, c := range []struct {
		ms    int64
		epoch int32
		want  wire.Code
	}{
		{-7, -1, wire.UnsupportedVersion},
		{TimeLatest, 2, wire.FencedLeaderEpoch},
		{TimeLatest, 4, wire.UnknownLeaderEpoch},
	} {
		if got, err := r.p.ListOffset(c.ms, ReadUncommitted, c.epoch); wire.CodeOf(err) != c.want || got != none {
			t.Errorf("time %d epoch %d: got %+v %v, want %s", c.ms, c.epoch, got, err, c.want.Name())
		}
	}
}

func TestANewLeaderDoesNotGuessTheLatestOffset(t *testing.T) {
	r := memRig(t)
	r.put(timed(10), all)
	r.lead(1) // begins at offset 1; the high watermark is 0
	for _, ms := range []int64{TimeLatest, epochOfTests.UnixMilli() + 5} {
		if _, err := r.p.ListOffset(ms, ReadUncommitted, -1); wire.CodeOf(err) != wire.OffsetNotAvailable {
			t.Errorf("time %d: got %v, want OFFSET_NOT_AVAILABLE (KIP-207)", ms, err)
		}
	}
	r.round()
	if got, err := r.p.ListOffset(TimeLatest, ReadUncommitted, -1); err != nil || got.Offset != 1 || got.LeaderEpoch != 1 {
		t.Errorf("got %+v %v, want 1 in epoch 1", got, err)
	}
}

func TestDeleteRecords(t *testing.T) {
	r := memRig(t)
	r.put(batch(10, 10, "a"), all)
	r.round()
	r.put(batch(10, 10, "b"), all)
	cases := []struct {
		name   string
		offset int64
		low    int64
		want   wire.Code
	}{
		{"above the high watermark", 11, -1, wire.OffsetOutOfRange},
		{"nonsense", -2, -1, wire.OffsetOutOfRange},
		{"inside a batch", 4, 4, wire.None},
		{"below the log start", 2, 4, wire.None},
		{"to the high watermark", -1, 10, wire.None},
		{"again", -1, 10, wire.None},
	}
	for _, c := range cases {
		low, err := r.p.DeleteRecords(c.offset)
		if wire.CodeOf(err) != c.want || low != c.low {
			t.Errorf("%s: got %d %v, want %d %s", c.name, low, err, c.low, c.want.Name())
		}
	}
	if o := r.p.Offsets(); o.LogStart != 10 || o.LastStable != 10 {
		t.Errorf("offsets %+v, want the log to start at 10", o)
	}
	r.restart()
	if o := r.p.Offsets(); o.LogStart != 10 || o.HighWatermark != 20 {
		t.Errorf("after a restart: %+v, want start 10, high watermark 20", o)
	}

	c := r.conf
	c.Log.Delete, c.Log.Compact = false, true
	r.p.Configure(c)
	if _, err := r.p.DeleteRecords(15); wire.CodeOf(err) != wire.PolicyViolation {
		t.Errorf("compacted topic: %v, want POLICY_VIOLATION", err)
	}
	r.become(Role{Leader: 2, LeaderEpoch: 9, PartitionEpoch: 9, Replicas: []int32{1, 2}, ISR: []int32{2}})
	if _, err := r.p.DeleteRecords(15); wire.CodeOf(err) != wire.NotLeaderOrFollower {
		t.Errorf("without the lead: %v, want NOT_LEADER_OR_FOLLOWER", err)
	}
}

func TestRetentionRaisesTheLogStart(t *testing.T) {
	r := memRig(t, func(c *Config) {
		c.Log.SegmentBytes = 4096
		c.Log.RetentionAge = time.Hour
	})
	for range 20 {
		r.put(batch(1, 1000, "a"), all)
	}
	r.round()
	if err := r.p.Retain(); err != nil {
		t.Fatal(err)
	}
	if o := r.p.Offsets(); o.LogStart != 0 {
		t.Errorf("log start %d, want 0: nothing is old", o.LogStart)
	}
	r.clock.Advance(2 * time.Hour)
	if err := r.p.Retain(); err != nil {
		t.Fatal(err)
	}
	if o := r.p.Offsets(); o.LogStart == 0 || o.LogStart > o.HighWatermark {
		t.Errorf("offsets %+v, want a log start above 0", o)
	}
}

func TestWaitingIsTheFirstRecordNotYetRead(t *testing.T) {
	r := memRig(t)
	t0 := epochOfTests.UnixMilli()
	r.lead(2)
	r.put(timed(10, 30, 20), all) // 0, 1, 2
	r.round()
	r.put(timed(60), all) // 3: not committed
	if _, err := r.p.DeleteRecords(1); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ at, ms, offset int64 }{{-1, 30, 1}, {0, 30, 1}, {1, 30, 1}, {2, 20, 2}, {3, 0, -1}, {4, 0, -1}, {99, 0, -1}} {
		got, ok, err := r.p.Waiting(c.at)
		if err != nil || ok != (c.offset >= 0) || got.Offset != c.offset || ok && got.TimestampMs != t0+c.ms {
			t.Errorf("at %d: %+v %v %v, want offset %d at %d ms", c.at, got, ok, err, c.offset, c.ms)
		}
	}
}
