package share

import (
	"fmt"
	"strings"
	"testing"
)

// taker takes by turns from a log that it is told of.
type taker struct {
	t   *testing.T
	p   *Partition
	log []Batch
	now int64
}

func fairly(t *testing.T) *taker {
	s := Defaults()
	s.Fair, s.MaxLocked, s.Attempts = true, 120_000, 100
	return &taker{t: t, p: New(s, 0), now: 1000}
}

// add appends n records of a group.
func (k *taker) add(group uint64, n int) {
	first := int64(0)
	if len(k.log) > 0 {
		first = k.log[len(k.log)-1].Last + 1
	}
	b := Batch{First: first, Last: first + int64(n) - 1}
	for at := b.First; at <= b.Last; at++ {
		b.Records = append(b.Records, Record{Offset: at, Key: group, Keyed: group > 0})
	}
	k.log = append(k.log, b)
}

// groupOf is the group of an offset.
func (k *taker) groupOf(at int64) uint64 {
	for i := range k.log {
		if b := &k.log[i]; at <= b.Last {
			return b.Records[at-b.First].Key
		}
	}
	k.t.Fatalf("offset %d was given, and is not there", at)
	return 0
}

// readAtOnce is how many batches are learned at once.
const readAtOnce = 4

// take takes n records, and gives their offsets.
func (k *taker) take(n int) []int64 {
	k.p.Expire(k.now)
	k.p.Begin()
	var out []int64
	for len(out) < n {
		if from, ok := k.p.Unread(k.now); ok {
			var some []Batch
			for _, b := range k.log {
				if b.Last >= from && len(some) < readAtOnce {
					some = append(some, b)
				}
			}
			if k.p.Learn(from, some); len(some) > 0 {
				continue
			}
		}
		at, ok := k.p.Peek(k.now)
		if !ok {
			break
		}
		k.p.Grant(&Want{NowMs: k.now, LockMs: 1 << 40}, at)
		out = append(out, at)
	}
	return out
}

func (k *taker) groups(all []int64) string {
	var out []string
	for _, at := range all {
		out = append(out, fmt.Sprint(k.groupOf(at)))
	}
	return strings.Join(out, " ")
}

func (k *taker) accept(all ...int64) {
	k.t.Helper()
	for _, at := range all {
		k.p.must(k.t, k.now, say(at, k.p.spans[k.p.spans.index(at)].count, Accept, 0))
	}
}

func TestGroupsAreServedByTurns(t *testing.T) {
	k := fairly(t)
	k.add(1, 6)
	k.add(2, 2)
	k.add(0, 3) // without a key: a group, too
	k.add(3, 1)
	got := k.take(20)
	if text, want := k.groups(got), "1 2 0 3 1 2 0 1 0 1 1 1"; text != want {
		t.Errorf("given by group %s, want %s", text, want)
	}
	k.accept(got...)
	if k.p.Start() != 12 || len(k.p.turns.groups) > 4 || len(k.p.turns.of) != 0 {
		t.Errorf("start %d, %d groups, %d records are known at the end", k.p.Start(), len(k.p.turns.groups), len(k.p.turns.of))
	}
}

// However much one group has, what comes of others is not behind it.
func TestANoisyGroupDoesNotMakeOthersWait(t *testing.T) {
	k := fairly(t)
	for range 200 {
		k.add(7, 1000)
	}
	out := k.take(100)
	k.add(8, 3)
	k.add(9, 1)
	got := k.take(10)
	if text, want := k.groups(got), "8 9 8 8 7 7 7 7 7 7"; text != want {
		t.Errorf("given by group %s, want %s", text, want)
	}
	if n := len(k.p.turns.of); n > 2*maxAhead {
		t.Errorf("%d records are known of a group of 200,000", n)
	}
	k.accept(out...)
	k.accept(got...)
	seen := map[int64]bool{}
	for {
		got := k.take(1000)
		if len(got) == 0 {
			break
		}
		for _, at := range got {
			if seen[at] {
				t.Fatalf("offset %d was given twice", at)
			}
			seen[at] = true
		}
		k.accept(got...)
	}
	if len(seen) != 200_004-110 || k.p.Start() != 200_004 {
		t.Errorf("%d records were given, up to %d; want all", len(seen), k.p.Start())
	}
}

// SQS's thresholds: above thirty records and a tenth of what is out, a group is
// loud, and gets one of ten records while others wait.
func TestALoudGroupGetsATenthWhileOthersWait(t *testing.T) {
	k := fairly(t)
	k.add(1, 500)
	k.take(loudLeast + 1)
	for g := range uint64(12) {
		k.add(10+g, 50)
	}
	got := k.take(100)
	loud, last := 0, -1
	for i, at := range got {
		if k.groupOf(at) != 1 {
			continue
		}
		if loud++; last >= 0 && i-last != quietFirst+1 {
			t.Errorf("records %d and %d of the take are of the loud group", last, i)
		}
		last = i
	}
	if loud != 10 {
		t.Errorf("%d of 100 are of the loud group, want 10", loud)
	}
}

