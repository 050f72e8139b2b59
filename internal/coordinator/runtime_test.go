package coordinator

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/wire"
)

// shards is a runtime over logs in memory that commit as they are written.
type shards struct {
	*Runtime
	logs []*memLog
}

func newShards(t *testing.T, n int) *shards {
	s := &shards{}
	for range n {
		s.logs = append(s.logs, &memLog{most: 1 << 20, auto: true})
	}
	s.Runtime = NewRuntime(Options{Topic: "__toys", Partitions: func() int { return n }, New: func(int32) Machine { return newToy() }})
	t.Cleanup(s.Close)
	return s
}

func (s *shards) lead(t *testing.T, epoch int32) {
	t.Helper()
	for i, l := range s.logs {
		s.Lead(int32(i), l.tail(epoch))
		if err := s.shard(int32(i)).settle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSettleWaitsForTheLoad that is at hand, or to come.
func TestSettleWaitsForTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShards(t, 3)
		s.logs[2].auto = false
		s.logs[2].end = 1 // one record is not committed
		for i := range s.logs {
			s.Expect(int32(i))
		}
		settled := make(chan error, 1)
		go func() { settled <- s.SettleAll(t.Context()) }()
		for i, l := range s.logs {
			synctest.Wait()
			if len(settled) > 0 {
				t.Errorf("settled before partition %d is led", i)
			}
			s.Lead(int32(i), l.tail(1))
		}
		synctest.Wait()
		if len(settled) > 0 {
			t.Error("settled before everything in the log is committed")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.SettleAll(ctx); wire.CodeOf(err) != wire.CoordinatorLoadInProgress {
			t.Errorf("with no time to wait: got %v, want COORDINATOR_LOAD_IN_PROGRESS", err)
		}
		s.logs[2].commit()
		if err := <-settled; err != nil {
			t.Errorf("got %v", err)
		}
		for _, a := range s.Each(t.Context(), "get x") {
			if a.Err != nil {
				t.Errorf("partition %d: %v", a.Partition, a.Err)
			}
		}
		s.Close()
	})
}

// slowTail tells when a load looks at its end, and when it has been read, and
// goes on when it is let.
type slowTail struct {
	*memTail
	looks, reads chan struct{}
}

func slow(t *memTail) *slowTail { return &slowTail{t, make(chan struct{}), make(chan struct{})} }

func (t *slowTail) End() int64 {
	t.looks <- struct{}{}
	<-t.looks
	return t.memTail.End()
}

func (t *slowTail) Replay(ctx context.Context, from, to int64, fn func([]byte) error) error {
	t.reads <- struct{}{}
	<-t.reads
	return t.memTail.Replay(ctx, from, to, fn)
}

// TestALeadershipIsSeenFromTheMomentItIsToldOf: whoever looks while the shard is
// just taking it up finds a load to wait for, and not that nobody leads.
func TestALeadershipIsSeenFromTheMomentItIsToldOf(t *testing.T) {
	s := newShards(t, 1)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	loads := func(when string) {
		t.Helper()
		if err := s.SettleAll(ended); wire.CodeOf(err) != wire.CoordinatorLoadInProgress {
			t.Errorf("%s: with no time to wait got %v, want COORDINATOR_LOAD_IN_PROGRESS", when, err)
		}
		if led, loads, _ := s.Standing(); led != 1 || loads != 1 {
			t.Errorf("%s: %d led and %d loading, want 1 and 1", when, led, loads)
		}
		s.refuse(t, "", "get a", wire.CoordinatorLoadInProgress)
	}
	for epoch := range int32(3) { // the first, and one after another
		tail := slow(s.logs[0].tail(epoch))
		s.Lead(0, tail)
		<-tail.looks
		loads("before the load")
		tail.looks <- struct{}{}
		<-tail.reads
		loads("in the load")
		tail.reads <- struct{}{}
		if err := s.SettleAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.do(t, "", "get a")
	}
	// A leadership that comes while an older one still loads.
	older := slow(s.logs[0].tail(3))
	s.Lead(0, older)
	<-older.looks
	older.looks <- struct{}{}
	<-older.reads
	newer := slow(s.logs[0].tail(4))
	s.Lead(0, newer)
	older.reads <- struct{}{}
	<-newer.looks
	loads("after the older load")
	newer.looks <- struct{}{}
	<-newer.reads
	newer.reads <- struct{}{}
	if err := s.SettleAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.do(t, "", "get a")
}

// TestWhatIsExpectedOutlastsTheEndOfWhatWas: a resignation that is taken up
// after a new leadership was foretold does not hide that.
func TestWhatIsExpectedOutlastsTheEndOfWhatWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShards(t, 1)
		older := slow(s.logs[0].tail(1))
		s.Lead(0, older)
		<-older.looks
		s.Resign(0)
		s.Expect(0)
		older.looks <- struct{}{}
		<-older.reads
		older.reads <- struct{}{}
		synctest.Wait()
		s.refuse(t, "", "get a", wire.CoordinatorLoadInProgress)
		settled := make(chan error, 1)
		go func() { settled <- s.SettleAll(t.Context()) }()
		synctest.Wait()
		if len(settled) > 0 {
			t.Error("settled before the partition is led")
		}
		s.Lead(0, s.logs[0].tail(2))
		if err := <-settled; err != nil {
			t.Errorf("got %v", err)
		}
		s.do(t, "", "get a")
		s.Close()
	})
}

