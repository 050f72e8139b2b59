package queue_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/queue"
)

// dead waits until so many dead letters are there.
func (r *rig) dead(name string, want int64) {
	r.Helper()
	r.eventually(fmt.Sprint(want, " dead letters of ", name), func() bool {
		s, err := r.q.Stats(r.ctx, ref(name))
		r.must(err)
		return s.Dead == want
	})
}

func TestWhatIsTakenTooOftenIsADeadLetter(t *testing.T) {
	r := start(t)
	r.create("dead", nil)
	r.create("orders", func(s *queue.Spec) { s.DeadLetter = &queue.DeadLetter{Queue: ref("dead"), MaxReceives: 2} })
	sent := r.sendAll("orders", queue.Message{Body: []byte("poison"), DelayMs: -1, Attributes: map[string]queue.Attribute{"n": {Type: "Number", Value: []byte("1")}}},
		queue.Message{Body: []byte("refused"), DelayMs: -1})
	sentAt := r.clock.ms.Load()
	for i := range 2 {
		for _, m := range r.take("orders", 2) {
			if string(m.Body) == "refused" {
				r.good("reject", r.q.Reject(r.ctx, ref("orders"), []string{m.Receipt}))
			} else if m.Count != int32(i+1) {
				t.Errorf("taken %d times, want %d", m.Count, i+1)
			}
		}
		r.pass(31 * time.Second)
	}
	r.dead("orders", 2)
	r.want("nothing is left", bodies(r.take("orders", 9)), "")
	letters := r.take("dead", 9)
	r.want("letters", sorted(letters), "poison:1 refused:1")
	for _, l := range letters {
		want := sent[0].ID
		if string(l.Body) == "refused" {
			want = sent[1].ID
		}
		if l.ID != want || l.SentMs != sentAt || l.DeadLetterSource != "orders" {
			t.Errorf("%+v: want id %s, sent %d", l, want, sentAt)
		}
		if string(l.Body) == "poison" && l.Attributes["n"].Type != "Number" {
			t.Errorf("attributes %v", l.Attributes)
		}
	}
	sources, _, err := r.q.SourcesOf(r.ctx, ref("dead"), "", 10)
	if err != nil || len(sources) != 1 || sources[0].Name != "orders" {
		t.Errorf("sources %v, %v", sources, err)
	}
}

func TestDeadLettersAreWrittenOnceThroughRestarts(t *testing.T) {
	r := start(t)
	r.create("dead", nil)
	r.create("orders", func(s *queue.Spec) { s.DeadLetter = &queue.DeadLetter{Queue: ref("dead"), MaxReceives: 1} })
	const n = 200
	for i := range n {
		r.send("orders", fmt.Sprint(i))
		if i%50 == 49 {
			got := r.take("orders", 50)
			r.good("nack", r.q.Nack(r.ctx, ref("orders"), nacks(got)))
			r.restart()
		}
	}
	r.dead("orders", n)
	seen := map[string]int{}
	for {
		got := r.take("dead", 100)
		if len(got) == 0 {
			break
		}
		for _, m := range got {
			seen[string(m.Body)]++
		}
		r.good("ack", r.q.Ack(r.ctx, ref("dead"), receipts(got)))
	}
	for i := range n {
		if seen[fmt.Sprint(i)] != 1 {
			t.Errorf("%d: %d letters", i, seen[fmt.Sprint(i)])
		}
	}
}

// A letter that is too large for the dead-letter queue stays in its queue, given up, and
// holds up no other; once its topic takes it, it goes there.
func TestALetterThatIsTooLargeStaysAndHoldsUpNoOther(t *testing.T) {
	r := start(t)
	r.create("dead", func(s *queue.Spec) { s.MaxMessageBytes = queue.MinMessageBytes })
	r.create("orders", func(s *queue.Spec) { s.DeadLetter = &queue.DeadLetter{Queue: ref("dead"), MaxReceives: 9} })
	large := strings.Repeat("x", 200_000)
	r.send("orders", "a", large, "b")
	for range 40 { // together they are more than a batch of the dead letters' topic
		r.send("orders", strings.Repeat("c", 10_000))
	}
	r.good("reject", r.q.Reject(r.ctx, ref("orders"), receipts(r.take("orders", 43))))
	r.dead("orders", 42)
	r.want("it is not given out", bodies(r.take("orders", 9)), "")
	r.eventually("it alone is there", func() bool { return r.lying("orders", 99) == large+":dying" }) // archiving follows the letters
	_, err := r.q.Update(r.ctx, ref("dead"), func(s *queue.Spec) error { s.MaxMessageBytes = queue.MaxMessageBytes; return nil })
	r.must(err)
	r.pass(time.Minute)
	r.dead("orders", 43)
	r.eventually("it is gone", func() bool { return r.lying("orders", 99) == "" })
	r.want("and lies there", strings.TrimLeft(r.lying("dead", 99, "body="+large), "x"), ":waiting")
}

