package coordinator

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/wire"
)

// soleTail is a tail whose partition no other node has.
type soleTail struct{ *memTail }

func (soleTail) Sole() bool { return true }

// asked is what becomes of commands.
type asked struct {
	body any
	err  error
}

// muted is a runtime of two shards, of which nobody else could lead the second, on a
// node that is cut off as long as mute says; it runs in a bubble.
func muted(t *testing.T, mute *atomic.Bool) (s *shards, start func(partition int32, line string) <-chan asked) {
	t.Helper()
	s = &shards{logs: []*memLog{{most: 1 << 20, auto: true}, {most: 1 << 20, auto: true}}}
	s.Runtime = NewRuntime(Options{
		Topic: "__toys", Partitions: func() int { return 2 }, New: func(int32) Machine { return newToy() }, Mute: mute.Load,
	})
	s.Lead(0, s.logs[0].tail(1))
	s.Lead(1, soleTail{s.logs[1].tail(1)})
	if err := s.SettleAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, func(partition int32, line string) <-chan asked {
		c := make(chan asked, 1)
		s.GoAt(t.Context(), partition, line, func(body any, err error) { c <- asked{body, err} })
		synctest.Wait()
		return c
	}
}

// Those who ask, or wait, at a node that is cut off are sent to look for the
// coordinator. Nothing is forgotten: where nobody took its place it goes on.
func TestACutOffCoordinatorSendsEverybodyAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mute := new(atomic.Bool)
		s, start := muted(t, mute)
		defer s.Close()
		if a := <-start(0, "note n soft"); a.err != nil {
			t.Fatal(a.err)
		}
		s.logs[0].auto = false // the other replicas do not answer
		waits := map[string]<-chan asked{"put off": start(0, "wait k"), "not committed": start(0, "put a 1"), "a read of that": start(0, "get a")}
		sole := start(1, "wait k")
		<-time.After(time.Hour)
		for what, c := range waits {
			if len(c) > 0 {
				t.Errorf("%s: answered by a node that is heard: %v", what, <-c)
			}
		}
		mute.Store(true)
		<-time.After(excuseEvery)
		synctest.Wait()
		for what, c := range waits {
			if a := <-c; wire.CodeOf(a.err) != wire.NotCoordinator {
				t.Errorf("%s: got %v, want NOT_COORDINATOR", what, a)
			}
		}
		if a := <-start(0, "get a"); wire.CodeOf(a.err) != wire.NotCoordinator {
			t.Errorf("a command that comes: got %v, want NOT_COORDINATOR", a)
		}
		if a := <-start(1, "put k 2"); a.err != nil || (<-sole).body != "2" {
			t.Errorf("where nobody else could coordinate: got %v", a)
		}
		mute.Store(false)
		s.logs[0].commit()
		s.logs[0].auto = true
		for line, want := range map[string]string{"get a": "1", "notes n": "soft", "put k 3": ""} {
			if a := <-start(0, line); a.err != nil || a.body != want {
				t.Errorf("heard again: %s: got %v, want %q", line, a, want)
			}
		}
	})
}

// A load waits for what is not committed, and its commands are told to come again;
// where the node is cut off they are told to go elsewhere.
func TestACutOffNodeThatLoadsSendsEverybodyAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mute := new(atomic.Bool)
		s, start := muted(t, mute)
		defer s.Close()
		s.logs[0].auto = false
		s.logs[0].end++
		s.Lead(0, s.logs[0].tail(2))
		synctest.Wait()
		for cut, want := range map[bool]wire.Code{false: wire.CoordinatorLoadInProgress, true: wire.NotCoordinator} {
			mute.Store(cut)
			if a := <-start(0, "get a"); wire.CodeOf(a.err) != want {
				t.Errorf("cut off %v: got %v, want %v", cut, a, want)
			}
		}
	})
}

// What waits for commitment without a caller stays: the work that a decision brings.
func TestWorkOutlastsItsCallers(t *testing.T) {
	var q replies
	var work Work
	called := 0
	for range 3 {
		q.push(reply{end: 5, call: &call{done: func(any, error) { called++ }}})
		q.push(reply{end: 5, work: &work})
	}
	if _, ok := q.pop(); !ok { // the first caller has its answer
		t.Fatal("nothing there")
	}
	if calls := q.callers(); len(calls) != 2 || q.len() != 3 {
		t.Fatalf("%d callers and %d that stay, want 2 and 3", len(calls), q.len())
	}
	for range 3 {
		if r, ok := q.ready(5); !ok || r.work == nil {
			t.Errorf("got %+v, %v, want work", r, ok)
		}
	}
	if _, ok := q.ready(5); ok || called > 0 {
		t.Error("more than the work is there")
	}
}