func (s *shards) do(t *testing.T, key, line string) string {
	t.Helper()
	got, err := s.Do(t.Context(), key, line)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return got.(string)
}

func (s *shards) refuse(t *testing.T, key, line string, want wire.Code) {
	t.Helper()
	if _, err := s.Do(t.Context(), key, line); wire.CodeOf(err) != want {
		t.Errorf("%s: got %v, want %s", line, err, want.Name())
	}
}

// TestARuntimeAnswersForWhatItLeads and says what else there is to say.
func TestARuntimeAnswersForWhatItLeads(t *testing.T) {
	s := newShards(t, 2)
	stands := func(want string) {
		t.Helper()
		if led, loads, fails := s.Standing(); fmt.Sprint(led, loads, fails) != want {
			t.Errorf("%d led, %d loading, %d failed; want %s", led, loads, fails, want)
		}
	}
	s.refuse(t, "a", "get a", wire.NotCoordinator)
	stands("0 0 0")
	s.Expect(1)
	stands("1 1 0")
	s.refuse(t, "a", "get a", wire.CoordinatorLoadInProgress) // "a" is 97: partition 1
	s.lead(t, 1)
	stands("2 0 0")
	s.do(t, "a", "put a 1")
	s.do(t, "b", "put b 2")
	if got := s.do(t, "a", "get a"); got != "1" {
		t.Errorf("a is %q, want 1", got)
	}
	s.refuse(t, "a", "no", wire.InvalidRequest)
	answers := s.Each(t.Context(), "get b")
	if len(answers) != 2 || answers[0].Partition != 0 || answers[0].Body != "2" || answers[1].Body != "" {
		t.Errorf("each: got %v, want b only in partition 0", answers)
	}
	s.Lead(1, s.logs[1].tail(1)) // nothing new
	if got := s.do(t, "a", "get a"); got != "1" {
		t.Errorf("after the same leadership was told again a is %q, want 1", got)
	}
	s.Resign(1)
	s.refuse(t, "a", "get a", wire.NotCoordinator)
	if answers := s.Each(t.Context(), "get b"); len(answers) != 1 {
		t.Errorf("each: got %v, want the one that is led", answers)
	}
	// The topic was made again: its epochs begin anew, and so does the state.
	s.logs[1] = &memLog{most: 1 << 20, auto: true}
	s.Expect(1)
	s.Lead(1, s.logs[1].tail(0))
	if err := s.Settle(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if got := s.do(t, "a", "get a"); got != "" {
		t.Errorf("in the new topic a is %q, want nothing", got)
	}
	s.Close()
	s.refuse(t, "b", "get b", wire.NotCoordinator)
	s.Lead(0, s.logs[0].tail(2)) // too late, and harmless
	s.refuse(t, "b", "get b", wire.NotCoordinator)
}

// TestACallerMayStopWaiting: what it asked for goes on without it.
func TestACallerMayStopWaiting(t *testing.T) {
	s := newShards(t, 1)
	s.lead(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := s.Do(ctx, "", "wait x"); done <- err }()
	cancel()
	if err := <-done; wire.CodeOf(err) != wire.RequestTimedOut {
		t.Errorf("got %v, want REQUEST_TIMED_OUT", err)
	}
	if got := s.do(t, "", "put x 1"); got != "" {
		t.Errorf("got %q, want nothing before", got)
	}
	heard := make(chan any, 1)
	s.Go(t.Context(), "", "get x", func(body any, err error) { heard <- body })
	if got := <-heard; got != "1" {
		t.Errorf("Go: got %v, want 1", got)
	}
}

// TestTimersOfAShardNeedNobody: they fire with the clock alone, in a bubble
// where time passes only when everybody waits.
func TestTimersOfAShardNeedNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShards(t, 1)
		s.lead(t, 1)
		s.do(t, "", "at 30s put t 1")
		s.do(t, "", "at 10s put u 1")
		began := time.Now()
		s.do(t, "", "wait u") // answered by nothing but the timer
		if d := time.Since(began); d != 10*time.Second {
			t.Errorf("the first timer fired after %v, want 10s", d)
		}
		s.do(t, "", "wait t")
		if d := time.Since(began); d != 30*time.Second {
			t.Errorf("the second timer fired after %v, want 30s", d)
		}
		s.do(t, "", "work put w 1")
		synctest.Wait()
		if got := s.do(t, "", "get w"); got != "1" {
			t.Errorf("the work's result: got %q, want 1", got)
		}
		s.Close()
	})
}

