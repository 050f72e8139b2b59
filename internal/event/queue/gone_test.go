package queue_test

import (
	"context"
	"testing"

	"ottla/internal/event/queue"
	"ottla/internal/kafka/queues"
)

// leaving are leases whose taker goes when he was given something.
type leaving struct {
	queue.Leases
	leave func()
}

func (l leaving) Take(ctx context.Context, p queues.Part, w queues.Want) (queues.Lease, error) {
	got, err := l.Leases.Take(ctx, p, w)
	if len(got.Acquired) > 0 {
		l.leave()
	}
	return got, err
}

// Who hangs up, or is stopped, while messages are taken for him has not seen them: they
// are there for the next one at once, and none is a dead letter of it.
func TestWhatIsTakenForSomebodyWhoHasGoneIsThereAtOnce(t *testing.T) {
	r := start(t)
	for _, called := range []string{"orders", "orders.fifo"} {
		r.create("dead-"+called, nil)
		r.create(called, func(s *queue.Spec) { s.DeadLetter = &queue.DeadLetter{Queue: ref("dead-" + called), MaxReceives: 1} })
		for _, body := range []string{"a", "b"} {
			m := queue.Message{Body: []byte(body), DelayMs: -1}
			if called == "orders.fifo" {
				m.Group, m.DedupID = "g", body
			}
			r.sendAll(called, m)
		}
		ctx, leave := context.WithCancel(r.ctx)
		q := r.q.WithLeases(func(l queue.Leases) queue.Leases { return leaving{l, leave} })
		got, err := q.Take(ctx, ref(called), queue.TakeOptions{Max: 9, WaitMs: queue.MaxWaitMs, VisibilityMs: -1})
		if len(got) > 0 || err != nil {
			t.Errorf("%s: %s are told to nobody, %v", called, bodies(got), err)
		}
		q.Close()
		if got, err := r.q.Take(ctx, ref(called), queue.TakeOptions{Max: 9, VisibilityMs: -1}); len(got) > 0 || err != nil {
			t.Errorf("%s: one who has gone took %s, %v", called, bodies(got), err)
		}
		r.want(called, sorted(r.take(called, 9)), "a:1 b:1")
	}
}
