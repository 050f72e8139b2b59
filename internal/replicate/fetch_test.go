package replicate

import (
	"errors"
	"testing"

	"ottla/internal/vfs"
	"ottla/internal/vfs/faulty"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
	"ottla/internal/wire/pull"
)

// asks are the partitions that a fetch names, with the offsets.
func asks(q *pull.Request) map[int32]int64 {
	out := map[int32]int64{}
	for _, a := range q.Asks {
		out[a.Index] = a.Offset
	}
	return out
}

// opened follows partitions and answers the first fetch, which opens the session.
func opened(t *testing.T, r *rig) (*leader, int32) {
	t.Helper()
	l := r.dial()
	c, q := l.fetch()
	if q.SessionEpoch != 0 || q.SessionID != 0 || q.Replica != 1 || q.BrokerEpoch != 77 || q.MaxBytes != 10<<20 {
		t.Fatalf("the first fetch says %+v", q)
	}
	l.answer(c, wire.None)
	c, q = l.fetch()
	if q.SessionID != 5 || q.SessionEpoch != 1 {
		t.Fatalf("the second fetch says %+v, want session 5, epoch 1", q)
	}
	return l, c
}

// TestOnlyWhatHasChangedIsAsked: a session's next fetch names the partitions that got
// something, from where they stand then.
func TestOnlyWhatHasChangedIsAsked(t *testing.T) {
	r := newRig(t, 50)
	for i := range int32(50) {
		r.follow(i, 3)
	}
	l, c := opened(t, r)
	l.answer(c, wire.None, row(7, 0, 3, 0, "a", "b"), row(9, 0, 3, 0, "c"))
	c, q := l.fetch()
	if got := asks(q); len(got) != 2 || got[7] != 2 || got[9] != 1 || len(q.Forgotten) != 0 || q.SessionEpoch != 2 {
		t.Errorf("asked are %v of %+v", got, q)
	}
	for _, a := range q.Asks {
		if a.LastEpoch != 3 || a.LeaderEpoch != 3 {
			t.Errorf("asked is %+v, want epochs 3", a)
		}
	}
	l.answer(c, wire.None, row(7, 2, 3, 0)) // the high watermark alone
	if _, q = l.fetch(); len(q.Asks) != 0 {
		t.Errorf("asked are %+v, want none: the partition's question is there", q.Asks)
	}
	if h := r.parts[7].Offsets().HighWatermark; h != 2 {
		t.Errorf("the high watermark is %d, want 2", h)
	}
}

// TestSyncsAreToldWhileAFetchWaits: ReplicaProgress, once for what was synced.
func TestSyncsAreToldWhileAFetchWaits(t *testing.T) {
	r := newRig(t, 2)
	r.follow(0, 3)
	r.follow(1, 3)
	l, c := opened(t, r)
	l.answer(c, wire.None, row(0, 0, 3, 0, "a"), row(1, 0, 3, 0, "b", "c"))
	_, q := l.fetch()
	for _, a := range q.Asks {
		if a.Synced != 0 {
			t.Errorf("asked is %+v, and nothing was synced", a)
		}
	}
	must(t, r.dir.SyncRound())
	told := map[int32]int64{}
	for len(told) < 2 {
		_, fetch, p := l.next()
		if p == nil {
			t.Fatalf("another fetch while one waits: %+v", fetch)
		}
		for _, x := range p.Topics[0].Partitions {
			told[x.Index] = x.SyncedOffset
			if x.LeaderEpoch != 3 || p.Replica != 1 || p.BrokerEpoch != 77 {
				t.Errorf("told is %+v", p)
			}
		}
	}
	if told[0] != 1 || told[1] != 2 {
		t.Errorf("told is %v", told)
	}
}

// TestASyncRightAfterTheFirstQuestionIsTold: in whatever epoch, or the high watermark
// of a partition that nobody writes to stands still for good.
func TestASyncRightAfterTheFirstQuestionIsTold(t *testing.T) {
	r := newRig(t, 2)
	r.follow(0, 3)
	r.follow(1, 3) // and keeps the connection
	l, c := opened(t, r)
	for end := int64(1); end <= 200; end++ {
		epoch := int32(2 + end)
		l.answer(c, wire.None, row(0, end-1, epoch, end-1, "x"))
		c, _ = l.fetch() // from end, which is not synced
		followed := make(chan struct{})
		go func() {
			r.follow(0, epoch+1)
			close(followed)
		}()
		next, q := l.fetch()
		for len(q.Asks) == 0 { // that the old question is forgotten went ahead
			l.answer(c, wire.None)
			c = next
			next, q = l.fetch()
		}
		must(t, r.dir.SyncRound())
		told := asks(q)[0] == end && q.Asks[0].Synced == end
		for !told {
			_, fetch, p := l.next()
			if p == nil {
				t.Fatalf("epoch %d: another fetch, %+v, after %+v", epoch+1, fetch, q)
			}
			told = p.Topics[0].Partitions[0] == own.ProgressPartition{LeaderEpoch: epoch + 1, SyncedOffset: end}
		}
		<-followed
		l.answer(c, wire.None)
		c = next
	}
}

