package delivery_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/delivery"
	"ottla/internal/event/delivery/course"
	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
	"ottla/internal/record"
)

// gate holds transactions that tell of calls until it is let go.
type gate struct {
	held, open chan struct{}
	letGo      func()
}

// gated makes the service anew, behind a gate.
func (r *rig) gated() *gate {
	r.Helper()
	g := &gate{held: make(chan struct{}, 1), open: make(chan struct{})}
	g.letGo = sync.OnceFunc(func() { close(g.open) })
	r.Cleanup(g.letGo) // before the service is closed
	r.svc.Close()
	r.hook = g
	r.open()
	r.hook = nil
	return g
}

// OnProduceRecordBuffered implements kgo.HookProduceRecordBuffered.
func (g *gate) OnProduceRecordBuffered(rec *kgo.Record) {
	if rec.Topic != delivery.AttemptsTopic || string(rec.Key) == "runner" {
		return
	}
	select {
	case g.held <- struct{}{}:
	default:
	}
	<-g.open
}

// wait returns when a transaction is held.
func (g *gate) wait(r *rig) {
	r.Helper()
	await(r, r.ctx(), g.held)
}

// await waits for something.
func await(r *rig, ctx context.Context, c <-chan struct{}) {
	r.Helper()
	select {
	case <-c:
	case <-ctx.Done():
		r.Fatal(ctx.Err())
	}
}

// counted is a site that tells of each call.
func counted(t *testing.T, status func(body string) int) (*site, chan struct{}) {
	came := make(chan struct{}, 1<<16)
	return newSite(t, func(_ int, body string) int {
		came <- struct{}{}
		return status(body)
	}), came
}

// finish settles, however often what is known was loaded anew, and looks that nothing is
// called again then.
func (r *rig) finish(s *site) {
	r.Helper()
	for ctx := r.ctx(); ; {
		err := r.svc.Settle(ctx)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			r.Fatal(err)
		}
	}
	before := len(s.all())
	r.again()
	r.settle()
	if n := len(s.all()); n != before {
		r.Errorf("%d calls, and %d when all was done", n, before)
	}
}

// While it is being written what came of a call, others are made; not all, for if that
// fails they are made again.
func TestCallsGoOnWhileWhatCameOfOthersIsWritten(t *testing.T) {
	r := newRig(t)
	g := r.gated()
	s, came := counted(t, func(string) int { return 0 })
	to := r.target("hook", plan.Endpoint{URL: s.URL})
	r.put(to, "", "first")
	await(r, r.ctx(), came)
	g.wait(r)
	const most = 1000 // what goes on meanwhile
	ids := names("e", 2*most)
	for part := range slices.Chunk(ids, 500) {
		r.put(to, "", part...)
	}
	for ctx, n := r.ctx(), 0; n < most; n++ {
		await(r, ctx, came)
	}
	// Another takes the partition over, so what is being written is not.
	partition := record.KeyHash([]byte(to.Key)) % delivery.Partitions
	other, err := r.client(kgo.TransactionalID("ottla-deliveries-" + strconv.Itoa(int(partition))))
	r.must(err)
	defer other.Close()
	_, _, err = other.ProducerID(r.ctx())
	r.must(err)
	if n := len(s.bodies()); n > 1+most { // the first may have come twice
		t.Errorf("%d were called while what came of the first was being written, want %d at most", n-1, most)
	}
	g.letGo()
	r.finish(s)
	got := s.bodies()
	if len(got) != 1+len(ids) || got["first"] < 2 {
		t.Errorf("%d came of %d, the first %d times", len(got), 1+len(ids), got["first"])
	}
	found, err := r.svc.Attempts(r.ctx(), delivery.Query{Event: "first"})
	r.must(err)
	if len(found) == 0 || !found[0].OK {
		t.Errorf("of the first is known %+v", found)
	}
}

// bad is refused by a site, and all else taken.
func bad(body string) int {
	if body == "bad" {
		return 400
	}
	return 0
}

// A service that is closed while it writes loses nothing, and no dead letter is there
// twice.
func TestTheServiceMayBeClosedWhileItWrites(t *testing.T) {
	r := newRig(t)
	g := r.gated()
	dead := r.queue("dead")
	s, came := counted(t, bad)
	to := r.target("hook", plan.Endpoint{URL: s.URL, Retry: course.EventBridge(), DeadLetters: dead})
	r.put(to, "", "bad", "good")
	g.wait(r)
	ids := names("e", 100)
	r.put(to, "", ids...)
	for ctx, n := r.ctx(), 0; n < 2+len(ids); n++ {
		await(r, ctx, came)
	}
	closed, svc := make(chan struct{}), r.svc
	go func() {
		svc.Close()
		close(closed)
	}()
	g.letGo()
	await(r, r.ctx(), closed)
	r.open()
	r.finish(s)
	if got := s.bodies(); len(got) != 2+len(ids) {
		t.Errorf("%d came of %d", len(got), 2+len(ids))
	}
	if got := r.letters(dead); len(got) != 1 {
		t.Errorf("%d dead letters: %+v", len(got), got)
	}
}

// What a refused dead letter takes back with it is written without it, along with what
// came of calls meanwhile.
func TestADeadLetterThatIsRefusedTakesNothingAlong(t *testing.T) {
	r := newRig(t)
	g := r.gated()
	dead := r.queue("dead")
	s, came := counted(t, bad)
	to := r.target("hook", plan.Endpoint{URL: s.URL, Retry: course.EventBridge(), DeadLetters: dead, Concurrency: 1})
	r.put(to, "", "good", "bad")
	g.wait(r)
	ids := names("e", 100)
	r.put(to, "", ids...)
	for ctx, n := r.ctx(), 0; n < 2+len(ids); n++ {
		await(r, ctx, came)
	}
	recs, err := r.Queues().Records(r.ctx(), queueOf(dead), []queue.Message{{Body: []byte("{}"), Group: "g", DedupID: "d"}})
	r.must(err)
	tiny := "1"
	set, err := kadm.NewClient(r.kafka).AlterTopicConfigs(r.ctx(), []kadm.AlterConfig{{Name: "max.message.bytes", Value: &tiny}}, recs[0].Topic)
	r.must(err)
	r.must(set[0].Err)
	g.letGo()
	r.finish(s)
	if got := s.bodies(); len(got) != 2+len(ids) {
		t.Errorf("%d came of %d", len(got), 2+len(ids))
	}
	for _, id := range append(ids, "good", "bad") {
		found, err := r.svc.Attempts(r.ctx(), delivery.Query{Event: id})
		r.must(err)
		if len(found) == 0 || found[0].OK != (id != "bad") {
			t.Errorf("of %s is known %+v", id, found)
		}
	}
	if got := r.letters(dead); len(got) != 0 {
		t.Errorf("%d dead letters: %+v", len(got), got)
	}
}
