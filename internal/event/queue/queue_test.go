package queue_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/queue"
)

func TestAMessageIsTakenByOneAndDone(t *testing.T) {
	r := start(t)
	r.create("orders", nil)
	sent := r.send("orders", "a", "b", "c")
	got := r.take("orders", 10)
	r.want("taken", sorted(got), "a:1 b:1 c:1")
	ids := map[string]bool{}
	for i := range sent {
		ids[sent[i].ID] = true
	}
	for i := range got {
		if !ids[got[i].ID] || got[i].SentMs != r.clock.ms.Load() || got[i].FirstTakenMs != r.clock.ms.Load() {
			t.Errorf("%+v was not sent so: %v", got[i], sent)
		}
	}
	r.want("nobody else gets them", bodies(r.take("orders", 10)), "")
	r.want("they are in flight", r.stats("orders"), "0 3 0 0")
	r.good("ack", r.q.Ack(r.ctx, ref("orders"), receipts(got)))
	r.want("they are done", r.stats("orders"), "0 0 0 0")
	r.pass(24 * time.Hour)
	r.want("and stay so", bodies(r.take("orders", 10)), "")
	for _, err := range r.q.Ack(r.ctx, ref("orders"), receipts(got)) {
		if !errors.Is(err, queue.ErrStale) {
			t.Errorf("a second acknowledgement: %v", err)
		}
	}
}

func TestWhatIsNotAcknowledgedComesBack(t *testing.T) {
	r := start(t)
	r.create("orders", func(s *queue.Spec) { s.VisibilityMs = 20_000 })
	r.send("orders", "a")
	first := r.take("orders", 1)
	r.pass(19 * time.Second)
	r.want("still out", bodies(r.take("orders", 1)), "")
	r.good("extend", r.q.Extend(r.ctx, ref("orders"), []queue.Extension{{Receipt: first[0].Receipt, ForMs: 10_000}}))
	r.pass(9 * time.Second)
	r.want("held longer", bodies(r.take("orders", 1)), "")
	r.pass(time.Second)
	r.want("its time is over", r.stats("orders"), "1 0 0 0")
	second := r.takeFor("orders", 1, 12*3600_000)
	r.want("again", bodies(second), "a:2")
	if second[0].ID != first[0].ID || second[0].Receipt == first[0].Receipt || second[0].FirstTakenMs != first[0].FirstTakenMs {
		t.Errorf("another id, the same receipt or another first time: %+v, %+v", first[0], second[0])
	}
	for name, errs := range map[string][]error{
		"ack":    r.q.Ack(r.ctx, ref("orders"), receipts(first)),
		"nack":   r.q.Nack(r.ctx, ref("orders"), []queue.Nack{{Receipt: first[0].Receipt}}),
		"extend": r.q.Extend(r.ctx, ref("orders"), []queue.Extension{{Receipt: first[0].Receipt, ForMs: 1}}),
		"reject": r.q.Reject(r.ctx, ref("orders"), receipts(first)),
	} {
		if !errors.Is(errs[0], queue.ErrStale) {
			t.Errorf("%s by the receipt of an earlier delivery: %v", name, errs[0])
		}
	}
	r.pass(12*time.Hour - time.Second)
	r.want("twelve hours", r.stats("orders"), "0 1 0 0")
	r.good("ack", r.q.Ack(r.ctx, ref("orders"), receipts(second)))
}

// overdue has a message taken of a standard queue, orders, and of a FIFO one,
// orders.fifo, and their time over.
func overdue(t *testing.T) (r *rig, std, fifo []queue.Taken) {
	t.Helper()
	r = start(t)
	r.create("orders", nil)
	r.create("orders.fifo", func(s *queue.Spec) { s.ContentDedup = true })
	r.send("orders", "a")
	r.sendAll("orders.fifo", grouped("g", "", "a"))
	std, fifo = r.take("orders", 1), r.take("orders.fifo", 1)
	r.pass(time.Minute)
	return r, std, fifo
}

func TestALateAcknowledgementCountsWhileNobodyElseHasTheMessage(t *testing.T) {
	r, std, fifo := overdue(t)
	r.good("a standard queue's", r.q.Ack(r.ctx, ref("orders"), receipts(std)))
	r.want("it is done", r.stats("orders"), "0 0 0 0")
	if err := r.q.Ack(r.ctx, ref("orders.fifo"), receipts(fifo))[0]; !errors.Is(err, queue.ErrStale) {
		t.Errorf("a FIFO queue's: %v", err)
	}
	r.want("it comes again", bodies(r.take("orders.fifo", 1)), "a:2")
}

