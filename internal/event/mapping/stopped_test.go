package mapping_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/event/mapping"
	"ottla/internal/event/queue"
)

// holding has the function keep its first call until the returned function is called.
func (r *rig) holding() (let func()) {
	gate := make(chan struct{})
	r.bill.answer = func(n int, _ []byte) (int, string) {
		if n == 1 {
			<-gate
		}
		return http.StatusOK, ""
	}
	open := false
	let = func() {
		if !open {
			close(gate)
		}
		open = true
	}
	r.Cleanup(let)
	return let
}

// Offsets that are set while a mapping rests hold, also when its last call ends later.
func TestOffsetsThatAreSetWhileTheLastCallEndsHold(t *testing.T) {
	r := newRig(t)
	r.topic("orders", 1)
	let := r.holding()
	m := r.put("orders-bill", mapping.Spec{Source: "topic:orders", Function: "bill"})
	r.write("orders", 0, "a")
	r.until("the call is under way", func() bool { return len(r.bill.all()) == 1 })
	r.write("orders", 0, "b", "c")
	_, err := r.Mappings().Pause(r.ctx(), m.Ref, true)
	r.must(err)
	r.until("it is stopped", func() bool { return r.Mappings().Stopped(m.Ref) })
	set := kadm.Offsets{}
	set.Add(kadm.Offset{Topic: "orders", At: 2, LeaderEpoch: -1})
	done, err := kadm.NewClient(r.kafka).CommitOffsets(r.ctx(), m.Group, set)
	r.must(err)
	r.must(done.Error())
	let()
	_, err = r.Mappings().Pause(r.ctx(), m.Ref, false)
	r.must(err)
	r.until("all is committed", func() bool { return r.committed(m.Group, "orders")[0] == 3 })
	if got := r.values("orders-0"); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("what came is %v", got)
	}
}

// What a call brings that ends after its mapping was deleted is not committed for another
// of the name.
func TestAMappingThatIsMadeAnewBeginsWhereItSays(t *testing.T) {
	r := newRig(t)
	r.topic("orders", 1)
	let := r.holding()
	spec := mapping.Spec{Source: "topic:orders", Function: "bill", From: mapping.Earliest}
	r.write("orders", 0, "a", "b")
	m := r.put("orders-bill", spec)
	r.until("the call is under way", func() bool { return len(r.bill.all()) == 1 })
	r.must(r.Mappings().Delete(r.ctx(), m.Ref))
	r.until("it is stopped", func() bool { return r.Mappings().Stopped(m.Ref) })
	r.put("orders-bill", spec)
	let()
	r.until("all is committed", func() bool { return r.committed(m.Group, "orders")[0] == 2 })
	if got := r.values("orders-0"); !slices.Equal(got, []string{"a", "b", "a", "b"}) {
		t.Errorf("what came is %v", got)
	}
}

// A mapping whose group has lost its offsets begins as it did: all that came since then is
// there, and nothing older.
func TestAGroupThatIsLostBeginsAsItDid(t *testing.T) {
	r := newRig(t)
	r.topic("orders", 1)
	r.write("orders", 0, "before")
	r.must(r.clock.Advance(r.ctx(), 3600_000_000_000))
	m := r.put("orders-bill", mapping.Spec{Source: "topic:orders", Function: "bill", Paused: true})
	r.write("orders", 0, "a", "b")
	lost, err := kadm.NewClient(r.kafka).DeleteGroup(r.ctx(), m.Group)
	r.must(err)
	r.must(lost.Err)
	_, err = r.Mappings().Pause(r.ctx(), m.Ref, false)
	r.must(err)
	r.until("all is committed", func() bool { return r.committed(m.Group, "orders")[0] == 3 })
	if got := r.values("orders-0"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("what came is %v", got)
	}
}

// A mapping that is stopped while it gathers gives back what it has at once, and no
// function has seen it.
func TestWhatWasGatheredWhenAMappingIsStoppedIsThereAtOnce(t *testing.T) {
	r := newRig(t)
	dead := r.queue("dead", queue.DefaultSpec())
	spec := queue.DefaultSpec()
	spec.DeadLetter = &queue.DeadLetter{Queue: dead, MaxReceives: 1}
	jobs := r.queue("jobs", spec)
	m := r.put("jobs-bill", mapping.Spec{Source: "queue:jobs", Function: "bill", Batch: 9, WindowMs: mapping.MostWindowMs})
	r.send(jobs, bodies("m", 1)...)
	out := func() int64 {
		s, err := r.Queues().Stats(r.ctx(), jobs)
		r.must(err)
		return s.InFlight
	}
	r.until("it is gathered", func() bool { return out() == 1 })
	_, err := r.Mappings().Pause(r.ctx(), m.Ref, true)
	r.must(err)
	r.until("it is given back", func() bool { return out() == 0 })
	got, err := r.Queues().Take(r.ctx(), jobs, queue.TakeOptions{Max: 9, VisibilityMs: -1})
	r.must(err)
	if len(got) != 1 || got[0].Count != 1 {
		t.Errorf("got %+v, want m0 as it was sent", got)
	}
	if n := len(r.bill.all()); n > 0 {
		t.Errorf("the function was called %d times", n)
	}
}
