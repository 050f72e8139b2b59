package queue_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/queue"
)

// What a move held and gave back was not received by anybody: moves that fail use up
// no deliveries.
func TestAMoveThatFailsIsNoDelivery(t *testing.T) {
	r := start(t)
	r.create("dead", nil)
	r.create("orders", func(s *queue.Spec) { s.DeadLetter = &queue.DeadLetter{Queue: ref("dead"), MaxReceives: 2} })
	r.create("small", func(s *queue.Spec) { s.MaxMessageBytes = queue.MinMessageBytes })
	r.send("orders", "a", strings.Repeat("x", 200_000))
	small := ref("small")
	for _, to := range []*queue.Ref{nil, &small, nil, &small} {
		m, err := r.q.StartMove(r.ctx, ref("orders"), to, 0)
		r.must(err)
		if got := r.moved(m); got.Status != queue.MoveFailed || got.Moved != 0 || to != nil && !strings.Contains(got.FailureReason, "orders-0@1 becomes a record of 200") {
			t.Errorf("%+v", got)
		}
		r.want("all are back", r.stats("orders"), "2 0 0 0")
	}
	for _, m := range r.take("orders", 9) {
		if m.Count != 1 {
			t.Errorf("a message of %d bytes was taken %d times", len(m.Body), m.Count)
		}
	}
}

// A Kafka producer may write any header: nothing is put back into what is the
// cluster's own.
func TestNothingIsPutBackIntoTopicsOfTheCluster(t *testing.T) {
	r := start(t)
	q := r.create("orders", nil)
	r.must(r.client().ProduceSync(r.ctx, &kgo.Record{Topic: q.Topic, Value: []byte("x"), Headers: []kgo.RecordHeader{{Key: "__dlq.errors.topic", Value: []byte("__ottla_objects")}}}).FirstErr())
	m, err := r.q.StartMove(r.ctx, ref("orders"), nil, 0)
	r.must(err)
	if got := r.moved(m); got.Status != queue.MoveFailed || got.Moved != 0 {
		t.Errorf("%+v", got)
	}
	r.want("it is back", bodies(r.take("orders", 9)), "x:1")
}

// slow begins a move of 100 messages that takes its time, and waits until it has moved
// something.
func (r *rig) slow() queue.Move {
	r.Helper()
	r.create("from", nil)
	r.create("to", nil)
	for i := range 100 {
		r.send("from", fmt.Sprint(i))
	}
	to := ref("to")
	m, err := r.q.StartMove(r.ctx, ref("from"), &to, 4)
	r.must(err)
	r.eventually("something is moved", func() bool {
		s, err := r.q.Stats(r.ctx, to)
		r.must(err)
		return s.Waiting > 0
	})
	return m
}

func TestAMoveEndsWithWhereItGoesTo(t *testing.T) {
	r := start(t)
	m := r.slow()
	r.must(r.q.Delete(r.ctx, ref("to")))
	if got := r.moved(m); got.Status != queue.MoveFailed || !strings.Contains(got.FailureReason, "there is no such queue") {
		t.Errorf("%+v", got)
	}
	s, err := r.q.Stats(r.ctx, ref("from"))
	if err != nil || s.Waiting == 0 || s.InFlight != 0 {
		t.Errorf("left are %+v, %v", s, err)
	}
}

func TestAMoveEndsWithItsQueueAndLeavesTheNextAlone(t *testing.T) {
	r := start(t)
	m := r.slow()
	r.must(r.q.Delete(r.ctx, ref("from")))
	r.create("from", nil)
	r.send("from", "new")
	if got := r.moved(m); got.Status != queue.MoveFailed || got.FailureReason == "" {
		t.Errorf("%+v", got)
	}
	r.want("the new one's", bodies(r.take("from", 9)), "new:1")
	to := ref("to")
	m, err := r.q.StartMove(r.ctx, ref("from"), &to, 0)
	r.must(err)
	if got := r.moved(m); got.Status != queue.MoveCompleted {
		t.Errorf("a move of the new one: %+v", got)
	}
}

// Who cancels a move hears CANCELLING; nothing that the move notes takes that back.
func TestAMoveThatIsCancelledEndsSo(t *testing.T) {
	r := start(t)
	m := r.slow()
	if got, err := r.q.CancelMove(r.ctx, m.Handle); err != nil || got.Status != queue.MoveCancelling {
		t.Errorf("%+v, %v", got, err)
	}
	got := r.moved(m)
	if got.Status != queue.MoveCancelled || got.Moved == 0 || got.Moved == 100 {
		t.Errorf("%+v", got)
	}
	r.want("what was not moved stays", r.stats("from"), fmt.Sprint(100-got.Moved, " 0 0 0"))
}

// A node was killed while it mended a letter, and the letter is held: the next move of
// the queue gives it back.
func TestALetterOfAMendingThatWasCutOffIsMovedAtOnce(t *testing.T) {
	r := start(t)
	r.buried(3)
	r.must(r.q.HoldAsReviser(r.ctx, ref("dead"), 0, 1))
	r.want("it is held", r.lying("dead", 9), `{"n":0}:waiting {"n":1}:in_flight {"n":2}:waiting`)
	m, err := r.q.StartMove(r.ctx, ref("dead"), nil, 0)
	r.must(err)
	if got := r.moved(m); got.Status != queue.MoveCompleted || got.Moved != 3 {
		t.Errorf("%+v", got)
	}
	r.want("all came back", sorted(r.take("orders", 9)), `{"n":0}:1 {"n":1}:1 {"n":2}:1`)
	r.pass(time.Minute)
	r.want("once", r.stats("dead"), "0 0 0 0")
}
