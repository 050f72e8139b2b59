package queue_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ottla/internal/event/letter"
	"ottla/internal/event/queue"
)

// buried is a queue orders whose so many messages, {"n":i}, are dead letters in dead.
func (r *rig) buried(n int) {
	r.Helper()
	r.create("dead", nil)
	r.create("orders", func(s *queue.Spec) { s.DeadLetter = &queue.DeadLetter{Queue: ref("dead"), MaxReceives: 3} })
	for i := range n {
		r.sendAll("orders", queue.Message{Body: fmt.Appendf(nil, `{"n":%d}`, i), DelayMs: -1, Attributes: map[string]queue.Attribute{"odd": {Value: fmt.Append(nil, i%2)}}})
	}
	r.good("reject", r.q.Reject(r.ctx, ref("orders"), receipts(r.take("orders", n))))
	r.dead("orders", int64(n))
}

// lying are the messages of a queue that are chosen, page by page, as body:condition.
func (r *rig) lying(name string, most int, where ...string) string {
	r.Helper()
	var out []string
	for after := ""; ; {
		found, next, err := r.q.Browse(r.ctx, ref(name), queue.BrowseOptions{Where: where, Max: most, After: after})
		r.must(err)
		if len(found) > most {
			r.Fatalf("%d messages of a page of %d", len(found), most)
		}
		for _, l := range found {
			out = append(out, fmt.Sprintf("%s:%s", l.Value, l.Condition))
		}
		if after = next; after == "" {
			return strings.Join(out, " ")
		}
	}
}

func TestMessagesAreSeenWithoutBeingTaken(t *testing.T) {
	r := start(t)
	r.buried(5)
	r.want("all", r.lying("dead", 2), `{"n":0}:waiting {"n":1}:waiting {"n":2}:waiting {"n":3}:waiting {"n":4}:waiting`)
	r.want("chosen", r.lying("dead", 100, "header.odd=1", "reason=rejected", "topic=orders"), `{"n":1}:waiting {"n":3}:waiting`)
	r.want("by their bodies", r.lying("dead", 1, "body.n>=2", "attempts=1"), `{"n":2}:waiting {"n":3}:waiting {"n":4}:waiting`)
	r.want("nobody took them", r.stats("dead"), "5 0 0 0")
	got := r.takeFor("dead", 2, 60_000)
	r.good("ack", r.q.Ack(r.ctx, ref("dead"), receipts(got)[:1]))
	r.want("what is done is not there", r.lying("dead", 100), `{"n":1}:in_flight {"n":2}:waiting {"n":3}:waiting {"n":4}:waiting`)
	r.good("nack", r.q.Nack(r.ctx, ref("dead"), []queue.Nack{{Receipt: got[1].Receipt, DelayMs: 5000}}))
	r.want("what was given back waits", r.lying("dead", 100, "body.n=1"), `{"n":1}:delayed`)
	found, _, err := r.q.Browse(r.ctx, ref("dead"), queue.BrowseOptions{Max: 1})
	if err != nil || len(found) != 1 || found[0].Origin() != "orders-0@1" || found[0].UntilMs != r.clock.ms.Load()+5000 || found[0].ID == "" || found[0].Taken != 1 {
		t.Errorf("%+v, %v", found, err)
	}
	for _, o := range []queue.BrowseOptions{{Where: []string{"colour=red"}}, {After: "x"}, {After: "1"}} {
		if _, _, err := r.q.Browse(r.ctx, ref("dead"), o); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, _, err := r.q.Browse(r.ctx, ref("nowhere"), queue.BrowseOptions{}); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("a queue that is not there: %v", err)
	}
	r.pass(96 * time.Hour)
	r.want("what retention should have taken is not there", r.lying("dead", 100), "")
}

func TestChosenLettersGoBackAndTheOthersStay(t *testing.T) {
	r := start(t)
	r.buried(40)
	out := r.takeFor("dead", 1, 3600_000) // {"n":0} is with somebody
	m, err := r.q.StartChosen(r.ctx, ref("dead"), nil, 0, []string{"header.odd=0", "body.n<30"})
	r.must(err)
	got := r.moved(m)
	if got.Status != queue.MoveCompleted || got.Moved != 14 || got.Looked != 40 || got.ToMove != 39 || len(got.Where) != 2 {
		t.Errorf("%+v", got)
	}
	r.want("those stay", r.stats("dead"), "25 1 0 0")
	r.want("these came back", r.stats("orders"), "14 0 0 26")
	for _, x := range r.take("orders", 99) {
		if string(x.Attributes["odd"].Value) != "0" || x.Count != 1 {
			t.Errorf("%s came back", x.Body)
		}
	}
	r.good("ack", r.q.Ack(r.ctx, ref("dead"), receipts(out)))
	if _, err := r.q.StartChosen(r.ctx, ref("dead"), nil, 0, []string{"nonsense"}); !errors.Is(err, queue.ErrInvalid) {
		t.Errorf("a condition that means nothing: %v", err)
	}
	m, err = r.q.StartChosen(r.ctx, ref("dead"), nil, 0, []string{"body.n=-1"})
	r.must(err)
	if got := r.moved(m); got.Status != queue.MoveCompleted || got.Moved != 0 || got.Looked != 25 {
		t.Errorf("nothing to move: %+v", got)
	}
}