func nacks(all []queue.Taken) []queue.Nack {
	var out []queue.Nack
	for i := range all {
		out = append(out, queue.Nack{Receipt: all[i].Receipt})
	}
	return out
}

func TestDeadLetterQueuesAreChecked(t *testing.T) {
	r := start(t)
	r.create("dead.fifo", nil)
	r.create("closed", func(s *queue.Spec) { s.RedriveAllow = &queue.RedriveAllow{Permission: queue.DenyAll} })
	r.create("some", func(s *queue.Spec) {
		s.RedriveAllow = &queue.RedriveAllow{Permission: queue.ByQueue, Sources: []queue.Ref{ref("friend").Filled()}}
	})
	try := func(name, dead string) error {
		s := queue.DefaultSpec()
		s.DeadLetter = &queue.DeadLetter{Queue: ref(dead), MaxReceives: 1}
		_, _, err := r.q.Create(r.ctx, ref(name), s)
		return err
	}
	for _, dead := range []string{"nowhere", "dead.fifo", "closed", "some", "orders"} {
		if err := try("orders", dead); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("%s: %v", dead, err)
		}
	}
	r.must(try("friend", "some"))
}

// moved waits until a move is over.
func (r *rig) moved(m queue.Move) queue.Move {
	r.Helper()
	var last queue.Move
	r.eventually("the move is over", func() bool {
		all, err := r.q.ListMoves(r.ctx, m.From, 10)
		r.must(err)
		for _, x := range all {
			if x.Handle == m.Handle {
				last = x
			}
		}
		return last.Status != queue.MoveRunning && last.Status != queue.MoveCancelling
	})
	return last
}

func TestDeadLettersGoBackToWhereTheyCameFrom(t *testing.T) {
	r := start(t)
	r.create("dead", nil)
	for _, name := range []string{"a", "b"} {
		r.create(name, func(s *queue.Spec) { s.DeadLetter = &queue.DeadLetter{Queue: ref("dead"), MaxReceives: 5} })
		r.send(name, name+"1", name+"2")
		r.good("reject", r.q.Reject(r.ctx, ref(name), receipts(r.take(name, 2))))
	}
	r.dead("a", 4)
	m, err := r.q.StartMove(r.ctx, ref("dead"), nil, 0)
	r.must(err)
	got := r.moved(m)
	if got.Status != queue.MoveCompleted || got.Moved != 4 || got.ToMove != 4 {
		t.Errorf("%+v", got)
	}
	r.want("the letters are gone", r.stats("dead"), "0 0 0 0")
	r.want("a's", sorted(r.take("a", 9)), "a1:1 a2:1")
	r.want("b's", sorted(r.take("b", 9)), "b1:1 b2:1")
	if _, err := r.q.CancelMove(r.ctx, m.Handle); !errors.Is(err, queue.ErrInvalid) {
		t.Errorf("cancel what is over: %v", err)
	}
	if _, err := r.q.CancelMove(r.ctx, "nowhere"); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("cancel what is not: %v", err)
	}
	r.send("dead", "no letter")
	m, err = r.q.StartMove(r.ctx, ref("dead"), nil, 0)
	r.must(err)
	if got := r.moved(m); got.Status != queue.MoveFailed || got.FailureReason == "" {
		t.Errorf("a message that came from nowhere: %+v", got)
	}
	to := ref("a")
	m, err = r.q.StartMove(r.ctx, ref("dead"), &to, 0)
	r.must(err)
	if got := r.moved(m); got.Status != queue.MoveCompleted {
		t.Errorf("%+v", got)
	}
	r.want("it has a queue now", sorted(r.take("a", 9)), "letter:1 no")
}