// So do the other words, with which a taker goes on or gives back what is free
// again. A FIFO queue's group has gone on.
func TestALateTakerGoesOnWhileNobodyElseHasTheMessage(t *testing.T) {
	r, std, fifo := overdue(t)
	r.want("its time is over", r.stats("orders"), "1 0 0 0")
	longer := []queue.Extension{{Receipt: std[0].Receipt, ForMs: 40_000}}
	r.good("extend", r.q.Extend(r.ctx, ref("orders"), longer))
	r.want("it is held again", r.stats("orders"), "0 1 0 0")
	r.restart()
	r.pass(39 * time.Second)
	r.want("nobody else gets it", bodies(r.take("orders", 1)), "")
	r.pass(time.Second)
	r.good("nack", r.q.Nack(r.ctx, ref("orders"), []queue.Nack{{Receipt: std[0].Receipt, DelayMs: 20_000}}))
	r.want("it waits", bodies(r.take("orders", 1)), "")
	longer[0].ForMs = 0
	r.good("give back", r.q.Extend(r.ctx, ref("orders"), longer))
	r.want("it comes again", bodies(r.take("orders", 1)), "a:2")
	longer[0].ForMs = 1000
	if err := r.q.Extend(r.ctx, ref("orders"), longer)[0]; !errors.Is(err, queue.ErrStale) {
		t.Errorf("another has it: %v", err)
	}
	longer[0].Receipt = fifo[0].Receipt
	if err := r.q.Extend(r.ctx, ref("orders.fifo"), longer)[0]; !errors.Is(err, queue.ErrStale) {
		t.Errorf("a FIFO queue's: %v", err)
	}
	if err := r.q.Nack(r.ctx, ref("orders.fifo"), []queue.Nack{{Receipt: fifo[0].Receipt}})[0]; !errors.Is(err, queue.ErrStale) {
		t.Errorf("a FIFO queue's that is given back: %v", err)
	}
}

func TestNackGivesBackAtOnceOrLater(t *testing.T) {
	r := start(t)
	r.create("orders", func(s *queue.Spec) { s.Backoff = &queue.Backoff{FirstMs: 1000} })
	r.send("orders", "now", "soon", "later", "backoff")
	got := map[string]string{}
	for _, m := range r.take("orders", 4) {
		got[string(m.Body)] = m.Receipt
	}
	r.good("nack", r.q.Nack(r.ctx, ref("orders"), []queue.Nack{
		{Receipt: got["now"]}, {Receipt: got["soon"], DelayMs: 30_000}, {Receipt: got["later"], DelayMs: 600_000}, {Receipt: got["backoff"], DelayMs: -1},
	}))
	r.want("at once", bodies(r.takeFor("orders", 4, 3600_000)), "now:2")
	r.pass(time.Second)
	r.want("after the queue's backoff", bodies(r.takeFor("orders", 4, 3600_000)), "backoff:2")
	r.pass(28 * time.Second)
	r.want("not yet", bodies(r.take("orders", 4)), "")
	r.restart()
	r.pass(time.Second)
	r.want("after half a minute", bodies(r.takeFor("orders", 4, 3600_000)), "soon:2")
	r.pass(569 * time.Second)
	r.want("not yet", bodies(r.take("orders", 4)), "")
	r.pass(time.Second)
	r.pass(time.Second) // and the backoff, as whatever comes back by time
	r.want("after ten minutes", bodies(r.takeFor("orders", 4, 3600_000)), "later:2")
}

func TestLeasesOutliveTheNode(t *testing.T) {
	r := start(t)
	r.create("orders", nil)
	r.send("orders", "a", "b")
	got := r.take("orders", 2)
	r.restart()
	r.want("out still", bodies(r.take("orders", 2)), "")
	r.good("ack", r.q.Ack(r.ctx, ref("orders"), receipts(got[:1])))
	r.restart()
	r.pass(30 * time.Second)
	r.want("the other one", bodies(r.take("orders", 2)), string(got[1].Body)+":2")
}

