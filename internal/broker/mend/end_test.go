package mend

import (
	"errors"
	"slices"
	"testing"

	"ottla/internal/controller"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// counted has the metadata count on replicas: in sync, and eligible.
func (r *rig) counted(leader int32, isr, elr []int32) {
	r.t.Helper()
	change := metadata.ChangePartition(topicID, 0)
	change.ISR, change.ELR, change.Leader = isr, elr, leader
	r.apply(change)
}

func (r *rig) apply(records ...metadata.Record) {
	r.t.Helper()
	img, _, err := r.image.With(r.image.Offset+1, 1, records...)
	must(r.t, err)
	r.image = img
}

// fence has nodes serve no more.
func (r *rig) fence(ids ...int32) {
	r.t.Helper()
	for _, id := range ids {
		r.apply(&metadata.BrokerRegistrationChangeRecord{BrokerID: id, BrokerEpoch: int64(9 + id), Fenced: 1})
	}
}

// more has a leader write so many batches more, which nobody has yet.
func (r *rig) more(n int) {
	r.t.Helper()
	for range n {
		b := record.NewBuilder()
		b.Add(1_700_000_000_000, nil, []byte("one more"))
		var a partition.Appended
		must(r.t, r.parts[r.lead].Append(b.Build(0), &partition.AppendArgs{Acks: 1}, &a))
	}
}

// doubt has our replica's end in doubt.
func (r *rig) doubt() { r.k.Found(r.parts[1], partition.EndInDoubt) }

// ended tells what came of a doubt: with what the controller was told.
func (r *rig) ended(trusted int, told ...controller.SettleEnd) {
	r.t.Helper()
	if r.trusted != trusted || r.k.Waiting() != 1-trusted {
		r.t.Errorf("trusted %d times, want %d; %d wait", r.trusted, trusted, r.k.Waiting())
	}
	same := len(told) == len(r.settled)
	for i := range told {
		told[i].ID, told[i].Epoch, told[i].TopicID = 1, 10, topicID
		told[i].PartitionEpoch = r.image.TopicByID(topicID).Partitions[0].PartitionEpoch
		same = same && told[i].Heir == r.settled[i].Heir && slices.Equal(told[i].Away, r.settled[i].Away) && told[i].ID == r.settled[i].ID &&
			told[i].Epoch == r.settled[i].Epoch && told[i].TopicID == r.settled[i].TopicID && told[i].PartitionEpoch == r.settled[i].PartitionEpoch
	}
	if !same {
		r.t.Errorf("the controller was told %+v, want %+v", r.settled, told)
	}
}

// TestAnEndInDoubtIsComparedWithThoseOfTheOthers: where one has more the controller
// hears of it; where none has the replica is as good as any.
func TestAnEndInDoubtIsComparedWithThoseOfTheOthers(t *testing.T) {
	for what, c := range map[string]struct {
		lead  int32
		isr   []int32
		given func(r *rig)
		heir  int32
		asked int
	}{
		"nobody counts on it":     {2, []int32{2, 3}, func(r *rig) { r.more(1) }, nobody, 0},
		"all have the same":       {2, []int32{1, 2, 3}, nil, nobody, 2},
		"it has most":             {1, []int32{1, 2, 3}, func(r *rig) { r.more(2) }, nobody, 2},
		"one has more":            {2, []int32{1, 2, 3}, func(r *rig) { r.more(1) }, 2, 2},
		"one has more, uncounted": {3, []int32{1}, func(r *rig) { r.more(1) }, 3, 2},
		"both have more": {2, []int32{1, 2, 3}, func(r *rig) {
			r.more(1)
			must(r.t, r.follow(3, r.parts[3]))
			r.more(1)
		}, 2, 2},
		"the later one has most": {3, []int32{1, 2, 3}, func(r *rig) {
			r.more(1)
			must(r.t, r.follow(2, r.parts[2]))
			r.more(1)
		}, 3, 2},
		"one has a later epoch and less": {1, []int32{1, 2, 3}, func(r *rig) {
			r.more(3)
			must(r.t, r.parts[3].Become(partition.Role{Leader: 3, LeaderEpoch: 5, Replicas: []int32{1, 2, 3}, ISR: []int32{3}}))
		}, 3, 2},
		"one has more, and holes": {2, []int32{1, 2, 3}, func(r *rig) {
			r.more(1)
			r.parts[2].Condemn()
		}, nobody, 2},
	} {
		t.Run(what, func(t *testing.T) {
			r := newRig(t, c.lead, 1, 2, 3)
			r.counted(c.isr[0], c.isr, nil)
			if c.given != nil {
				c.given(r)
			}
			end := r.parts[1].Offsets().LogEnd
			r.doubt()
			r.turn()
			if c.heir == nobody {
				r.ended(1)
			} else {
				r.ended(1, controller.SettleEnd{Heir: c.heir})
			}
			if len(r.asked) != c.asked || len(r.renewals) != 0 || r.parts[1].Offsets().LogEnd != end {
				t.Errorf("nodes asked %v, renewed %d times, its log ends at %d, and did at %d", r.asked, len(r.renewals), r.parts[1].Offsets().LogEnd, end)
			}
		})
	}
}

// TestWhoMayHaveMoreIsWaitedFor: for a while, and then it is told who was not heard; and
// for ever where those that are there are too few to commit anything.
func TestWhoMayHaveMoreIsWaitedFor(t *testing.T) {
	for what, c := range map[string]struct {
		isr, elr []int32
		min      int
		given    func(r *rig)
		patience int // ticks that it does wait for certain
		heir     int32
		away     []int32
	}{
		"one in sync does not answer":           {[]int32{1, 2}, nil, 2, func(r *rig) { r.refuse[2] = errors.New("away") }, absence - 2, nobody, []int32{2}},
		"an eligible one is fenced":             {[]int32{1}, []int32{3}, 2, func(r *rig) { r.fence(3) }, absence - 2, nobody, []int32{3}},
		"one that is not counted is slow":       {[]int32{1}, nil, 2, func(r *rig) { r.refuse[3] = wire.NotLeaderOrFollower }, absence - 2, nobody, []int32{3}},
		"one that is not counted is not there":  {[]int32{1}, nil, 2, func(r *rig) { r.fence(3) }, arrival - 2, nobody, nil},
		"one alone would be enough":             {[]int32{1}, []int32{2, 3}, 1, func(r *rig) { r.fence(2, 3) }, absence - 2, nobody, []int32{2, 3}},
		"one alone is too few":                  {[]int32{1}, []int32{2, 3}, 2, func(r *rig) { r.fence(2, 3) }, 3 * absence, nobody, []int32{2, 3}},
		"two are too few where three are asked": {[]int32{1}, []int32{2}, 3, func(r *rig) { r.refuse[2] = errors.New("away") }, 3 * absence, nobody, []int32{2}},
		"one that is counted is sure":           {[]int32{1}, []int32{2, 3}, 2, func(r *rig) { r.fence(3) }, 0, nobody, nil},
		"one that is counted is in doubt too": {[]int32{1}, []int32{2, 3}, 2, func(r *rig) {
			r.fence(3)
			r.doubtful = []int32{2}
		}, absence - 2, nobody, []int32{3}},
		"one that is not counted has more": {[]int32{1}, []int32{3}, 2, func(r *rig) {
			r.fence(3)
			r.more(1)
		}, absence - 2, 2, []int32{3}},
	} {
		t.Run(what, func(t *testing.T) {
			r := newRig(t, 2, 1, 2, 3)
			conf := r.conf
			conf.MinInsync = c.min
			r.parts[1].Configure(conf)
			r.counted(c.isr[0], c.isr, c.elr)
			c.given(r)
			r.doubt()
			for range c.patience / 2 {
				r.turn()
			}
			if c.patience > 0 {
				r.ended(0)
			}
			for range 3 {
				r.turn()
			}
			switch {
			case c.patience > absence:
				r.ended(0)
			case c.away == nil:
				r.ended(1)
			default:
				r.ended(1, controller.SettleEnd{Heir: c.heir, Away: c.away})
			}
		})
	}
}

// TestWhoComesBackIsHeard: then nothing is lost, and the controller has nothing to say.
func TestWhoComesBackIsHeard(t *testing.T) {
	for _, more := range []int{0, 1} {
		r := newRig(t, 2, 1, 2, 3)
		r.counted(1, []int32{1}, []int32{2})
		r.refuse[2] = errors.New("away")
		r.more(more)
		r.doubt()
		r.turn()
		r.ended(0)
		clear(r.refuse)
		r.turn()
		if more == 0 {
			r.ended(1)
		} else {
			r.ended(1, controller.SettleEnd{Heir: 2})
		}
	}
}

// TestTheControllerIsAskedUntilItHasDecided: every second, for nobody is served
// meanwhile.
func TestTheControllerIsAskedUntilItHasDecided(t *testing.T) {
	r := newRig(t, 2, 1, 2, 3)
	r.counted(1, []int32{1, 2, 3}, nil)
	r.more(1)
	r.answer = error(wire.InvalidUpdateVersion)
	r.doubt()
	r.turn()
	r.turn()
	if r.trusted != 0 || len(r.settled) != 4 {
		t.Fatalf("trusted %d times, the controller was asked %d times in four seconds", r.trusted, len(r.settled))
	}
	r.answer = nil
	r.counted(2, []int32{2, 3}, nil) // somebody else has seen to it
	r.turn()
	if r.trusted != 1 || len(r.settled) != 4 {
		t.Errorf("trusted %d times, the controller was asked %d times", r.trusted, len(r.settled))
	}
}

// TestAReplicaInDoubtThatIsDamagedIsFetchedAnew: when that is agreed; where nobody else
// that is counted on is there, one that goes as far takes its place.
func TestAReplicaInDoubtThatIsDamagedIsFetchedAnew(t *testing.T) {
	r := newRig(t, 2, 1, 2, 3)
	p := r.lose()
	if !p.Doubted() || !p.Damaged() {
		t.Fatalf("in doubt %v, damaged %v", p.Doubted(), p.Damaged())
	}
	r.counted(1, []int32{1}, nil)
	r.answer = []controller.Result{{Code: wire.EligibleLeadersNotAvailable}}
	r.k.Round(true)
	if len(r.settled) != 1 || r.settled[0].Heir != 2 || r.trusted != 1 || len(r.renewals) != 0 || !p.Damaged() {
		t.Fatalf("the controller was told %+v, trusted %d times, renewed %d times, damaged %v", r.settled, r.trusted, len(r.renewals), p.Damaged())
	}
	r.counted(2, []int32{2}, nil)
	r.answer = []controller.Result{{}}
	for range 3 {
		r.turn()
	}
	r.settle()
	r.well()
	if p.Damaged() || r.trusted != 1 || len(r.settled) != 1 {
		t.Errorf("damaged %v, trusted %d times, told %+v", p.Damaged(), r.trusted, r.settled)
	}
}

// TestNothingIsDroppedForOneThatDoesNotAnswer: the controller may not have missed it
// yet.
func TestNothingIsDroppedForOneThatDoesNotAnswer(t *testing.T) {
	r := newRig(t, 2, 1, 2, 3)
	p := r.lose()
	r.counted(2, []int32{1, 2}, nil)
	r.refuse[2] = errors.New("away")
	for range 3 {
		r.turn()
	}
	if len(r.renewals) != 0 || len(r.settled) != 0 || r.trusted != 0 || p.Offsets().LogEnd == 0 {
		t.Fatalf("renewed %d times, settled %+v, trusted %d times, its log ends at %d", len(r.renewals), r.settled, r.trusted, p.Offsets().LogEnd)
	}
	clear(r.refuse)
	r.turn()
	if len(r.renewals) != 1 || r.trusted != 1 {
		t.Errorf("renewed %d times, trusted %d times", len(r.renewals), r.trusted)
	}
}

// TestANodeThatDoesNotAnswerIsAskedOnceInARound: a thousand partitions may be in doubt
// at once.
func TestANodeThatDoesNotAnswerIsAskedOnceInARound(t *testing.T) {
	r := newRig(t, 2, 1, 2, 3)
	r.refuse[2] = errors.New("away")
	at := r.k.place(r.parts[1])
	for range 2 {
		r.asked, r.k.deaf = nil, map[int32]bool{}
		for range 3 {
			if _, err := r.k.tail(2, at); err == nil {
				t.Error("it answers")
			}
		}
		if len(r.asked) != 1 {
			t.Errorf("nodes asked were %v", r.asked)
		}
	}
}
