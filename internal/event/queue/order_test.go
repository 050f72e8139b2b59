package queue_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/queue"
)

func TestNothingOvertakesWithinAGroup(t *testing.T) {
	r := start(t)
	r.create("q.fifo", func(s *queue.Spec) { s.Partitions = 3 })
	const groups, each = 5, 8
	for i := range each {
		var all []queue.Message
		for g := range groups {
			all = append(all, grouped(fmt.Sprint("g", g), fmt.Sprint(g, "-", i), fmt.Sprint(i)))
		}
		r.sendAll("q.fifo", all...)
	}
	next := map[string]int{}
	last := map[string]string{}
	for range 3 * groups * each {
		got := r.take("q.fifo", 10)
		if len(got) == 0 {
			break
		}
		back := map[string]bool{} // whose message went back, and those behind it with it
		for i, m := range got {
			if back[m.Group] {
				r.good("nack", r.q.Nack(r.ctx, ref("q.fifo"), []queue.Nack{{Receipt: m.Receipt}}))
				continue
			}
			if string(m.Body) != fmt.Sprint(next[m.Group]) {
				t.Fatalf("%s gives %s, want number %d", m.Group, m.Body, next[m.Group])
			}
			if m.Count == 1 && m.Sequence <= last[m.Group] {
				t.Errorf("%s: sequence %s after %s", m.Group, m.Sequence, last[m.Group])
			}
			last[m.Group] = m.Sequence
			if i%3 == 2 && m.Count == 1 { // comes again, before all others of its group
				back[m.Group] = true
				r.good("nack", r.q.Nack(r.ctx, ref("q.fifo"), []queue.Nack{{Receipt: m.Receipt}}))
				continue
			}
			r.good("ack", r.q.Ack(r.ctx, ref("q.fifo"), []string{m.Receipt}))
			next[m.Group]++
		}
	}
	for g, n := range next {
		if n != each {
			t.Errorf("%s: %d of %d", g, n, each)
		}
	}
	r.want("all done", r.stats("q.fifo"), "0 0 0 0")
}

func TestAGroupWaitsForItsMessageAndNobodyElseDoes(t *testing.T) {
	r := start(t)
	r.create("q.fifo", func(s *queue.Spec) { s.ContentDedup = true })
	r.sendAll("q.fifo", grouped("a", "", "a1"), grouped("a", "", "a2"), grouped("b", "", "b1"))
	got := r.take("q.fifo", 1)
	r.want("the first", bodies(got), "a1:1")
	r.want("nobody else gets one of a", bodies(r.take("q.fifo", 9)), "b1:1")
	r.good("nack", r.q.Nack(r.ctx, ref("q.fifo"), []queue.Nack{{Receipt: got[0].Receipt, DelayMs: 25_000}}))
	r.want("a waits as a whole", bodies(r.take("q.fifo", 9)), "")
	r.restart()
	r.want("through a restart", bodies(r.take("q.fifo", 9)), "")
	r.pass(25 * time.Second)
	r.want("and goes on where it was", bodies(r.take("q.fifo", 9)), "a1:2 a2:1")
}

// A take gets messages of a group as they follow each other. While one of them is
// out nobody gets any of the group, and what came back goes before what follows.
func TestSeveralOfAGroupAreTakenTogether(t *testing.T) {
	r := start(t)
	r.create("q.fifo", func(s *queue.Spec) { s.ContentDedup, s.VisibilityMs = true, 600_000 })
	for i := 1; i <= 5; i++ {
		r.sendAll("q.fifo", grouped("a", "", fmt.Sprint("a", i)))
	}
	r.sendAll("q.fifo", grouped("b", "", "b1"))
	got, err := r.q.Take(r.ctx, ref("q.fifo"), queue.TakeOptions{Max: 3, VisibilityMs: -1})
	r.must(err)
	r.want("in order", bodies(got), "a1:1 a2:1 a3:1")
	other := r.take("q.fifo", 9)
	r.want("others are not held up", bodies(other), "b1:1")
	r.good("ack", r.q.Ack(r.ctx, ref("q.fifo"), []string{got[1].Receipt, other[0].Receipt}))
	back := func(i int) {
		t.Helper()
		r.good("nack", r.q.Nack(r.ctx, ref("q.fifo"), []queue.Nack{{Receipt: got[i].Receipt}}))
	}
	back(2)
	r.want("the first of them is out", bodies(r.take("q.fifo", 9)), "")
	r.restart()
	r.want("through a restart", bodies(r.take("q.fifo", 9)), "")
	back(0)
	r.want("what came back goes first", bodies(r.take("q.fifo", 1)), "a1:2")
	r.want("and holds up what was taken behind it", bodies(r.take("q.fifo", 9)), "")
	r.pass(10 * time.Minute)
	got = r.take("q.fifo", 9)
	r.want("all that is left, in order", bodies(got), "a1:3 a3:2 a4:1 a5:1")
	back(1)
	r.restart()
	r.want("the other three are out", bodies(r.take("q.fifo", 9)), "")
	r.good("ack", r.q.Ack(r.ctx, ref("q.fifo"), []string{got[0].Receipt, got[2].Receipt, got[3].Receipt}))
	r.want("the one that came back", bodies(r.take("q.fifo", 9)), "a3:3")
}

