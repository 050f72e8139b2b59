package main

import (
	"strings"
	"testing"
	"time"
)

// at is a moment of a story, in milliseconds.
func at(ms int) time.Time { return time.UnixMilli(int64(1_000_000 + ms)) }

// story is a course of events at a ledger.
type story struct {
	*ledger
}

// send has a message sent, which is told to its sender, with an id of its body.
func (s story) send(body string, delay time.Duration) {
	n, err := nameOf(body)
	if err != nil {
		panic(err) // the test says nonsense
	}
	s.sending(n, delay, at(0))
	s.sent(n, "id of "+body, "Kafka")
}

// take has messages come in one answer, asked for and there at a time, and leased
// for a second.
func (s story) take(ms int, count int, bodies ...string) []*given {
	var all []*given
	for _, body := range bodies {
		n, err := nameOf(body)
		if err != nil {
			panic(err) // the test says nonsense
		}
		all = append(all, &given{id: "id of " + body, name: n, count: count, asked: at(ms), came: at(ms), holds: at(ms + 1000)})
	}
	s.delivered(all, "native")
	return all
}

func (s story) ack(ms int, all []*given) {
	s.acknowledging(all)
	for _, g := range all {
		s.acknowledged(g, at(ms), false)
	}
}

// lie are what lies in a topic: messages by their bodies.
func lie(bodies ...string) (out []stored) {
	for _, body := range bodies {
		n, err := nameOf(body)
		if err != nil {
			panic(err) // the test says nonsense
		}
		out = append(out, stored{id: "id of " + body, name: n})
	}
	return out
}

func TestALedgerFindsWhatIsPlanted(t *testing.T) {
	for _, tc := range []struct {
		what string
		fifo bool
		do   func(s story)
		want string // of the complaint; empty for none
	}{
		{"a clean course", false, func(s story) {
			s.send("a#0", 0)
			s.send("a#1", 0)
			first := s.take(10, 1, "a#0")
			s.ack(20, s.take(15, 1, "a#1"))
			s.take(1010, 2, "a#0")
			s.ack(1015, s.take(2010, 3, "a#0"))
			s.acknowledging(first)
		}, ""},
		{"a message that nobody sent", false, func(s story) { s.take(10, 1, "b#0") }, "which nobody sent"},
		{"one that comes after its acknowledgement", false, func(s story) {
			s.send("a#0", 0)
			s.ack(20, s.take(10, 1, "a#0"))
			s.take(2000, 2, "a#0")
		}, "after its acknowledgement was confirmed"},
		{"one that was asked for before that", false, func(s story) {
			s.send("a#0", 0)
			g := s.take(10, 1, "a#0")
			s.returning(g[0], at(11), 0)
			s.take(12, 2, "a#0")
			s.ack(20, g)
		}, ""},
		{"two takers at once", false, func(s story) {
			s.send("a#0", 0)
			s.take(10, 1, "a#0")
			s.take(900, 2, "a#0")
		}, "before another's lease or its delay ends"},
		{"two takers, and the first was giving it back", false, func(s story) {
			s.send("a#0", 0)
			g := s.take(10, 1, "a#0")
			s.returning(g[0], at(20), 0)
			s.take(30, 2, "a#0")
		}, ""},
		{"back before the delay that was asked for", false, func(s story) {
			s.send("a#0", 0)
			g := s.take(10, 1, "a#0")
			s.returning(g[0], at(900), time.Second)
			s.returned(g[0], at(900), time.Second)
			s.take(1500, 2, "a#0")
		}, "before another's lease or its delay ends"},
		{"a lease that was made longer", false, func(s story) {
			s.send("a#0", 0)
			g := s.take(10, 1, "a#0")
			s.returning(g[0], at(500), 4*time.Second)
			s.returned(g[0], at(500), 4*time.Second)
			s.take(2000, 2, "a#0")
		}, "before another's lease or its delay ends"},
		{"a delivery before the message's delay is over", false, func(s story) {
			s.send("a#0", time.Second)
			s.take(900, 1, "a#0")
		}, "before its delay is over"},
		{"two acknowledgements", false, func(s story) {
			s.send("a#0", 0)
			g := s.take(10, 1, "a#0")
			s.ack(20, g)
			s.ack(30, g)
		}, "acknowledged twice"},
		{"a success that says nothing", false, func(s story) {
			s.send("a#0", 0)
			g := s.take(10, 1, "a#0")
			s.acknowledging(g)
			s.acknowledged(g[0], at(1020), true)
			s.ack(1040, s.take(1030, 2, "a#0"))
		}, ""},
		{"an id that has two names", false, func(s story) {
			s.send("a#0", 0)
			s.send("a#1", 0)
			s.delivered([]*given{{id: "id of a#0", name: name{"a", 1}, asked: at(9), came: at(9)}}, "SQS")
		}, "gave id of a#0 as a#1; it is a#0"},
		{"a group in order", true, func(s story) {
			s.send("g#0", 0)
			s.send("g#1", 0)
			s.send("g#2", 0)
			s.ack(30, s.take(10, 1, "g#0", "g#1"))
			s.ack(50, s.take(40, 1, "g#2"))
		}, ""},
		{"a group out of order", true, func(s story) {
			s.send("g#0", 0)
			s.send("g#1", 0)
			g := s.take(10, 1, "g#0")
			s.take(20, 1, "g#1")
			s.ack(30, g)
		}, "g#0 (id of g#0) was acknowledged, and had not been when native gave g#1"},
		{"a message that comes after the next", true, func(s story) {
			s.send("g#0", 0)
			s.send("g#1", 0)
			s.take(10, 1, "g#1")
			s.take(20, 1, "g#0")
		}, "native gave g#0 10ms after native had given g#1, which overtook it"},
		{"one that died unseen, because answers were lost", true, func(s story) {
			s.send("g#0", 0)
			s.send("g#1", 0)
			s.take(10, 1, "g#0")
			s.take(5000, 1, "g#1")
			n := name{"g", 0}
			back := &given{id: "id of g#0", name: n, count: 1, offset: 9, asked: at(6000), came: at(6000), holds: at(7000)}
			s.delivered([]*given{back}, "native")
			s.ack(6010, []*given{back})
		}, ""},
		{"one that overtook another whose acknowledgement did not count", true, func(s story) {
			s.send("g#0", 0)
			s.send("g#1", 0)
			s.acknowledging(s.take(10, 1, "g#0"))
			s.take(20, 1, "g#1")
			s.take(1100, 2, "g#0")
		}, "after native had given g#1, which overtook it"},
		{"a message of a batch that comes back", true, func(s story) {
			s.send("g#0", 0)
			s.send("g#1", 0)
			both := s.take(10, 1, "g#0", "g#1")
			s.ack(20, both[1:])
			s.ack(1100, s.take(1010, 2, "g#0"))
		}, ""},
		{"a group goes on behind a dead letter", true, func(s story) {
			s.send("g#0", 0)
			s.send("g#1", 0)
			g := s.take(10, 1, "g#0")
			s.rejecting(g[0])
			s.ack(30, s.take(20, 1, "g#1"))
			s.ack(50, s.take(40, 1, "g#0")) // it was moved back
		}, ""},
		{"a repeat that was not dropped", true, func(s story) {
			s.send("g#0", 0)
			s.sent(name{"g", 0}, "another id", "SQS")
			s.ack(20, s.take(10, 1, "g#0"))
			s.delivered([]*given{{id: "another id", name: name{"g", 0}, asked: at(30), came: at(30)}}, "SQS")
		}, "gave g#0 as two messages"},
	} {
		s := story{newLedger("orders", tc.fifo, 4)}
		tc.do(s)
		complains(t, tc.what, s.errs(), tc.want)
	}
}