// TestAPartitionThatComesLaterIsAskedAtOnce: a second fetch, while the first waits.
func TestAPartitionThatComesLaterIsAskedAtOnce(t *testing.T) {
	r := newRig(t, 2)
	r.follow(0, 3)
	l, first := opened(t, r)
	r.follow(1, 3)
	second, q := l.fetch()
	if got := asks(q); len(got) != 1 || got[1] != 0 {
		t.Errorf("asked are %v", got)
	}
	l.answer(first, wire.None)
	l.answer(second, wire.None, row(1, 0, 3, 0, "x"))
	if _, q := l.fetch(); asks(q)[1] != 1 {
		t.Errorf("asked are %v", asks(q))
	}
}

// TestAPartitionThatLeavesIsForgotten: and an answer for it comes to nothing.
func TestAPartitionThatLeavesIsForgotten(t *testing.T) {
	r := newRig(t, 2)
	r.follow(0, 3)
	r.follow(1, 3)
	l, first := opened(t, r)
	r.all.Unfollow(r.parts[1])
	second, q := l.fetch()
	if len(q.Forgotten) != 1 || q.Forgotten[0].Index != 1 || len(q.Asks) != 0 {
		t.Errorf("the fetch says %+v", q)
	}
	l.answer(first, wire.None, row(1, 0, 3, 0, "late"))
	l.answer(second, wire.None)
	l.fetch()
	if end := r.parts[1].Offsets().LogEnd; end != 0 || r.all.Following() != 1 {
		t.Errorf("the log ends at %d, %d follow", end, r.all.Following())
	}
}

// paused takes fetches until one asks something: the first after an error may go out
// before the pause is over.
func (l *leader) paused() (int32, *pull.Request) {
	l.t.Helper()
	first, q := l.fetch()
	for len(q.Asks) == 0 {
		var next int32
		next, q = l.fetch()
		l.answer(first, wire.None)
		first = next
	}
	return first, q
}

// TestErrorsMakeAPartitionWait: it asks again, after a pause, without the others.
func TestErrorsMakeAPartitionWait(t *testing.T) {
	r := newRig(t, 2)
	r.follow(0, 3)
	r.follow(1, 3)
	l, c := opened(t, r)
	for _, code := range []wire.Code{wire.NotLeaderOrFollower, wire.UnknownLeaderEpoch, wire.KafkaStorageError, wire.UnknownTopicID} {
		x := row(1, -1, 3, 0)
		x.Code = code
		l.answer(c, wire.None, x)
		var q *pull.Request
		c, q = l.paused()
		if got := asks(q); len(got) != 1 || got[1] != 0 {
			t.Fatalf("after %s asked are %v", code.Name(), got)
		}
	}
}

// TestAFullDiskIsToldToTheLeader: with the next question, and no longer than that
// holds; what the leader cannot read is no fault of this node's.
func TestAFullDiskIsToldToTheLeader(t *testing.T) {
	var faults faulty.Faults
	r := newRigOn(t, faulty.Over(vfs.NewMem(0), &faults), 2)
	r.follow(0, 3)
	r.follow(1, 3)
	l, c := opened(t, r)
	for round, x := range []struct {
		full        bool
		code        wire.Code
		want        bool
		appended, n int64 // before, and records in the answer
	}{
		{false, wire.None, false, 0, 1},
		{true, wire.None, true, 1, 1},
		{true, wire.None, true, 1, 1},
		{true, wire.KafkaStorageError, true, 1, 0}, // the leader's, and this node's disk is as it was
		{false, wire.None, false, 1, 1},
		{false, wire.KafkaStorageError, false, 2, 0},
		{true, wire.None, true, 2, 1},
	} {
		faults.Full(x.full)
		answer := row(1, x.appended, 3, x.appended, []string{"a"}[:x.n]...)
		answer.Code = x.code
		l.answer(c, wire.None, answer)
		var q *pull.Request
		c, q = l.paused()
		want := x.appended
		if !x.full && x.code == wire.None {
			want += x.n
		}
		if len(q.Asks) != 1 || q.Asks[0].Offset != want || q.Asks[0].Stuck != x.want {
			t.Fatalf("round %d: asked are %+v, want offset %d, stuck %v", round, q.Asks, want, x.want)
		}
	}
}