func TestAMoveOfChosenLettersGoesOnAfterARestartAndMovesEachOnce(t *testing.T) {
	r := start(t)
	const n = 120
	r.buried(n)
	m, err := r.q.StartChosen(r.ctx, ref("dead"), nil, 200, []string{"header.odd=1"})
	r.must(err)
	r.eventually("something is moved", func() bool {
		s, err := r.q.Stats(r.ctx, ref("orders"))
		r.must(err)
		return s.Waiting > 0
	})
	r.restart()
	if got := r.moved(m); got.Status != queue.MoveCompleted {
		t.Fatalf("%+v", got)
	}
	r.want("the others stay", r.stats("dead"), fmt.Sprint(n/2, " 0 0 0"))
	r.want("each came back once", r.stats("orders"), fmt.Sprint(n/2, " 0 0 ", n/2))
}

func TestALetterIsMendedAndPutBack(t *testing.T) {
	r := start(t)
	r.buried(3)
	written, err := r.q.Revise(r.ctx, ref("dead"), queue.Revision{Offset: 1, Body: []byte(`{"n":100}`)})
	r.must(err)
	if topic, _, offset, err := letter.ParseName(written); err != nil || topic != "orders" || offset < 3 {
		t.Errorf("written: %s, %v", written, err)
	}
	r.want("the others wait", r.lying("dead", 9), `{"n":0}:waiting {"n":2}:waiting`)
	back := r.take("orders", 9)
	r.want("it came back", bodies(back), `{"n":100}:1`)
	if len(back) != 1 || string(back[0].Attributes["odd"].Value) != "1" || back[0].ID == "" {
		t.Errorf("%+v", back)
	}
	out := r.takeFor("dead", 1, 60_000)
	for what, v := range map[string]queue.Revision{"done": {Offset: 1}, "in flight": {Offset: out[0].Offset}, "no such offset": {Offset: 99}, "no such partition": {Partition: 7}} {
		if _, err := r.q.Revise(r.ctx, ref("dead"), v); !errors.Is(err, queue.ErrStale) {
			t.Errorf("%s: %v", what, err)
		}
	}
	r.restart()
	r.create("other", nil)
	to := ref("other")
	if _, err := r.q.Revise(r.ctx, ref("dead"), queue.Revision{Offset: 2, Body: []byte("x"), To: &to}); err != nil {
		t.Error(err)
	}
	r.want("into another queue", bodies(r.take("other", 9)), "x:1")
	r.want("one is left", r.stats("dead"), "0 1 0 0")
	sent := r.send("dead", "no letter")
	if found, _, err := r.q.Browse(r.ctx, ref("dead"), queue.BrowseOptions{Where: []string{"id=" + sent[0].ID}}); err != nil || len(found) != 1 || string(found[0].Value) != "no letter" {
		t.Errorf("by its id: %+v, %v", found, err)
	}
	all, _, err := r.q.Browse(r.ctx, ref("dead"), queue.BrowseOptions{Where: []string{"body=no letter"}})
	r.must(err)
	if _, err := r.q.Revise(r.ctx, ref("dead"), queue.Revision{Offset: all[0].Offset}); !errors.Is(err, queue.ErrInvalid) {
		t.Errorf("it came from nowhere: %v", err)
	}
	if _, err := r.q.Revise(r.ctx, ref("dead"), queue.Revision{Body: make([]byte, queue.MaxMessageBytes+1)}); !errors.Is(err, queue.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}

func TestWhatHoldsMessagesIsTold(t *testing.T) {
	r := start(t)
	r.create("orders.fifo", nil)
	r.sendAll("orders.fifo", grouped("a", "1", "a1"), grouped("a", "2", "a2"), grouped("b", "3", "b1"), grouped("a", "4", "a3"))
	got := r.takeFor("orders.fifo", 1, 50_000)
	r.want("the first", bodies(got), "a1:1")
	s, err := r.q.Explain(r.ctx, ref("orders.fifo"))
	r.must(err)
	now := r.clock.ms.Load()
	var holds []string
	for _, h := range s.Parts[0].Holds {
		holds = append(holds, fmt.Sprintf("%d-%d %s %s until %d behind %d", h.First, h.Last, h.Group, h.Condition, h.UntilMs-now, h.Behind))
	}
	text := strings.Join(holds, ", ")
	if !strings.HasPrefix(text, "0-0 a in_flight until 50000 behind -1, ") || !strings.Contains(text, "3-3 a behind until ") || s.MostTaken != 1 || s.Parts[0].Locked != 1 || s.Parts[0].NowMs != now {
		t.Errorf("%s: %+v", text, s)
	}
	r.good("nack", r.q.Nack(r.ctx, ref("orders.fifo"), []queue.Nack{{Receipt: got[0].Receipt, DelayMs: 9000}}))
	s, err = r.q.Explain(r.ctx, ref("orders.fifo"))
	if err != nil || len(s.Parts[0].Holds) == 0 || s.Parts[0].Holds[0].Condition != queue.Later || s.Parts[0].Holds[0].UntilMs != now+9000 {
		t.Errorf("given back: %+v, %v", s, err)
	}
	if _, err := r.q.Explain(r.ctx, ref("nowhere")); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("a queue that is not there: %v", err)
	}
}