func complains(t *testing.T, what string, err error, want string) {
	t.Helper()
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

func TestAVerdictCountsWhatLiesInTheLog(t *testing.T) {
	for _, tc := range []struct {
		what           string
		queue, letters []stored
		do             func(s story)
		want           string
	}{
		{"acknowledged", lie("a#0"), nil, func(s story) { s.ack(20, s.take(10, 1, "a#0")) }, ""},
		{"a dead letter", lie("a#0"), lie("a#0"), func(s story) { s.fate("id of a#0").tried[dead] = true }, ""},
		{"moved back and acknowledged", lie("a#0", "a#0"), lie("a#0"), func(s story) { s.ack(20, s.take(10, 1, "a#0")) }, ""},
		{"sent and not there", nil, nil, func(story) {}, "it is not in the log"},
		{"never acknowledged", lie("a#0"), nil, func(story) {}, "is lost"},
		{"a letter that nobody acknowledged", lie("a#0"), lie("a#0"), func(s story) { s.ack(20, s.take(10, 1, "a#0")) }, "is lost"},
		{"two letters", lie("a#0"), lie("a#0", "a#0"), func(s story) { s.ack(20, s.take(10, 1, "a#0")) }, "written 1 times to its queue and 2 times"},
		{"moved twice", lie("a#0", "a#0", "a#0"), lie("a#0"), func(s story) { s.ack(20, s.take(10, 1, "a#0")) }, "written 3 times to its queue"},
		{"what nobody sent", lie("a#0", "b#7"), nil, func(s story) { s.ack(20, s.take(10, 1, "a#0")) }, "nobody sent it"},
	} {
		s := story{newLedger("orders", false, 4)}
		s.send("a#0", 0)
		tc.do(s)
		_, err := s.verdict(tc.queue, tc.letters)
		complains(t, tc.what, err, tc.want)
	}
}

func TestAVerdictPassesRepeatsOfAFIFOQueueBy(t *testing.T) {
	s := story{newLedger("orders.fifo", true, 4)}
	s.send("g#0", 0)
	s.sent(name{"g", 0}, "id of the repeat", "SQS")
	s.ack(20, s.take(10, 1, "g#0"))
	first := stored{id: "id of g#0", dedup: "g#0", name: name{"g", 0}}
	repeat := first
	repeat.id = "id of the repeat"
	got, err := s.verdict([]stored{first, repeat}, nil)
	if err != nil || got.repeats != 1 || got.acknowledged != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if n := s.unseen(); n != 0 {
		t.Errorf("%d messages are waited for that nobody gets", n)
	}
}
