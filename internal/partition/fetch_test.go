package partition

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ottla/internal/log"
	"ottla/internal/sim"
	"ottla/internal/wire"
)

func TestFetchReadsUpToTheHighWatermark(t *testing.T) {
	r := memRig(t)
	r.put(batch(3, 100, "a"), all)
	r.round()
	r.put(batch(3, 100, "b"), all)

	f, b := r.get(at(1)) // in the middle of a batch: the batch comes whole
	if hs := split(t, b); len(hs) != 1 || hs[0].BaseOffset != 0 {
		t.Errorf("got %+v, want the first batch only", hs)
	}
	if f.HighWatermark != 3 || f.LastStable != 3 || f.LogStart != 0 || f.Aborted != nil {
		t.Errorf("got %+v, want 3, 3, 0 and nothing aborted", f)
	}
	if f, b = r.get(at(3)); len(b) != 0 || f.HighWatermark != 3 {
		t.Errorf("at the high watermark: %d bytes, %+v", len(b), f)
	}
	if f, b = r.get(at(5)); len(b) != 0 || f.HighWatermark != 3 {
		t.Errorf("between high watermark and log end: %d bytes, %+v; want nothing and no error", len(b), f)
	}
}

func TestFetchHeedsMaxBytes(t *testing.T) {
	r := memRig(t)
	one := batch(1, 1000, "a")
	size := len(one)
	r.put(one, all)
	r.put(batch(1, 1000, "b"), all)
	r.round()
	a := at(0)
	a.MaxBytes = 10
	if _, b := r.get(a); len(b) != size {
		t.Errorf("with MinOne: %d bytes, want the first batch of %d whole (KIP-74)", len(b), size)
	}
	a.MinOne = false
	if _, b := r.get(a); len(b) > 10 {
		t.Errorf("without MinOne: %d bytes, want at most 10", len(b))
	}
	a.MaxBytes = 0
	if f, b := r.get(a); len(b) != 0 || f.HighWatermark != 2 {
		t.Errorf("with 0: %d bytes, high watermark %d", len(b), f.HighWatermark)
	}
}

func TestFetchErrorsSayMinusOne(t *testing.T) {
	r := memRig(t)
	r.lead(5)
	r.put(batch(10, 10, "a"), all)
	r.round()
	if _, err := r.p.DeleteRecords(4); err != nil {
		t.Fatal(err)
	}
	with := func(a FetchArgs, f func(*FetchArgs)) FetchArgs { f(&a); return a }
	cases := []struct {
		name string
		a    FetchArgs
		want wire.Code
	}{
		{"below the log start", at(3), wire.OffsetOutOfRange},
		{"above the log end", at(11), wire.OffsetOutOfRange},
		{"negative", at(-1), wire.OffsetOutOfRange},
		{"older epoch", with(at(4), func(a *FetchArgs) { a.CurrentLeaderEpoch = 4 }), wire.FencedLeaderEpoch},
		{"newer epoch", with(at(4), func(a *FetchArgs) { a.CurrentLeaderEpoch = 6 }), wire.UnknownLeaderEpoch},
		{"last epoch unknown here", with(at(4), func(a *FetchArgs) { a.LastFetchedEpoch = 9 }), wire.OffsetOutOfRange},
	}
	for _, c := range cases {
		var f Fetched
		err := r.p.Fetch(&c.a, &f)
		if wire.CodeOf(err) != c.want || f.HighWatermark != -1 || f.LastStable != -1 || f.LogStart != -1 || f.Slice.Len != 0 {
			t.Errorf("%s: got %v and %+v, want %s and -1", c.name, err, f, c.want.Name())
		}
	}
}

func TestFetchTellsWhereAReaderDiverged(t *testing.T) {
	r := memRig(t)
	r.lead(1)
	r.put(batch(10, 10, "a"), all) // epoch 1: 0 to 9
	r.lead(4)
	r.put(batch(5, 10, "b"), all) // epoch 4: 10 to 14
	r.round()
	cases := []struct {
		offset     int64
		last       int32
		diverging  bool
		epoch      int32
		end        int64
		wantsBytes bool
	}{
		{10, 1, false, 0, 0, true},   // has all of epoch 1
		{15, 4, false, 0, 0, false},  // has everything
		{12, 1, true, 1, 10, false},  // epoch 1 ended at 10 here
		{12, 3, true, 1, 10, false},  // knows an epoch that never was
		{20, 4, true, 4, 15, false},  // has more of epoch 4 than there is
		{10, -1, false, 0, 0, true},  // did not say
		{3, 1, false, 0, 0, true},    // in the middle
		{10, 2, true, 1, 10, false},  // between known epochs
		{14, 4, false, 0, 0, true},   // one to go
		{0, 1, false, 0, 0, true},    // from the start
		{15, 3, true, 1, 10, false},  // at the end, with a foreign past
		{11, 4, false, 0, 0, true},   // inside the last batch
		{5, 4, false, 0, 0, true},    // lower than the epoch begins: fine
		{25, 1, true, 1, 10, false},  // far above
		{10, 4, false, 0, 0, true},   // at the start of its epoch
		{9, 1, false, 0, 0, true},    // the last of its epoch
		{11, 1, true, 1, 10, false},  // one too many
		{14, 2, true, 1, 10, false},  // between, above
		{15, -1, false, 0, 0, false}, // at the end, did not say
	}
	for _, c := range cases {
		a := at(c.offset)
		a.LastFetchedEpoch = c.last
		f, b := r.get(a)
		if f.Diverging != c.diverging || c.diverging && (f.DivergingEpoch != c.epoch || f.DivergingEnd != c.end) || (len(b) > 0) != c.wantsBytes {
			t.Errorf("offset %d of epoch %d: got %+v with %d bytes, want %+v", c.offset, c.last, f, len(b), c)
		}
		if f.HighWatermark != 15 {
			t.Errorf("offset %d of epoch %d: high watermark %d, want 15", c.offset, c.last, f.HighWatermark)
		}
	}
}