// Who sends a message again is told of the one that is there, wherever it lies and
// whether it was taken or is done by then; SQS's behaviour.
func TestARepeatIsAnsweredWithTheFirst(t *testing.T) {
	r := start(t)
	r.create("q.fifo", func(s *queue.Spec) { s.Partitions = 1 })
	first := r.sendAll("q.fifo", grouped("a", "1", "one"), grouped("a", "2", "two"), grouped("b", "1", "another body"))
	same := func(what string, got, want queue.Sent) {
		t.Helper()
		if got != want || got.ID == "" || got.Sequence == "" {
			t.Errorf("%s: answered %+v, want %+v", what, got, want)
		}
	}
	same("in one call", first[2], first[0])
	again := func() queue.Sent { return r.sendAll("q.fifo", grouped("a", "1", "one"))[0] }
	same("nobody has taken it", again(), first[0])
	got := r.take("q.fifo", 9)
	r.want("repeats are dropped", bodies(got), "one:1 two:1")
	same("taken", again(), first[0])
	r.good("ack", r.q.Ack(r.ctx, ref("q.fifo"), receipts(got)))
	same("done", again(), first[0])
	r.restart()
	same("after a restart", again(), first[0])
	r.pass(4*time.Minute + 59*time.Second)
	same("nearly five minutes", again(), first[0])
	r.pass(time.Second)
	anew := again()
	if anew == first[0] {
		t.Errorf("after five minutes it is a message of its own: %+v", anew)
	}
	same("and begins a window", again(), anew)
	r.want("which is taken", bodies(r.take("q.fifo", 9)), "one:1")
	r.create("groups.fifo", func(s *queue.Spec) { s.DedupScope, s.ThroughputLimit = queue.ScopeGroup, queue.PerGroup })
	each := r.sendAll("groups.fifo", grouped("a", "1", "one"), grouped("b", "1", "one"), grouped("b", "1", "one"))
	if each[0] == each[1] {
		t.Errorf("ids of another group are others: %+v", each)
	}
	same("by group", each[2], each[1])
}

func TestRepeatsWithinFiveMinutesAreDropped(t *testing.T) {
	r := start(t)
	r.create("q.fifo", nil)
	first := r.sendAll("q.fifo", grouped("a", "1", "one"), grouped("b", "1", "the same id in another group"), grouped("a", "2", "two"))
	if first[0].Sequence == "" || first[0].Sequence >= first[2].Sequence {
		t.Errorf("sequences %q, %q", first[0].Sequence, first[2].Sequence)
	}
	r.pass(4 * time.Minute)
	r.sendAll("q.fifo", grouped("a", "1", "repeat"))
	take := func(what, want string) {
		t.Helper()
		var all []string
		for {
			got := r.take("q.fifo", 9)
			if len(got) == 0 {
				break
			}
			all = append(all, bodies(got))
			r.good("ack", r.q.Ack(r.ctx, ref("q.fifo"), receipts(got)))
		}
		r.want(what, strings.Join(all, " "), want)
	}
	take("without the repeats", "one:1 two:1")
	r.restart()
	r.sendAll("q.fifo", grouped("a", "1", "repeat after a restart"))
	c := r.client(kgo.DefaultProduceTopic("q.fifo"))
	r.must(c.ProduceSync(r.ctx, &kgo.Record{Key: []byte("a"), Value: []byte("by a Kafka producer"), Timestamp: r.clock.now(),
		Headers: []kgo.RecordHeader{{Key: "ottla.dedup-id", Value: []byte("2")}}}).FirstErr())
	take("a restart forgets nothing", "")
	r.want("counts", r.stats("q.fifo"), "0 0 0 0")
	r.pass(time.Minute)
	r.sendAll("q.fifo", grouped("a", "1", "anew"), grouped("a", "1", "repeat of that"))
	take("five minutes after the first", "anew:1")
}