func TestReceiptsOfOtherQueuesAndOfNobodyAreRefused(t *testing.T) {
	r := start(t)
	r.create("orders", nil)
	r.create("other", nil)
	r.send("orders", "a")
	got := r.take("orders", 1)
	if err := r.q.Ack(r.ctx, ref("other"), receipts(got))[0]; !errors.Is(err, queue.ErrReceipt) {
		t.Errorf("another queue's: %v", err)
	}
	if err := r.q.Ack(r.ctx, ref("orders"), []string{"x"})[0]; !errors.Is(err, queue.ErrReceipt) {
		t.Errorf("nobody's: %v", err)
	}
	if err := r.q.Ack(r.ctx, ref("nowhere"), receipts(got))[0]; !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("of no queue: %v", err)
	}
	r.must(r.q.Purge(r.ctx, ref("orders")))
	if err := r.q.Ack(r.ctx, ref("orders"), receipts(got))[0]; !errors.Is(err, queue.ErrStale) {
		t.Errorf("after a purge: %v", err)
	}
}

func TestAPurgeLeavesNothing(t *testing.T) {
	r := start(t)
	r.create("orders", nil)
	r.send("orders", "a", "b", "c")
	r.take("orders", 1)
	r.must(r.q.Purge(r.ctx, ref("orders")))
	r.want("counts", r.stats("orders"), "0 0 0 0")
	r.pass(time.Hour)
	r.want("nothing comes back", bodies(r.take("orders", 9)), "")
	r.send("orders", "d")
	r.want("what comes after", bodies(r.take("orders", 9)), "d:1")
}

func TestAQueueIsMadeOnceAndDeletedWithItsTopic(t *testing.T) {
	r := start(t)
	q := r.create("orders", nil)
	again, made, err := r.q.Create(r.ctx, ref("orders"), queue.DefaultSpec())
	if err != nil || made || again.ID != q.ID {
		t.Errorf("the same again: %+v, made %v, %v", again, made, err)
	}
	other := queue.DefaultSpec()
	other.VisibilityMs = 5
	var differs *queue.ExistsError
	if _, _, err := r.q.Create(r.ctx, ref("orders"), other); !errors.As(err, &differs) || differs.Attribute != "VisibilityTimeout" {
		t.Errorf("another: %v", err)
	}
	r.send("orders", "old")
	r.must(r.q.Delete(r.ctx, ref("orders")))
	if _, err := r.q.Get(r.ctx, ref("orders")); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("after delete: %v", err)
	}
	if err := r.q.Delete(r.ctx, ref("orders")); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("deleted again: %v", err)
	}
	r.eventually("the topic is gone", func() bool {
		topics, err := r.admin().ListTopics(r.ctx, "orders")
		r.must(err)
		return topics["orders"].Err != nil
	})
	if anew := r.create("orders", nil); anew.ID == q.ID {
		t.Error("a queue that was made anew has the id of the old one")
	}
	r.want("it is empty", bodies(r.take("orders", 9)), "")
}

func TestQueuesAreListedByPages(t *testing.T) {
	r := start(t)
	if all, _, err := r.q.List(r.ctx, queue.Ref{}, "", 10); err != nil || len(all) != 0 {
		t.Errorf("none: %v, %v", all, err)
	}
	for _, name := range []string{"b", "a2", "a1", "c", "a3"} {
		r.create(name, nil)
	}
	names := func(prefix string, most int) string {
		var out []string
		after := ""
		for {
			page, next, err := r.q.List(r.ctx, queue.Ref{Name: prefix}, after, most)
			r.must(err)
			if len(page) > most {
				t.Errorf("%d on a page of %d", len(page), most)
			}
			for i := range page {
				out = append(out, page[i].Name)
			}
			if after = next; next == "" {
				return strings.Join(out, " ")
			}
		}
	}
	r.want("all", names("", 2), "a1 a2 a3 b c")
	r.want("some", names("a", 1), "a1 a2 a3")
	r.want("none", names("x", 1), "")
}

func TestChangesHoldAtOnce(t *testing.T) {
	r := start(t)
	was := r.create("orders", nil)
	q, err := r.q.Update(r.ctx, ref("orders"), func(s *queue.Spec) error { s.VisibilityMs = 1000; return nil })
	if err != nil || q.VisibilityMs != 1000 || q.Version <= was.Version {
		t.Fatalf("%+v, %v", q, err)
	}
	r.send("orders", "a")
	r.take("orders", 1)
	r.pass(time.Second)
	r.want("the new time", bodies(r.take("orders", 1)), "a:2")
	if _, err := r.q.Update(r.ctx, ref("orders"), func(s *queue.Spec) error { s.Topic = "x"; return nil }); !errors.Is(err, queue.ErrInvalid) {
		t.Errorf("another topic: %v", err)
	}
	if _, err := r.q.Update(r.ctx, ref("nowhere"), func(*queue.Spec) error { return nil }); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("no queue: %v", err)
	}
}