func TestEpochEndAnswersOffsetForLeaderEpoch(t *testing.T) {
	r := memRig(t)
	r.lead(1)
	r.put(batch(10, 10, "a"), all)
	r.lead(4)
	r.put(batch(5, 10, "b"), all)
	cases := []struct {
		asked, epoch int32
		end          int64
	}{{1, 1, 10}, {2, 1, 10}, {3, 1, 10}, {4, 4, 15}, {5, -1, -1}}
	for _, c := range cases {
		e, end, err := r.p.EpochEnd(-1, c.asked)
		if err != nil || e != c.epoch || end != c.end {
			t.Errorf("epoch %d: got %d %d %v, want %d %d", c.asked, e, end, err, c.epoch, c.end)
		}
	}
	for _, current := range []int32{3, -2} {
		if _, _, err := r.p.EpochEnd(current, 1); !errors.Is(err, wire.FencedLeaderEpoch) {
			t.Errorf("with the older current epoch %d: %v, want FENCED_LEADER_EPOCH", current, err)
		}
	}
	r.become(Role{Leader: -1, LeaderEpoch: 5, PartitionEpoch: 5, Replicas: []int32{1}, ISR: []int32{1}})
	if _, _, err := r.p.EpochEnd(-1, 1); !errors.Is(err, wire.NotLeaderOrFollower) {
		t.Errorf("without the lead: %v, want NOT_LEADER_OR_FOLLOWER", err)
	}
}

// TestRotIsReportedAndNeverServed flips a bit of what was synced.
func TestRotIsReportedAndNeverServed(t *testing.T) {
	disk := sim.NewDisk(3)
	r := newRig(t, disk, "/data", plain())
	r.put(batch(1, 1000, "good"), all)
	r.put(batch(1, 1000, "rotten"), all)
	r.round()
	r.stop()
	var name string
	for _, f := range disk.Files() {
		if strings.HasSuffix(f, ".log") {
			name = f
		}
	}
	content, err := disk.Content(name)
	if err != nil {
		t.Fatal(err)
	}
	where := bytes.Index(content, []byte("rotten"))
	if err := disk.Flip(name, int64(where), 3); err != nil {
		t.Fatal(err)
	}
	r.epoch++
	r.open()
	a := at(1)
	var f Fetched
	err = r.p.Fetch(&a, &f)
	var rot *log.CorruptError
	if wire.CodeOf(err) != wire.CorruptMessage || !errors.As(err, &rot) || rot.Offset != 1 {
		t.Fatalf("got %v (%+v), want CORRUPT_MESSAGE at offset 1", err, f)
	}
	if !strings.Contains(err.Error(), "orders-3") || !strings.Contains(err.Error(), "ottla doctor") {
		t.Errorf("the error %q does not say which partition, or what to do", err)
	}
	if _, b := r.get(FetchArgs{Offset: 0, MaxBytes: 100, MinOne: true, CurrentLeaderEpoch: -1, LastFetchedEpoch: -1}); len(split(t, b)) != 1 {
		t.Errorf("the range before the rot is not served: %d bytes", len(b))
	}
}

func TestRecordsOnARealFile(t *testing.T) {
	r := osRig(t, plain())
	b := batch(3, 100, "a")
	r.put(b, all)
	r.round()
	_, got := r.get(at(0))
	if !bytes.Equal(got, b) {
		t.Errorf("fetched %d bytes that are not the %d appended", len(got), len(b))
	}
	file := filepath.Join(r.path, "orders-3", "00000000000000000000.log")
	stored, err := os.ReadFile(file)
	if err != nil || !bytes.HasPrefix(stored, b) {
		t.Errorf("%s does not begin with the batch: %d bytes, %v", file, len(stored), err)
	}
}

// TestAFarReaderIsNotSentEveryAbortedTransaction: the list ends where the
// bytes end, give or take an entry of the offset index.
func TestAFarReaderIsNotSentEveryAbortedTransaction(t *testing.T) {
	r := memRig(t)
	const n = 2000
	interval := int(r.conf.Log.IndexIntervalBytes) / 200 // transactions of some 240 bytes
	for i := range int32(n) {
		r.put(batch(1, 100, "x", from(1, 0, i), transactional), ours) // at 2i
		r.put(marker(1, 0, false), ours)
	}
	r.round()
	a := committed(100)
	a.MaxBytes = 5000
	f, b := r.get(a)
	hs := split(t, b)
	last := hs[len(hs)-1].NextOffset()
	if len(f.Aborted) < int(last-100)/2 || len(f.Aborted) > int(last-100)/2+interval {
		t.Errorf("%d aborted transactions for offsets 100 to %d", len(f.Aborted), last)
	}
	for i, x := range f.Aborted {
		if x.FirstOffset != 100+2*int64(i) {
			t.Errorf("number %d begins at %d, want %d", i, x.FirstOffset, 100+2*i)
		}
	}
	a.MaxBytes, a.MinOne = 30, false // not even a header
	if f, _ := r.get(a); len(f.Aborted) > interval {
		t.Errorf("%d aborted transactions for no batch", len(f.Aborted))
	}
	a = committed(2*n - 4) // behind the last entry of the index
	if f, _ := r.get(a); len(f.Aborted) != 2 {
		t.Errorf("%d aborted transactions at the end, want 2", len(f.Aborted))
	}
}