// What a rule gave up is an event: nobody may put it on its bus again unasked.
func TestDeadLettersOfRulesGoWhereTheyAreTold(t *testing.T) {
	r := start(t)
	r.create("dead", nil)
	r.create("a", nil)
	words := map[string]queue.Attribute{"RULE_ARN": {Type: "String", Value: []byte("rule:x")}, "TARGET_ARN": {Type: "String", Value: []byte("queue:y")}}
	r.sendAll("dead", queue.Message{Body: []byte("event"), DelayMs: -1, Attributes: words})
	m, err := r.q.StartMove(r.ctx, ref("dead"), nil, 0)
	r.must(err)
	if got := r.moved(m); got.Status != queue.MoveFailed || !strings.Contains(got.FailureReason, "rule:x could not give to queue:y") {
		t.Errorf("%+v", got)
	}
	r.want("the letter", r.stats("dead"), "1 0 0 0")
	to := ref("a")
	m, err = r.q.StartMove(r.ctx, ref("dead"), &to, 0)
	r.must(err)
	if got := r.moved(m); got.Status != queue.MoveCompleted || got.Moved != 1 {
		t.Errorf("%+v", got)
	}
	r.want("where it was told", sorted(r.take("a", 9)), "event:1")
}

func TestAMoveGoesOnAfterARestartAndMovesEachOnce(t *testing.T) {
	r := start(t)
	r.create("from", nil)
	r.create("to", nil)
	const n = 120
	for i := range n {
		r.send("from", fmt.Sprint(i))
	}
	to := ref("to")
	m, err := r.q.StartMove(r.ctx, ref("from"), &to, 400)
	r.must(err)
	if _, err := r.q.StartMove(r.ctx, ref("from"), &to, 0); !errors.Is(err, queue.ErrBusy) {
		t.Errorf("a second move: %v", err)
	}
	r.eventually("something is moved", func() bool {
		s, err := r.q.Stats(r.ctx, to)
		r.must(err)
		return s.Waiting > 0
	})
	r.restart()
	if got := r.moved(m); got.Status != queue.MoveCompleted {
		t.Fatalf("%+v", got)
	}
	r.want("from", r.stats("from"), "0 0 0 0")
	r.want("to", r.stats("to"), fmt.Sprint(n, " 0 0 0"))
}

func TestCountsAreOfCommittedMessages(t *testing.T) {
	r := start(t)
	_, err := r.admin().CreateTopic(r.ctx, 1, 1, nil, "orders")
	r.must(err)
	txn := r.client(kgo.DefaultProduceTopic("orders"), kgo.TransactionalID("t"))
	write := func(how kgo.TransactionEndTry, n int) {
		t.Helper()
		r.must(txn.BeginTransaction())
		for range n {
			r.must(txn.ProduceSync(r.ctx, &kgo.Record{Value: []byte("x"), Timestamp: r.clock.now()}).FirstErr())
		}
		r.must(txn.EndTransaction(r.ctx, how))
	}
	write(kgo.TryCommit, 3)
	write(kgo.TryAbort, 5)
	write(kgo.TryCommit, 2)
	r.create("orders", nil)
	r.want("committed ones", r.stats("orders"), "5 0 0 0")
	r.must(txn.BeginTransaction())
	r.must(txn.ProduceSync(r.ctx, &kgo.Record{Value: []byte("x"), Timestamp: r.clock.now()}).FirstErr())
	r.want("an open one does not count", r.stats("orders"), "5 0 0 0")
	r.must(txn.EndTransaction(r.ctx, kgo.TryCommit))
	r.want("now it does", r.stats("orders"), "6 0 0 0")
	r.pass(time.Minute)
	s, err := r.q.Stats(r.ctx, ref("orders"))
	if err != nil || s.OldestMs != 60_000 {
		t.Errorf("the oldest is there for %d ms, %v", s.OldestMs, err)
	}
	got := r.take("orders", 4)
	r.want("some are out", r.stats("orders"), "2 4 0 0")
	r.good("ack", r.q.Ack(r.ctx, ref("orders"), receipts(got)[:3]))
	r.good("nack", r.q.Nack(r.ctx, ref("orders"), []queue.Nack{{Receipt: got[3].Receipt, DelayMs: 1000}}))
	r.want("some are done, one waits", r.stats("orders"), "2 0 1 0")
	got = append(r.take("orders", 9), got[:0]...)
	r.pass(time.Second)
	got = append(got, r.take("orders", 9)...)
	r.good("ack", r.q.Ack(r.ctx, ref("orders"), receipts(got)))
	r.want("all are done", r.stats("orders"), "0 0 0 0")
	if s, err := r.q.Stats(r.ctx, ref("orders")); err != nil || s.OldestMs != -1 {
		t.Errorf("nothing is there for %d ms, %v", s.OldestMs, err)
	}
}