// A group whose few records are out for long takes the time of others.
func TestTimeMakesLoudToo(t *testing.T) {
	k := fairly(t)
	k.add(1, 2)
	slow := k.take(2)
	k.now += 30_000
	k.accept(slow...)
	for g := range uint64(3) {
		k.add(20+g, 1)
	}
	k.accept(k.take(3)...)
	k.add(1, 2)
	k.add(30, 2)
	k.add(31, 2)
	if text, want := k.groups(k.take(6)), "30 31 30 31 1 1"; text != want {
		t.Errorf("given by group %s, want %s", text, want)
	}
	// It is forgotten after a while, with the group.
	k.now += 100 * halfLifeMs
	for g := range uint64(2 * maxIdle) {
		k.add(100+g, 1)
	}
	k.p.Expire(k.now)
	for range 2 * maxIdle {
		got := k.take(1)
		k.now += 10
		k.accept(got...)
	}
	if n := len(k.p.turns.groups); n > maxIdle+10 {
		t.Errorf("%d groups are known, and nothing is left of them", n)
	}
}

// What comes back is given again, by turns, and records that are no records or
// transactions' marks hold nobody up.
func TestWhatComesBackIsGivenAgainByTurns(t *testing.T) {
	k := fairly(t)
	k.add(1, 3)
	k.log = append(k.log, Batch{First: 3, Last: 3, Skip: true})
	k.add(2, 2)
	k.log = append(k.log, Batch{First: 6, Last: 8, Records: []Record{{Offset: 7, Key: 1, Keyed: true}}}, Batch{First: 12, Last: 12, Skip: true})
	got := k.take(9)
	if fmt.Sprint(got) != "[0 4 1 5 2 7]" {
		t.Fatalf("given are %v", got)
	}
	k.p.must(t, k.now, say(4, 1, Release, 500))
	k.p.must(t, k.now, say(1, 1, Release, 0))
	k.accept(0)
	if got := k.take(9); fmt.Sprint(got) != "[1]" {
		t.Errorf("given again are %v, want 1: 4 waits", got)
	}
	k.now += 500
	if got := k.take(9); fmt.Sprint(got) != "[4]" {
		t.Errorf("given again are %v, want 4", got)
	}
	k.accept(1, 2, 4, 5, 7)
	if k.p.Start() != 13 || len(k.p.spans) != 0 || len(k.p.turns.gaps) != 0 {
		t.Errorf("start %d, %d spans, gaps %v; all is done", k.p.Start(), len(k.p.spans), k.p.turns.gaps)
	}
	if w, ok := k.p.Changes(); !ok || w.Start != 13 {
		t.Errorf("stored %+v, %v", w, ok)
	}
}

// When too much is known record by record, the lowest go first, until it is less.
func TestScatteredRecordsAreGatheredAgain(t *testing.T) {
	k := fairly(t)
	for at := int64(0); at < 2*maxSpans; at += 100 {
		b := Batch{First: at, Last: at + 99}
		for i := range int64(100) {
			b.Records = append(b.Records, Record{Offset: at + i, Key: 1 + uint64(i%2), Keyed: true})
		}
		k.log = append(k.log, b)
	}
	k.p.s.MaxLocked = 10 * maxSpans
	var ones []int64
	for len(k.p.spans) < maxSpans { // all of group 1 is out for long, of group 2 nothing is
		got := k.take(100)
		for _, at := range got {
			if k.groupOf(at) == 1 {
				ones = append(ones, at)
			} else {
				k.accept(at)
			}
		}
		if len(got) == 0 {
			t.Fatal("nothing more is given")
		}
	}
	for range 10 * maxSpans {
		k.accept(ones...)
		if ones = k.take(100); len(ones) == 0 {
			break
		}
	}
	if k.p.Start() != 2*maxSpans || len(k.p.spans) != 0 {
		t.Errorf("start %d with %d spans, want all to be done", k.p.Start(), len(k.p.spans))
	}
}

// SQS's bound on what is in flight: so many may be out, no more, and there is room
// again as soon as one is done.
func TestAHundredAndTwentyThousandMayBeOut(t *testing.T) {
	const most = 120_000
	k := fairly(t)
	for range 121 {
		k.add(0, 1000)
	}
	if n := len(k.take(most + 10)); n != most {
		t.Fatalf("%d are out, want %d", n, most)
	}
	k.accept(77)
	if got := k.take(5); len(got) != 1 || got[0] != most {
		t.Errorf("given are %v, want the next one", got)
	}
}