// TestAFullMailboxAnswers instead of growing.
func TestAFullMailboxAnswers(t *testing.T) {
	in := newInbox()
	for range mailboxSize {
		if err := in.put(&call{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.put(&call{}); wire.CodeOf(err) != wire.CoordinatorLoadInProgress {
		t.Errorf("got %v, want COORDINATOR_LOAD_IN_PROGRESS", err)
	}
	var got taken
	in.take(&got, 0)
	if len(got.calls) != 0 {
		t.Errorf("took %d calls while there is no room, want none", len(got.calls))
	}
	in.take(&got, turnSize)
	if len(got.calls) != turnSize || len(in.calls) != mailboxSize-turnSize {
		t.Errorf("took %d calls and left %d, want %d taken", len(got.calls), len(in.calls), turnSize)
	}
	in.roleOf(&role{})
	in.take(&got, turnSize)
	if len(got.calls) != mailboxSize-turnSize {
		t.Errorf("a change of role took %d calls, want all %d", len(got.calls), mailboxSize-turnSize)
	}
}

// TestManyCallersAndChangesOfRole run at once (for the race detector): each
// key's puts come in order, and what was answered is in the log.
func TestManyCallersAndChangesOfRole(t *testing.T) {
	s := newShards(t, 3)
	s.lead(t, 1)
	var put [8]atomic.Int64
	var wg, changes sync.WaitGroup
	stop := make(chan struct{})
	changes.Go(func() {
		for epoch := int32(2); ; epoch++ {
			select {
			case <-stop:
				return
			default:
			}
			for i, l := range s.logs {
				if epoch%3 == 0 {
					s.Resign(int32(i))
				}
				s.Lead(int32(i), l.tail(epoch))
			}
			s.Each(t.Context(), "get x")
		}
	})
	for i := range put {
		wg.Go(func() {
			key := fmt.Sprint("key", i)
			for n := int64(1); n <= 200; {
				_, err := s.Do(t.Context(), key, fmt.Sprintf("put %s %d", key, n))
				switch wire.CodeOf(err) {
				case wire.None:
					put[i].Store(n)
					n++
				case wire.NotCoordinator, wire.CoordinatorLoadInProgress:
				default:
					t.Errorf("put: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	changes.Wait()
	s.lead(t, 1<<20)
	for i := range put {
		key := fmt.Sprint("key", i)
		if got, _ := strconv.ParseInt(s.do(t, key, "get "+key), 10, 64); got != put[i].Load() {
			t.Errorf("%s is %d, want %d", key, got, put[i].Load())
		}
	}
}

// TestATurnSharesOneWrite: what waits in the mailbox goes into one batch.
func TestATurnSharesOneWrite(t *testing.T) {
	l := &memLog{most: 1 << 20, auto: true}
	m := newToy()
	c := newCore(coreOptions{metrics: &Metrics{}, logger: NewRuntime(Options{}).o.Logger, show: func(phase) {}}, 0, m)
	c.lead(t.Context(), time.UnixMilli(0), l.tail(1))
	var calls []*call
	answered := 0
	for i := range 300 {
		calls = append(calls, &call{ctx: t.Context(), body: fmt.Sprintf("put k%d %s", i, strings.Repeat("v", 100)),
			done: func(any, error) { answered++ }})
	}
	c.turn(time.UnixMilli(0), nil, nil)
	c.turn(time.UnixMilli(0), nil, calls)
	if l.writes != 1 || answered != 300 {
		t.Errorf("%d writes and %d answers for 300 commands, want 1 and 300", l.writes, answered)
	}
}

// TestANodeThatStopsLetsGoWhoWaits for something to happen, at once and for ever; what
// is decided is told when it is committed, and commands are carried out as before.
func TestANodeThatStopsLetsGoWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShards(t, 2)
		defer s.Close()
		s.Lead(0, s.logs[0].tail(1))
		start := func(partition int32, line string) <-chan asked {
			c := make(chan asked, 1)
			s.GoAt(t.Context(), partition, line, func(body any, err error) { c <- asked{body, err} })
			synctest.Wait()
			return c
		}
		if err := s.SettleAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.logs[0].auto = false
		waits, decided := start(0, "wait k"), start(0, "put a 1")
		s.LetGo()
		if a := <-waits; wire.CodeOf(a.err) != wire.NotCoordinator {
			t.Errorf("who waits: got %v, want NOT_COORDINATOR", a)
		}
		if len(decided) > 0 {
			t.Errorf("what is not committed was told: %v", <-decided)
		}
		s.logs[0].commit()
		if a := <-decided; a.err != nil {
			t.Errorf("what was decided: got %v", a)
		}
		s.logs[0].auto = true
		s.Lead(1, s.logs[1].tail(1)) // the first of it
		if err := s.SettleAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		for partition := range int32(2) {
			if a := <-start(partition, "wait k"); wire.CodeOf(a.err) != wire.NotCoordinator {
				t.Errorf("who comes later to partition %d: got %v, want NOT_COORDINATOR", partition, a)
			}
			if a := <-start(partition, "put k 2"); a.err != nil {
				t.Errorf("a command for partition %d: got %v", partition, a)
			}
		}
	})
}