func TestDelayedMessagesComeInTheirTime(t *testing.T) {
	r := start(t)
	r.create("orders", func(s *queue.Spec) { s.DelayMs = 10_000 })
	sent := r.sendAll("orders", queue.Message{Body: []byte("own"), DelayMs: 30_000}, queue.Message{Body: []byte("queue's"), DelayMs: -1},
		queue.Message{Body: []byte("none"), DelayMs: 0})
	sentAt := r.clock.ms.Load()
	r.want("counted", r.stats("orders"), "1 0 2 0")
	r.want("the one without", bodies(r.takeFor("orders", 9, 3600_000)), "none:1")
	r.pass(10 * time.Second)
	r.want("as the queue says", bodies(r.takeFor("orders", 9, 3600_000)), "queue's:1")
	r.want("one waits still", r.stats("orders"), "0 2 1 0")
	r.restart()
	r.pass(20 * time.Second)
	r.want("it came", r.stats("orders"), "1 2 0 0")
	got := r.takeFor("orders", 9, 3600_000)
	r.want("as it says itself", bodies(got), "own:1")
	if got[0].ID != sent[0].ID || got[0].SentMs != sentAt {
		t.Errorf("%+v, want id %s, sent %d", got[0], sent[0].ID, sentAt)
	}
}

// A purge and the end of a queue take what is delayed, too; what is delayed for a
// topic that was adopted is its readers', and stays.
func TestDelayedMessagesGoWithTheirQueue(t *testing.T) {
	r := start(t)
	later := func(name string) {
		t.Helper()
		r.sendAll(name, queue.Message{Body: []byte("later"), DelayMs: 60_000})
	}
	r.create("orders", nil)
	later("orders")
	r.must(r.q.Purge(r.ctx, ref("orders")))
	r.want("purged", r.stats("orders"), "0 0 0 0")
	later("orders")
	r.must(r.q.Delete(r.ctx, ref("orders")))
	r.create("orders", nil)
	r.pass(time.Minute)
	r.want("nothing comes", bodies(r.take("orders", 9)), "")
	_, err := r.admin().CreateTopics(r.ctx, 1, 1, nil, "shared")
	r.must(err)
	r.create("adopts", func(s *queue.Spec) { s.Topic = "shared" })
	later("adopts")
	r.must(r.q.Purge(r.ctx, ref("adopts")))
	r.want("not purged", r.stats("adopts"), "0 0 1 0")
	r.pass(time.Minute)
	r.want("it comes", bodies(r.take("adopts", 9)), "later:1")
}

// Whoever has moved the clock need not wait: what was given up by it lies with the dead
// letters, and its group goes on.
func TestAMovedClockLeavesNothingThatIsStillToCome(t *testing.T) {
	r := start(t)
	for _, c := range []struct{ orders, dead string }{{"orders", "dead"}, {"orders.fifo", "dead.fifo"}} {
		r.create(c.dead, nil)
		r.create(c.orders, func(s *queue.Spec) { s.DeadLetter = &queue.DeadLetter{Queue: ref(c.dead), MaxReceives: 1} })
		for i := range 20 {
			poison, next := fmt.Sprint("poison", i), fmt.Sprint("next", i)
			send := func(body string) {
				t.Helper()
				m := queue.Message{Body: []byte(body), DelayMs: -1}
				if strings.HasSuffix(c.orders, ".fifo") {
					m.Group, m.DedupID = "g", body
				}
				r.sendAll(c.orders, m)
			}
			send(poison)
			r.want("taken", bodies(r.take(c.orders, 1)), poison+":1")
			send(next)
			r.pass(31 * time.Second)
			after, err := r.q.Take(r.ctx, ref(c.orders), queue.TakeOptions{Max: 1, VisibilityMs: -1})
			r.must(err)
			letters, err := r.q.Take(r.ctx, ref(c.dead), queue.TakeOptions{Max: 1, VisibilityMs: -1})
			r.must(err)
			r.want(c.orders, bodies(after), next+":1")
			r.want(c.dead, bodies(letters), poison+":1")
			r.good("delete", r.q.Ack(r.ctx, ref(c.orders), receipts(after)))
			r.good("delete", r.q.Ack(r.ctx, ref(c.dead), receipts(letters)))
		}
	}
}