// TestTheLeadersWordIsFollowed: truncation, a start beyond the follower's end, a
// damaged batch.
func TestTheLeadersWordIsFollowed(t *testing.T) {
	r := newRig(t, 1)
	r.follow(0, 3)
	l, c := opened(t, r)
	l.answer(c, wire.None, row(0, 0, 3, 0, "a", "b", "c"))
	c, _ = l.fetch()
	l.answer(c, wire.None, pull.Row{Key: pull.Key{Topic: topicID}, High: 1, Diverging: true, DivergingEpoch: 3, DivergingEnd: 1})
	c, q := l.fetch()
	if asks(q)[0] != 1 {
		t.Errorf("after a truncation to 1 asked are %v", asks(q))
	}
	l.answer(c, wire.None, pull.Row{Key: pull.Key{Topic: topicID}, Code: wire.OffsetOutOfRange, High: -1, LogStart: 500})
	c, q = l.fetch()
	if asks(q)[0] != 500 || q.Asks[0].LogStart != 500 || q.Asks[0].LastEpoch != -1 {
		t.Errorf("after a start at 500 asked is %+v", q.Asks)
	}
	bad := row(0, 500, 3, 500, "x", "y")
	bad.Records[len(bad.Records)-1]++
	l.answer(c, wire.None, bad)
	_, q = l.paused()
	if asks(q)[0] != 501 {
		t.Errorf("after a damaged second batch asked is %+v, want what follows the first", q.Asks)
	}
}

// TestABrokenConnectionTakesTheSessionWithIt: all is asked anew, in a new one.
func TestABrokenConnectionTakesTheSessionWithIt(t *testing.T) {
	r := newRig(t, 3)
	for i := range int32(3) {
		r.follow(i, 3)
	}
	l, c := opened(t, r)
	l.answer(c, wire.None, row(1, 0, 3, 0, "a"))
	l.fetch()
	r.fail <- errors.New("not yet")
	r.fail <- errors.New("not yet")
	must(t, l.conn.Close())
	l = r.dial()
	if _, q := l.fetch(); q.SessionEpoch != 0 || q.SessionID != 0 || len(q.Asks) != 3 || asks(q)[1] != 1 {
		t.Errorf("the fetch of a new connection says %+v", q)
	}
}

// TestAnswersThatCannotBeEndTheConnection: nothing of them is believed.
func TestAnswersThatCannotBeEndTheConnection(t *testing.T) {
	for what, send := range map[string]func(l *leader, c int32){
		"an error of the whole": func(l *leader, c int32) { l.answer(c, wire.FetchSessionIDNotFound) },
		"to another request":    func(l *leader, c int32) { l.answer(c+9, wire.None) },
		"a size below zero":     func(l *leader, _ int32) { l.send([]byte{0xff, 0, 0, 0}) },
		"too short":             func(l *leader, _ int32) { l.send([]byte{0, 0, 0, 2, 0, 0}) },
		"rubbish":               func(l *leader, c int32) { l.send([]byte{0, 0, 0, 7, 0, 0, 0, byte(c), 0, 1, 2}) },
	} {
		r := newRig(t, 1)
		r.follow(0, 3)
		l, c := opened(t, r)
		send(l, c)
		if _, q := r.dial().fetch(); q.SessionEpoch != 0 || len(q.Asks) != 1 {
			t.Errorf("%s: the fetch of the next connection says %+v", what, q)
		}
	}
}

func (l *leader) send(b []byte) {
	l.t.Helper()
	_, err := l.conn.Write(b)
	must(l.t, err)
}

// TestNothingRunsWhereNothingIsFollowed: and what is closed follows nothing.
func TestNothingRunsWhereNothingIsFollowed(t *testing.T) {
	var none *Fetchers
	none.Follow(nil, 2, 1)
	none.Unfollow(nil)
	none.Close()
	r := newRig(t, 1)
	if len(r.all.nodes) != 0 {
		t.Error("fetchers that follow nothing reach for nodes")
	}
	r.all.Close()
	r.follow(0, 3)
	if len(r.all.nodes) != 0 || r.all.Following() != 0 {
		t.Error("closed fetchers follow")
	}
}