func TestDeduplicationMayBeByGroup(t *testing.T) {
	r := start(t)
	r.create("q.fifo", func(s *queue.Spec) {
		s.DedupScope, s.ThroughputLimit, s.ContentDedup, s.Partitions = queue.ScopeGroup, queue.PerGroup, true, 4
	})
	r.sendAll("q.fifo", grouped("a", "", "x"), grouped("b", "", "x"), grouped("a", "", "x"), grouped("b", "other", "x"))
	var groups []string
	for {
		got := r.take("q.fifo", 9)
		if len(got) == 0 {
			break
		}
		for _, m := range got {
			groups = append(groups, m.Group)
		}
		r.good("ack", r.q.Ack(r.ctx, ref("q.fifo"), receipts(got)))
	}
	slices.Sort(groups)
	r.want("one of a, two of b", strings.Join(groups, " "), "a b b")
}

func TestWhatAFIFOQueueNeedsIsAskedFor(t *testing.T) {
	r := start(t)
	r.create("q.fifo", nil)
	r.create("std", nil)
	for name, c := range map[string]struct {
		queue string
		m     queue.Message
	}{
		"no group": {"q.fifo", queue.Message{DedupID: "x", DelayMs: -1}}, "no id": {"q.fifo", queue.Message{Group: "g", DelayMs: -1}},
		"a delay of its own": {"q.fifo", queue.Message{Group: "g", DedupID: "x", DelayMs: 5}},
		"an id":              {"std", queue.Message{DedupID: "x", DelayMs: -1}},
		"too long a delay":   {"std", queue.Message{DelayMs: queue.MaxDelayMs + 1}},
		"our headers":        {"std", queue.Message{DelayMs: -1, Attributes: map[string]queue.Attribute{"ottla.id": {}}}},
	} {
		got, err := r.q.Send(r.ctx, ref(c.queue), []queue.Message{c.m})
		if err != nil || !errors.Is(got[0].Err, queue.ErrInvalid) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	got, err := r.q.Send(r.ctx, ref("std"), []queue.Message{{Body: make([]byte, queue.MaxMessageBytes+1), DelayMs: -1}, {Body: make([]byte, queue.MaxMessageBytes), DelayMs: -1}})
	if err != nil || !errors.Is(got[0].Err, queue.ErrTooLarge) || got[1].Err != nil {
		t.Errorf("too large and as large as can be: %v, %v", got, err)
	}
	if _, err := r.q.Take(r.ctx, ref("std"), queue.TakeOptions{AttemptID: "x"}); !errors.Is(err, queue.ErrInvalid) {
		t.Errorf("an attempt id at a standard queue: %v", err)
	}
}

func TestTheSameAttemptGetsTheSameMessages(t *testing.T) {
	r := start(t)
	r.create("q.fifo", func(s *queue.Spec) { s.ContentDedup = true })
	r.sendAll("q.fifo", grouped("a", "", "a1"), grouped("b", "", "b1"))
	o := queue.TakeOptions{Max: 1, VisibilityMs: -1, AttemptID: "try"}
	first, err := r.q.Take(r.ctx, ref("q.fifo"), o)
	r.must(err)
	r.pass(20 * time.Second)
	again, err := r.q.Take(r.ctx, ref("q.fifo"), o)
	r.must(err)
	if len(again) != 1 || again[0].Receipt != first[0].Receipt {
		t.Fatalf("got %+v, want %+v", again, first)
	}
	r.pass(29 * time.Second)
	r.good("held anew", r.q.Ack(r.ctx, ref("q.fifo"), receipts(again)))
	other, err := r.q.Take(r.ctx, ref("q.fifo"), o)
	r.must(err)
	r.want("what was done is not given again", bodies(other), "b1:1")
}

// What one group has, and holds, does not make others wait, wherever their
// messages lie.
func TestANoisyGroupDoesNotHoldUpOthers(t *testing.T) {
	r := start(t)
	r.create("orders", func(s *queue.Spec) { s.VisibilityMs = 600_000 })
	var noise []queue.Message
	for i := range 500 {
		noise = append(noise, queue.Message{Group: "noisy", Body: []byte(fmt.Sprint(i)), DelayMs: -1})
	}
	r.sendAll("orders", noise...)
	held := r.take("orders", 60)
	r.sendAll("orders", queue.Message{Group: "quiet", Body: []byte("first"), DelayMs: -1}, queue.Message{Body: []byte("no group"), DelayMs: -1},
		queue.Message{Group: "quiet", Body: []byte("second"), DelayMs: -1})
	r.want("those of others go first", sorted(r.take("orders", 3)), "first:1 group:1 no second:1")
	r.restart()
	r.sendAll("orders", queue.Message{Group: "quiet", Body: []byte("third"), DelayMs: -1})
	r.want("after a restart, too", bodies(r.take("orders", 1)), "third:1")
	r.want("then the noisy one goes on", r.take("orders", 1)[0].Group, "noisy")
	r.good("ack", r.q.Ack(r.ctx, ref("orders"), receipts(held)))
}
