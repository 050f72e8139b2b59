package mend

import (
	"errors"
	"slices"
	"testing"

	"ottla/internal/controller"
	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// found has our replica meet the damage in it.
func (r *rig) found() {
	r.t.Helper()
	if err := r.readAll(); wire.CodeOf(err) != wire.CorruptMessage {
		r.t.Fatalf("what is damaged is read: %v", err)
	}
}

// well is a replica that serves everything, with nothing left to do.
func (r *rig) well() {
	r.t.Helper()
	if err := r.readAll(); err != nil {
		r.t.Errorf("it is not mended: %v", err)
	}
	if n := r.k.Waiting(); n != 0 {
		r.t.Errorf("%d damaged replicas are left", n)
	}
}

// TestADamagedRangeIsMendedInPlace: on the leader as on a follower, all that is in
// the log though only one was met, and the replica stays what it is.
func TestADamagedRangeIsMendedInPlace(t *testing.T) {
	for _, leader := range []int32{1, 2} {
		r := newRig(t, leader, 1, 2, 3)
		bases := r.parts[1].SegmentBases()
		for _, base := range bases {
			r.hurt(1, base)
		}
		r.found()
		r.turn()
		r.well()
		if len(r.renewals) != 0 {
			t.Errorf("leader %d: the controller was told %+v", leader, r.renewals)
		}
		if n := r.k.o.Metrics.Mended.Value(); n != int64(len(bases)) {
			t.Errorf("%d ranges were mended, want %d", n, len(bases))
		}
		if slices.Contains(r.asked, 3) {
			t.Errorf("leader %d: nodes asked were %v", leader, r.asked)
		}
	}
}

// TestAnotherNodeIsAskedWhereTheFirstCannotHelp: one is away, one is damaged too.
func TestAnotherNodeIsAskedWhereTheFirstCannotHelp(t *testing.T) {
	r := newRig(t, 2, 1, 2, 3)
	bases := r.parts[1].SegmentBases()
	r.hurt(1, bases[1])
	r.hurt(2, bases[1]) // the same place
	r.found()
	r.turn()
	r.well()
	if got := r.asked; !slices.Contains(got, 2) || !slices.Contains(got, 3) {
		t.Errorf("nodes asked were %v", got)
	}
	r = newRig(t, 2, 1, 2, 3)
	r.hurt(1, 0)
	r.refuse[2] = errors.New("away")
	r.found()
	r.turn()
	r.well()
}

// TestItIsTriedAgainWhenNobodyAnswers: less and less often, and nothing is dropped.
func TestItIsTriedAgainWhenNobodyAnswers(t *testing.T) {
	r := newRig(t, 2, 1, 2, 3)
	r.refuse[2], r.refuse[3] = errors.New("away"), errors.New("away")
	r.hurt(1, 0)
	r.found()
	for range 20 {
		r.turn()
	}
	r.mu.Lock()
	tries := len(r.asked) / 2
	clear(r.refuse)
	r.mu.Unlock()
	if tries < 3 || tries > 8 {
		t.Errorf("in 40 ticks it was tried %d times", tries)
	}
	for range longestPause {
		r.turn()
	}
	r.well()
	if len(r.renewals) != 0 {
		t.Errorf("the controller was told %+v", r.renewals)
	}
}

// TestWhatDoesNotFitIsFetchedAnew: compaction left other batches elsewhere. That is
// known after a few tries, for the log may have changed while they came.
func TestWhatDoesNotFitIsFetchedAnew(t *testing.T) {
	r := newRig(t, 2, 1, 2, 3)
	r.hurt(1, 0)
	r.change = func(_ int32, b []byte) []byte {
		h, err := record.ParseHeader(b)
		must(t, err)
		other := record.NewBuilder()
		other.Add(1_700_000_000_000, nil, []byte("short"))
		return other.Build(h.BaseOffset)
	}
	r.found()
	for range 10 {
		r.turn()
	}
	if len(r.renewals) != 1 || len(r.asked) < mostMisfits {
		t.Fatalf("after %d tries the controller was told %+v", len(r.asked), r.renewals)
	}
	r.settle()
	r.well()
}

// TestWhereNobodyElseHasEverythingItStays: as it is, following or leading; and where
// there is no other replica nobody is asked.
func TestWhereNobodyElseHasEverythingItStays(t *testing.T) {
	r := newRig(t, 2, 1, 2, 3)
	r.answer = []controller.Result{{Code: wire.EligibleLeadersNotAvailable}}
	r.hurt(1, 0)
	r.change = func(_ int32, b []byte) []byte { return b[:record.HeaderSize-1] }
	r.found()
	r.turn()
	end := r.parts[1].Offsets().LogEnd
	r.k.Found(r.parts[1], partition.EverythingAnew)
	for range 10 {
		r.turn()
	}
	if len(r.renewals) == 0 || r.parts[1].Offsets().LogEnd != end {
		t.Errorf("told %d times, its log ends at %d, and did at %d", len(r.renewals), r.parts[1].Offsets().LogEnd, end)
	}
	if err := r.follow(1, r.parts[1]); err != nil {
		t.Errorf("it follows no more: %v", err)
	}

	r = newRig(t, 1, 1)
	r.hurt(1, 0)
	r.found()
	r.turn()
	if r.k.Waiting() != 0 || len(r.asked)+len(r.renewals) != 0 {
		t.Errorf("%d wait, %v were asked", r.k.Waiting(), r.asked)
	}
}

// TestWhatNobodyElseHasIsGivenUp: a batch that was never committed and cannot be read
// keeps a leader's followers from going on; another leads without it. Who is away may
// have it.
func TestWhatNobodyElseHasIsGivenUp(t *testing.T) {
	for _, away := range []bool{false, true} {
		r := newRig(t, 1, 1, 2, 3)
		r.hurt(1, 0)
		r.change = func(int32, []byte) []byte { return nil }
		if away {
			r.refuse[3] = errors.New("away")
		}
		r.found()
		for range 2 * mostMisfits {
			r.turn()
		}
		if told := len(r.renewals) > 0; told == away || len(r.asked) < 2*mostMisfits {
			t.Errorf("node 3 is away %v: after %d questions the controller was told %+v", away, len(r.asked), r.renewals)
		}
	}
}

// TestAReplicaWhoseFileIsGoneIsFetchedAnew: not before the controller has noted that
// nobody counts on it; until then it asks its leader for nothing.
func TestAReplicaWhoseFileIsGoneIsFetchedAnew(t *testing.T) {
	r := newRig(t, 2, 1, 2, 3)
	p := r.lose()
	r.answer = errors.New("the controller is away")
	r.turn()
	if _, err := p.Follow(); err == nil {
		t.Error("it asks its leader though somebody may count on it")
	}
	if len(r.renewals) == 0 || r.renewals[0].ID != 1 || r.renewals[0].Epoch != 10 || r.renewals[0].Partitions[0] != (controller.TopicIDPartition{TopicID: topicID}) {
		t.Fatalf("the controller was told %+v", r.renewals)
	}
	if p.Offsets().LogEnd == 0 {
		t.Error("it has dropped what it had")
	}
	r.mu.Lock()
	r.answer = []controller.Result{{}}
	r.mu.Unlock()
	for range 8 {
		r.turn()
	}
	r.settle()
	r.well()
	if p.Damaged() || r.k.o.Metrics.Renewed.Value() != 1 {
		t.Errorf("damaged %v, renewed %d times", p.Damaged(), r.k.o.Metrics.Renewed.Value())
	}
}

// lose takes the last segment's file away while node 1 is down, and brings it up
// again.
func (r *rig) lose() *partition.Partition {
	r.t.Helper()
	must(r.t, r.dirs[1].Checkpoint(func(log.Ident) int64 { return -1 }))
	bases := r.parts[1].SegmentBases()
	must(r.t, r.fs.Remove(r.segment(1, bases[len(bases)-1])))
	r.open(1)
	r.become(1, 2, []int32{1, 2, 3})
	return r.parts[1]
}

// TestNothingIsMendedThatIsNotHereAnyMore: a replica that was moved away.
func TestNothingIsMendedThatIsNotHereAnyMore(t *testing.T) {
	r := newRig(t, 2, 1, 2, 3)
	r.hurt(1, 0)
	img, _, err := r.image.With(20, 1, &metadata.RemoveTopicRecord{TopicID: topicID})
	must(t, err)
	r.image = img
	r.found()
	r.turn()
	if r.k.Waiting() != 0 || len(r.asked) != 0 {
		t.Errorf("%d wait, %v were asked", r.k.Waiting(), r.asked)
	}
}

// TestDamageIsMendedByItself: from the first that is found on there is somebody who
// looks after it, and Close waits for him.
func TestDamageIsMendedByItself(t *testing.T) {
	r := newRig(t, 2, 1, 2, 3)
	r.k.o.Stepped = false
	r.hurt(1, 0)
	r.found()
	r.ticks <- r.now()
	r.ticks <- r.now() // the round before has ended
	r.k.Close()
	r.well()
}

// TestAClosedKeeperHearsNothing: nor does it leave anything running.
func TestAClosedKeeperHearsNothing(t *testing.T) {
	r := newRig(t, 2, 1, 2, 3)
	r.k.Close()
	r.hurt(1, 0)
	r.found()
	if r.k.Waiting() != 0 {
		t.Error("it has something to do")
	}
}
