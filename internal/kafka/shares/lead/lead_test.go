package lead

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/kafka/wheel"
	"ottla/internal/log"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/share"
	"ottla/internal/share/store"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

var topicID = uuid.UUID{1, 2, 3}

// rig is a manager on a partition in memory and on a store that is stepped by
// hand.
type rig struct {
	t     *testing.T
	m     *Manager
	part  *partition.Partition
	store *books
	set   Settings
	code  wire.Code // why there is no partition; None when there is
	key   store.Key
	wheel *wheel.Wheel
	dead  []string
	seq   int // transactions
}

// books keep states as the share coordinator does, and can fail or tarry.
type books struct {
	t *testing.T

	mu      sync.Mutex // guards all below
	machine *store.Machine
	fail    error // of the next command
	hold    bool  // answers wait for let
	held    []func()
	puts    int
}

func (b *books) Go(_ context.Context, key string, cmd any, done func(any, error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if k, ok := store.ParseKey(key); !ok {
		b.t.Errorf("key %q gives %+v", key, k)
	}
	if _, put := cmd.(store.Put); put {
		b.puts++
	}
	body, err := b.step(cmd)
	if b.hold {
		b.held = append(b.held, func() { done(body, err) })
		return
	}
	go done(body, err)
}

func (b *books) step(cmd any) (any, error) {
	if err := b.fail; err != nil {
		b.fail = nil
		return nil, err
	}
	out, err := b.machine.Step(time.Now(), coordinator.Command{Token: 1, Body: cmd})
	if err != nil {
		return nil, err
	}
	for _, r := range out.Records {
		b.machine.Apply(r)
	}
	return out.Replies[0].Body, out.Replies[0].Err
}

// reinit makes the state anew, as somebody else would.
func (r *rig) reinit(epoch int32, start int64) {
	r.t.Helper()
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	if _, err := r.store.step(store.Initialize{Key: r.key, StateEpoch: epoch, Start: start, LeaderEpoch: -1}); err != nil {
		r.t.Fatal(err)
	}
}

// let answers what was held.
func (b *books) let() {
	b.mu.Lock()
	held := b.held
	b.held, b.hold = nil, false
	b.mu.Unlock()
	for _, f := range held {
		f()
	}
}

func (b *books) failNext(err error) {
	b.mu.Lock()
	b.fail = err
	b.mu.Unlock()
}

// state is what is stored.
func (b *books) state() store.State {
	b.mu.Lock()
	defer b.mu.Unlock()
	body, err := b.step(store.Read{Key: store.Key{Group: "g", TopicID: topicID}, LeaderEpoch: -1, OrNone: true})
	if err != nil {
		b.t.Fatal(err)
	}
	return body.(store.State)
}

func (r *rig) ByID(id uuid.UUID, index int32) (*partition.Partition, wire.Code) {
	if r.code != wire.None {
		return nil, r.code
	}
	if id != topicID || index != 0 {
		return nil, wire.UnknownTopicID
	}
	return r.part, wire.None
}

// newRig is called in a bubble.
func newRig(t *testing.T, adjust func(*Settings)) *rig {
	t.Helper()
	dir, err := log.OpenDir(log.DirOptions{FS: vfs.NewMem(0), Path: "/data", Now: time.Now, VerifyAge: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{
		t: t, key: store.Key{Group: "g", TopicID: topicID}, wheel: wheel.New(),
		store: &books{t: t, machine: store.New(store.Settings{SnapshotEvery: 3})},
		set:   Settings{Settings: share.Defaults(), Reset: Reset{Where: partition.TimeEarliest}, Renew: true},
	}
	if adjust != nil {
		adjust(&r.set)
	}
	r.part = partition.New(partition.Options{Topic: "t", ID: topicID, NodeID: 1, Now: time.Now, Config: partition.Config{
		Log:       log.Config{SegmentBytes: 1 << 30, IndexBytes: 10 << 20, IndexIntervalBytes: 4096, Delete: true, MaxDecompressed: 64 << 20, Durability: log.Memory},
		Rules:     record.Rules{MaxBatchBytes: 8 << 20, MaxDecompressed: 64 << 20, BeforeMaxMs: 1 << 60, AfterMaxMs: 3600_000},
		MinInsync: 1, ProducerExpiry: 24 * time.Hour,
	}})
	if err := r.part.Open(dir); err != nil {
		t.Fatal(err)
	}
	r.become(5)
	r.m = New(Options{
		Partitions: r, Store: r.store, Settings: func(string) Settings { return r.set }, Now: time.Now, Wheel: r.wheel,
		Patience: time.Minute, Dead: func(_ context.Context, d *Dying) error {
			r.dead = append(r.dead, fmt.Sprintf("%d-%d", d.Range.First, d.Range.Last))
			return nil
		},
	})
	return r
}

func (r *rig) close() {
	r.wheel.Close()
	r.m.Close()
}

func (r *rig) become(epoch int32) {
	r.t.Helper()
	if err := r.part.Become(partition.Role{Leader: 1, LeaderEpoch: epoch, Replicas: []int32{1}, ISR: []int32{1}}); err != nil {
		r.t.Fatal(err)
	}
}

// append writes a batch with a record for each letter, which is its key.
func (r *rig) append(keys string) {
	r.t.Helper()
	b := record.NewBuilder()
	for _, k := range keys {
		b.Add(time.Now().UnixMilli(), []byte(string(k)), []byte("v"))
	}
	var got partition.Appended
	if err := r.part.Append(b.Build(0), &partition.AppendArgs{Acks: 1}, &got); err != nil {
		r.t.Fatal(err)
	}
}

// loads is how often something is asked for that may have to be loaded first,
// or anew.
const loads = 3

// give is what a member gets at this moment, as text, once loading has ended.
func (r *rig) give(member string, most int) string {
	r.t.Helper()
	p := r.m.Part(r.key)
	var g Given
	for range loads {
		err := p.Give(&Want{Member: member, MaxRecords: most, MaxBytes: 1 << 20, MinOne: true}, &g)
		if err != nil {
			return wire.CodeOf(err).Name()
		}
		if r.whole(&g); g.Records > 0 {
			break
		}
		synctest.Wait()
	}
	var out []string
	for _, a := range g.Acquired {
		out = append(out, fmt.Sprintf("%d-%d:%d", a.First, a.Last, a.Count))
	}
	return strings.Join(out, " ")
}

// whole checks that what was given has the bytes of all that was locked.
func (r *rig) whole(g *Given) {
	r.t.Helper()
	if n := count(g.Acquired); n != g.Records {
		r.t.Errorf("%d records are told, %d were locked", g.Records, n)
	}
	buf := g.Bytes
	if g.Slice.Len > 0 {
		buf = make([]byte, g.Slice.Len)
		if _, err := g.Slice.ReadAt(buf, 0); err != nil {
			r.t.Fatal(err)
		}
		g.Slice.Release()
	}
	if len(buf) == 0 {
		return
	}
	last := int64(-1)
	for len(buf) > 0 {
		h, _, rest, err := record.Next(buf)
		if err != nil {
			r.t.Fatalf("the bytes end inside a batch: %v", err)
		}
		last, buf = h.LastOffset(), rest
	}
	if end := g.Acquired[len(g.Acquired)-1].Last; last < end {
		r.t.Errorf("the bytes end at offset %d, locked is %d", last, end)
	}
}

// ack acknowledges a range and waits for the answer.
func (r *rig) ack(member string, first, last int64, kind share.AckType) string {
	r.t.Helper()
	said := r.acking(member, first, last, kind)
	synctest.Wait()
	select {
	case code := <-said:
		return code
	default:
		return "no answer"
	}
}

func (r *rig) acking(member string, first, last int64, kind share.AckType) chan string {
	said := make(chan string, 1)
	r.m.Part(r.key).Acknowledge(member, []share.Ack{{First: first, Last: last, Types: []share.AckType{kind}}}, func(err error) {
		said <- wire.CodeOf(err).Name()
	})
	return said
}

func (r *rig) want(what, got, want string) {
	r.t.Helper()
	if got != want {
		r.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// in runs a test in a bubble.
func in(t *testing.T, adjust func(*Settings), test func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, adjust)
		defer r.close()
		test(r)
	})
}

func TestRecordsAreGivenAndWhatIsDoneIsStored(t *testing.T) {
	in(t, nil, func(r *rig) {
		r.append("abc")
		r.append("de")
		r.want("first", r.give("m", 3), "0-2:1")
		r.want("second", r.give("n", 10), "3-4:1")
		r.append("f")
		r.append("g")
		r.append("h")
		r.want("over several batches", r.give("o", 2), "5-6:1")
		r.want("the last", r.give("o", 2), "7-7:1")
		r.want("nothing left", r.give("m", 10), "")
		r.want("accepted", r.ack("m", 0, 2, share.Accept), "NONE")
		r.want("another's", r.ack("m", 3, 3, share.Accept), "INVALID_RECORD_STATE")
		r.want("released", r.ack("n", 3, 4, share.Release), "NONE")
		if st := r.store.state(); st.Start != 3 || len(st.Rows) != 1 || st.Rows[0].Count != 1 {
			t.Errorf("stored %+v", st)
		}
		r.want("again", r.give("m", 10), "3-4:2")
	})
}

func TestWhereItBeginsIsStoredBeforeTheFirstRecord(t *testing.T) {
	in(t, func(s *Settings) { s.Reset.Where = partition.TimeLatest }, func(r *rig) {
		r.append("abc")
		r.want("latest", r.give("m", 9), "")
		if st := r.store.state(); st.Start != 3 {
			t.Errorf("stored %+v, want to begin at 3", st)
		}
		r.append("d")
		r.want("what came after", r.give("m", 9), "3-3:1")
	})
	in(t, func(s *Settings) { s.Reset = Reset{BackMs: 60_000} }, func(r *rig) {
		r.append("ab")
		pass(2 * time.Minute)
		r.append("c")
		r.want("a minute back", r.give("m", 9), "2-2:1")
	})
}

func TestAcknowledgementsThatComeTogetherShareAWrite(t *testing.T) {
	in(t, nil, func(r *rig) {
		r.append("abcdefgh")
		r.want("all", r.give("m", 9), "0-7:1")
		r.store.mu.Lock()
		before := r.store.puts
		r.store.hold = true
		r.store.mu.Unlock()
		var all []chan string
		for at := range int64(8) {
			all = append(all, r.acking("m", at, at, share.Accept))
		}
		synctest.Wait()
		for _, said := range all {
			select {
			case code := <-said:
				t.Errorf("answered %s before anything is durable", code)
			default:
			}
		}
		r.store.let()
		synctest.Wait()
		for _, said := range all {
			r.want("in the end", <-said, "NONE")
		}
		if n := r.store.puts - before; n != 2 {
			t.Errorf("%d writes for 8 acknowledgements, want the first alone and the rest together", n)
		}
	})
}

func TestAFailedWriteLoadsTheStateAgain(t *testing.T) {
	in(t, nil, func(r *rig) {
		r.append("abcd")
		r.want("all", r.give("m", 9), "0-3:1")
		r.want("accepted", r.ack("m", 0, 0, share.Accept), "NONE")
		r.store.failNext(wire.NotCoordinator)
		r.want("lost", r.ack("m", 1, 1, share.Accept), "NOT_COORDINATOR")
		r.want("its locks are gone", r.ack("m", 2, 2, share.Accept), "INVALID_RECORD_STATE")
		r.want("what is not stored comes again", r.give("n", 9), "1-3:1")
	})
}

func TestANewLeadershipBeginsWithWhatIsStored(t *testing.T) {
	in(t, nil, func(r *rig) {
		r.append("abcd")
		r.want("all", r.give("m", 9), "0-3:1")
		r.want("accepted", r.ack("m", 1, 1, share.Accept), "NONE")
		r.become(6)
		r.want("its locks are gone", r.ack("m", 2, 2, share.Accept), "INVALID_RECORD_STATE")
		r.want("again", r.give("n", 9), "0-0:1 2-3:1")
		// The old leader's writes are kept out from now on.
		r.store.mu.Lock()
		_, err := r.store.step(store.Put{Key: r.key, LeaderEpoch: 5, Start: -1})
		r.store.mu.Unlock()
		r.want("an old leader", wire.CodeOf(err).Name(), "FENCED_LEADER_EPOCH")
		r.code = wire.NotLeaderOrFollower
		r.want("led elsewhere", r.give("n", 9), "NOT_LEADER_OR_FOLLOWER")
		r.want("led elsewhere", r.ack("n", 0, 0, share.Accept), "NOT_LEADER_OR_FOLLOWER")
	})
}

func TestALoadIsTriedAgainUntilItSucceeds(t *testing.T) {
	in(t, nil, func(r *rig) {
		r.append("a")
		r.store.failNext(wire.CoordinatorLoadInProgress)
		var g Given
		w := &waiter{}
		if err := r.m.Part(r.key).Give(&Want{Member: "m", MaxBytes: 100, MinOne: true}, &g); err != nil {
			t.Fatal(err)
		}
		r.m.Part(r.key).Watch(w, &g)
		synctest.Wait()
		pass(time.Second)
		if w.calls() == 0 {
			t.Error("nobody was told that it is loaded")
		}
		r.m.Part(r.key).Unwatch(w, &g)
		r.want("in the end", r.give("m", 9), "0-0:1")
	})
	in(t, nil, func(r *rig) {
		r.append("a")
		r.store.failNext(wire.CorruptMessage)
		r.give("m", 9)
		synctest.Wait()
		if err := r.m.Part(r.key).Give(&Want{Member: "m", MaxBytes: 100, MinOne: true}, &Given{}); wire.CodeOf(err) != wire.CorruptMessage {
			t.Errorf("what does not pass is told: %v", err)
		}
		pass(time.Second)
		r.want("and tried again", r.give("m", 9), "0-0:1")
	})
}

// pass lets time go by on the bubble's clock, and what it brings happen.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// waiter counts how often it was told.
type waiter struct {
	mu sync.Mutex
	n  int
}

func (w *waiter) Readable(int) { w.Wake() }

func (w *waiter) Wake() {
	w.mu.Lock()
	w.n++
	w.mu.Unlock()
}

func (w *waiter) calls() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n
}

func TestWhoWaitsIsToldOfEverythingNew(t *testing.T) {
	in(t, func(s *Settings) { s.RetryMs, s.RetryFactor = 500, 1 }, func(r *rig) {
		r.append("a")
		r.want("taken", r.give("m", 9), "0-0:1")
		p := r.m.Part(r.key)
		for _, tc := range []struct {
			what string
			do   func()
		}{
			{"an append", func() { r.append("b") }},
			{"a release, once its wait is over", func() {
				r.give("m", 9)
				r.ack("m", 0, 1, share.Release)
			}},
			{"a lock that ends", func() { r.give("m", 9); pass(31 * time.Second) }},
			{"a member that leaves", func() { r.give("m", 9); r.m.Leave("g", "m") }},
			{"changed settings", func() { r.m.Configure("g") }},
			{"another leadership", func() { r.become(7) }},
		} {
			var g Given
			p.Look(&g)
			if g.Log == nil { // it is being loaded
				synctest.Wait()
				p.Look(&g)
			}
			w := &waiter{}
			p.Watch(w, &g)
			before := w.calls()
			tc.do()
			synctest.Wait()
			pass(time.Second)
			if w.calls() == before {
				t.Errorf("%s: nobody was told", tc.what)
			}
			p.Unwatch(w, &g)
		}
	})
}

func TestWhatIsGivenUpIsBuried(t *testing.T) {
	in(t, func(s *Settings) { s.DeadLetter, s.Attempts = true, 1 }, func(r *rig) {
		r.append("abc")
		r.want("all", r.give("m", 9), "0-2:1")
		r.want("rejected", r.ack("m", 0, 0, share.Reject), "NONE")
		pass(31 * time.Second) // the locks end, for the last time
		if want := []string{"0-0", "1-2"}; !slices.Equal(r.dead, want) {
			t.Errorf("dead letters of %v, want %v", r.dead, want)
		}
		if st := r.store.state(); st.Start != 3 {
			t.Errorf("stored %+v, want all done", st)
		}
	})
}

func TestKeysAreReadWhereTheyAreInOrder(t *testing.T) {
	in(t, func(s *Settings) { s.KeyOrdered = true }, func(r *rig) {
		r.append("xxy")
		r.append("yz")
		r.want("the first of each", r.give("m", 9), "0-0:1 2-2:1 4-4:1")
		r.want("accepted", r.ack("m", 0, 0, share.Accept), "NONE")
		r.want("the next", r.give("n", 9), "1-1:1")
		st, _ := r.m.Part(r.key).Stats()
		if st.Locked != 3 || st.Members != 2 {
			t.Errorf("stats %+v", st)
		}
		r.m.Part(store.Key{Group: "a", TopicID: topicID}) // nobody has loaded it
		if all := r.m.Standings(); len(all) != 1 || all[0].Key != r.key || all[0].Stats != st {
			t.Errorf("standings %+v, want those of %+v alone", all, r.key)
		}
	})
}

func TestControlRecordsAndAbortedOnesAreNobodys(t *testing.T) {
	for isolation, want := range map[partition.Isolation]string{partition.ReadUncommitted: "0-1:1 3-3:1", partition.ReadCommitted: "3-3:1"} {
		in(t, func(s *Settings) { s.Isolation = isolation }, func(r *rig) {
			b := record.NewBuilder()
			b.ProducerID, b.ProducerEpoch, b.BaseSequence, b.Transactional = 9, 0, 0, true
			b.Add(time.Now().UnixMilli(), nil, []byte("a"))
			b.Add(time.Now().UnixMilli(), nil, []byte("b"))
			var got partition.Appended
			if err := r.part.Append(b.Build(0), &partition.AppendArgs{Acks: 1, Transactional: true, Internal: true}, &got); err != nil {
				t.Fatal(err)
			}
			if err := r.part.Append(record.EndTxnMarker(9, 0, false, 1, time.Now().UnixMilli()), &partition.AppendArgs{Acks: -1, Internal: true}, &got); err != nil {
				t.Fatal(err)
			}
			r.append("c")
			r.want(fmt.Sprintf("isolation %d", isolation), r.give("m", 9), want)
		})
	}
}

func TestRetentionTakesRecordsFromThoseWhoHoldThem(t *testing.T) {
	in(t, nil, func(r *rig) {
		r.append("ab")
		r.append("cd")
		r.want("all", r.give("m", 9), "0-3:1")
		if _, err := r.part.DeleteRecords(2); err != nil {
			t.Fatal(err)
		}
		r.want("what is gone needs no acknowledgement", r.ack("m", 0, 3, share.Accept), "NONE")
		if st := r.store.state(); st.Start != 4 {
			t.Errorf("stored %+v", st)
		}
	})
}

func TestWhatOthersChangedIsLoadedAgain(t *testing.T) {
	in(t, nil, func(r *rig) {
		r.append("abcd")
		r.want("all", r.give("m", 9), "0-3:1")
		r.reinit(1, 2)
		r.want("an older state's write", r.ack("m", 0, 0, share.Accept), "FENCED_STATE_EPOCH")
		r.want("from the new start", r.give("m", 9), "2-3:1")
		r.m.Forget("g", r.key)
		r.want("forgotten", r.ack("m", 2, 2, share.Accept), "INVALID_RECORD_STATE")
		r.m.ForgetTopics(func(id uuid.UUID) bool { return id == topicID })
		r.m.Forget("g")
		if p := r.m.Part(r.key); p == nil {
			t.Error("a forgotten part cannot be had again")
		}
	})
}

func TestAGroupThatNobodyReadsCostsNothing(t *testing.T) {
	in(t, nil, func(r *rig) {
		r.append("ab")
		r.want("taken", r.give("m", 9), "0-1:1")
		p := r.m.Part(r.key)
		r.m.Rest("g")
		if r.m.Part(r.key) != p || p.Gone() {
			t.Fatal("a part with locks was let go")
		}
		r.want("accepted", r.ack("m", 0, 0, share.Accept), "NONE")
		r.m.Leave("g", "m")
		synctest.Wait()
		r.m.Rest("g")
		next := r.m.Part(r.key)
		if !p.Gone() || next == p {
			t.Fatal("the part is kept")
		}
		if err := p.Give(&Want{Member: "m", MaxBytes: 100, MinOne: true}, &Given{}); wire.CodeOf(err) != wire.NotLeaderOrFollower {
			t.Errorf("a part that is gone gives: %v", err)
		}
		r.want("its successor goes on", r.give("n", 9), "1-1:2")
	})
}

func TestRenewalNeedsTheGroupsLeave(t *testing.T) {
	in(t, nil, func(r *rig) {
		r.append("a")
		r.want("taken", r.give("m", 9), "0-0:1")
		pass(20 * time.Second)
		r.want("renewed", r.ack("m", 0, 0, share.Renew), "NONE")
		pass(20 * time.Second)
		r.want("held still", r.ack("m", 0, 0, share.Accept), "NONE")
	})
	in(t, func(s *Settings) { s.Renew = false }, func(r *rig) {
		r.append("a")
		r.want("taken", r.give("m", 9), "0-0:1")
		r.want("refused", r.ack("m", 0, 0, share.Renew), "INVALID_REQUEST")
	})
}

func TestAClosedManagerHasNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.append("a")
		r.want("taken", r.give("m", 9), "0-0:1")
		r.store.mu.Lock()
		r.store.hold = true
		r.store.mu.Unlock()
		said := r.acking("m", 0, 0, share.Accept)
		go r.close()
		synctest.Wait()
		r.store.let()
		synctest.Wait()
		r.want("whoever waited", <-said, "NOT_LEADER_OR_FOLLOWER")
		if r.m.Part(r.key) != nil {
			t.Error("a closed manager gives parts")
		}
	})
}