func TestALongTakeIsWokenByWhatComes(t *testing.T) {
	r := start(t)
	r.create("orders", nil)
	takes := func(how string, then func()) []queue.Taken {
		t.Helper()
		got := make(chan []queue.Taken, 1)
		go func() {
			for {
				all, err := r.q.Take(r.ctx, ref("orders"), queue.TakeOptions{Max: 5, WaitMs: queue.MaxWaitMs, VisibilityMs: -1})
				if err != nil {
					t.Errorf("%s: %v", how, err)
				}
				if len(all) > 0 || err != nil {
					got <- all
					return
				}
			}
		}()
		then()
		return <-got
	}
	first := takes("send", func() { r.send("orders", "a") })
	r.want("woken by a message", bodies(first), "a:1")
	second := takes("nack", func() { r.good("nack", r.q.Nack(r.ctx, ref("orders"), []queue.Nack{{Receipt: first[0].Receipt}})) })
	r.want("woken by one that was given back", bodies(second), "a:2")
	third := takes("time", func() { r.pass(30 * time.Second) })
	r.want("woken by one whose time was over", bodies(third), "a:3")
	ctx, cancel := context.WithCancel(r.ctx)
	cancel()
	if got, err := r.q.Take(ctx, ref("orders"), queue.TakeOptions{WaitMs: queue.MaxWaitMs}); len(got) != 0 {
		t.Errorf("a caller who has gone gets %v, %v", got, err)
	}
}

func TestWhatRetentionShouldHaveTakenIsNotGivenOut(t *testing.T) {
	r := start(t)
	r.create("orders", func(s *queue.Spec) { s.RetentionMs = 60_000 })
	r.send("orders", "old")
	r.pass(59 * time.Second)
	r.send("orders", "young")
	r.pass(time.Second)
	r.want("only what is younger", bodies(r.take("orders", 9)), "young:1")
	r.want("counts", r.stats("orders"), "0 1 0 0")
}

func TestKafkasClientsAndTakersShareATopic(t *testing.T) {
	r := start(t)
	_, err := r.admin().CreateTopic(r.ctx, 2, 1, nil, "shop")
	r.must(err)
	c := r.client(kgo.DefaultProduceTopic("shop"))
	produced := &kgo.Record{Key: []byte("k"), Value: []byte("from kafka"), Headers: []kgo.RecordHeader{{Key: "trace", Value: []byte("7")}}}
	r.must(c.ProduceSync(r.ctx, produced).FirstErr())
	q := r.create("work", func(s *queue.Spec) { s.Topic = "shop" })
	if !q.Adopted || q.Topic != "shop" {
		t.Fatalf("%+v", q)
	}
	got := r.take("work", 1)
	r.want("a taker gets what a producer wrote", bodies(got), "from kafka:1")
	if got[0].Group != "k" || string(got[0].Attributes["trace"].Value) != "7" || got[0].Attributes["trace"].Type != "String" {
		t.Errorf("%+v", got[0])
	}
	r.sendAll("work", queue.Message{Body: []byte("from a queue"), DelayMs: -1, Attributes: map[string]queue.Attribute{"n": {Type: "Number", Value: []byte("5")}}})
	consumer := r.client(kgo.ConsumeTopics("shop"))
	seen := map[string]map[string]string{}
	for len(seen) < 2 {
		consumer.PollFetches(r.ctx).EachRecord(func(x *kgo.Record) {
			h := map[string]string{}
			for _, y := range x.Headers {
				h[y.Key] = string(y.Value)
			}
			seen[string(x.Value)] = h
		})
		if r.ctx.Err() != nil {
			t.Fatal("the consumer does not see both")
		}
	}
	if seen["from a queue"]["n"] != "5" {
		t.Errorf("a consumer reads headers %v", seen["from a queue"])
	}
	r.must(r.q.Delete(r.ctx, ref("work")))
	topics, err := r.admin().ListTopics(r.ctx, "shop")
	if err != nil || topics["shop"].Err != nil {
		t.Errorf("an adopted topic is gone: %v, %v", topics, err)
	}
	r.create("work", func(s *queue.Spec) { s.Topic = "shop" })
	r.want("a queue that adopts it anew begins anew", sorted(r.take("work", 9)), "a from from kafka:1 queue:1")
}
