//go:build linux

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ottla/test/history"
)

// scenes writes a history of one group of the consumer protocol, at times in
// milliseconds.
type scenes struct{ ops []history.Op }

func (s *scenes) add(ms int64, op history.Op) {
	op.Start = ms*int64(time.Millisecond) + int64(len(s.ops))*2
	op.End, op.Outcome = op.Start+1, history.OK
	s.ops = append(s.ops, op)
}

func (s *scenes) fate(ms int64, process int32, what string) {
	op := history.Op{Process: process, Kind: fate, Group: "g", Error: what}
	if what == down || what == up {
		op.Group = ""
	}
	s.add(ms, op)
}

func (s *scenes) owns(ms int64, process int32, parts ...int) {
	op := history.Op{Process: process, Kind: history.Subscribe, Group: "g", Member: fmt.Sprint("m", process)}
	for _, p := range parts {
		op.Positions = append(op.Positions, history.Position{Partition: part(p), Offset: -1})
	}
	s.add(ms, op)
}

// calm is a history in which everything is owned 300 ms after each change: alice
// and bob join; alice dies and is noticed at 14 s; carol joins; bob is silent from
// 30 s to 36 s; the broker is away from 50 s to 51 s; carol dies at 60 s, and the
// broker 2 s later, so she is noticed at 67 s; dave joins, bob leaves. late is
// added to each time at which a partition finds an owner.
func calm(late int64) []history.Op {
	const dave = 14
	s := &scenes{}
	s.fate(0, alice, joins)
	s.fate(0, bob, joins)
	s.owns(200, alice, 0, 1, 2, 3)
	s.owns(250, alice, 0, 1)
	s.owns(300+late, bob, 2, 3)
	s.fate(10_000, alice, dies)
	s.add(10_010, history.Op{Process: alice, Kind: history.Crash})
	s.owns(14_300+late, bob, 0, 1, 2, 3)
	s.fate(20_000, carol, joins)
	s.owns(20_200, bob, 2, 3)
	s.owns(20_300+late, carol, 0, 1)
	s.fate(30_000, bob, silent)
	s.owns(34_300+late, carol, 0, 1, 2, 3)
	s.fate(36_000+late, bob, back)
	s.owns(36_100+late, bob)
	s.owns(36_200+late, carol, 0, 1)
	s.owns(36_300+2*late, bob, 2, 3)
	s.fate(50_000, 99, down)
	s.fate(51_000, 99, up)
	s.fate(60_000, carol, dies)
	s.add(60_010, history.Op{Process: carol, Kind: history.Crash})
	s.fate(62_000, 99, down)
	s.fate(63_000, 99, up)
	s.owns(67_300+late, bob, 0, 1, 2, 3)
	s.fate(75_000, dave, joins)
	s.fate(80_000, bob, leaves)
	s.owns(80_010, bob)
	s.fate(80_100, bob, left)
	s.add(80_110, history.Op{Process: bob, Kind: history.Crash})
	s.owns(80_400+late, dave, 0, 1, 2, 3)
	s.fate(90_000, dave, leaves)
	s.owns(90_010, dave)
	s.fate(90_100, dave, left)
	s.add(90_110, history.Op{Process: dave, Kind: history.Crash})
	s.add(99_000, history.Op{Process: 98, Kind: history.Ends}) // long after the last has left
	return s.ops
}

func judgedLate(ops []history.Op, within time.Duration) map[string]int {
	found := &findings{count: map[string]int{}}
	for _, g := range viewGroups(ops) {
		settled(within)(g, found)
	}
	return found.count
}

func TestAGroupThatSettlesInTimeIsClean(t *testing.T) {
	ops := calm(0)
	if got := judgedLate(ops, 2*time.Second); len(got) > 0 {
		t.Errorf("got %v, want nothing", got)
	}
	got := settlingOf(viewGroups(ops)[0], 2*time.Second)
	if got.stretches != 9 || got.median < 299*time.Millisecond || got.longest > 301*time.Millisecond {
		t.Errorf("got %+v, want 9 stretches, most of them and the longest of 300ms", got)
	}
}

// Each change of calm that takes a partition from somebody is found when what
// follows comes late; that nobody lost anything when the broker was away is not
// held against it.
func TestAGroupThatSettlesLateIsFound(t *testing.T) {
	within := 1500 * time.Millisecond
	if got := judgedLate(calm(1250), within); got["settled-late"] != 7 {
		t.Errorf("got %v, want 7 that are late", got)
	}
	v := judge(calm(1250), true, settled(within))
	if v.ok() || !strings.Contains(v.String(), "had no owner yet") {
		t.Errorf("the verdict does not say so: %v", v)
	}
	if v := judge(calm(1250), true); v.groups.count["settled-late"] != 0 {
		t.Errorf("it is judged unasked: %v", v)
	}
}

// A partition that nobody ever gets, and one that is lost in the middle of
// nothing, are found too.
func TestAPartitionWithoutAnOwnerIsFound(t *testing.T) {
	for name, plant := range map[string]func(s *scenes){
		"nobody gets it":                  func(s *scenes) { s.owns(200, alice, 0, 1, 2) },
		"it is lost, and nobody was":      func(s *scenes) { s.owns(200, alice, 0, 1, 2, 3); s.owns(5000, alice, 0, 1, 2) },
		"nobody has anything at any time": func(s *scenes) { s.owns(9000, alice) },
	} {
		s := &scenes{}
		s.add(0, history.Op{Process: 1, Kind: history.Send, Micro: []history.Micro{{Kind: history.Send, Partition: part(3), Records: []history.Record{{0, 1}}}}})
		s.fate(0, alice, joins)
		plant(s)
		s.fate(9500, alice, leaves)
		s.fate(9600, alice, left)
		s.add(9700, history.Op{Process: alice, Kind: history.Crash})
		if got := judgedLate(s.ops, 2*time.Second); got["settled-late"] != 1 {
			t.Errorf("%s: got %v, want one that is late", name, got)
		}
	}
}

// What is never quiet is not called settled, and a group of generations is not
// judged.
func TestWhatCannotBeJudgedIsSaid(t *testing.T) {
	s := &scenes{}
	for ms := int64(0); ms < 10_000; ms += 1000 {
		s.fate(ms, alice, joins)
	}
	s.owns(9000, alice, 0)
	s.add(9700, history.Op{Process: alice, Kind: history.Crash})
	if got := judgedLate(s.ops, 2*time.Second); got["never-quiet"] != 1 || len(got) != 1 {
		t.Errorf("got %v, want that it is never quiet", got)
	}
	if got := judgedLate(goodStory(), 2*time.Second); len(got) > 0 {
		t.Errorf("a group of generations: got %v, want nothing", got)
	}
}

// A member that leaves while the broker is away is noticed when its session ends.
func TestALeaveThatNobodyHeardIsNoticedLater(t *testing.T) {
	s := &scenes{}
	s.fate(0, alice, joins)
	s.fate(1000, 99, down)
	s.fate(1100, alice, leaves)
	s.fate(1200, alice, left)
	s.fate(2000, 99, up)
	s.owns(3000, alice)
	s.add(3001, history.Op{Process: alice, Kind: history.Crash})
	for _, c := range viewGroups(s.ops)[0].changes() {
		if at := time.Duration(c.to).Round(time.Millisecond); c.what == left && at != 2*time.Second+sessionTimeout {
			t.Errorf("noticed at %v, want %v", at, 2*time.Second+sessionTimeout)
		}
	}
}

// TestFatesAreToldInTheirOrder by whoever does something to a member.
func TestFatesAreToldInTheirOrder(t *testing.T) {
	n := newNotes()
	m := &told{&puppet{ended: make(chan struct{})}, func(what string) { tell(n, 7, "g", what) }}
	if err := m.silence(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	m.leave()
	m.die()
	var got []string
	for _, op := range n.ops {
		got = append(got, op.Error)
		if op.Kind != fate || op.Process != 7 || op.Group != "g" || op.End <= op.Start {
			t.Errorf("told as %+v", op)
		}
	}
	if want := "silent back leaves left dies"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// A member that was silent and was not given up goes on with what it had, and
// has no reason to say so; one that was given up says that it has nothing, and is
// believed.
func TestAMemberThatComesBackInTimeHasWhatItHad(t *testing.T) {
	for _, lost := range []bool{false, true} {
		s := &scenes{}
		s.fate(0, alice, joins)
		s.fate(0, bob, joins)
		s.owns(200, alice, 0, 1)
		s.owns(300, bob, 2, 3)
		s.fate(10_000, bob, silent)
		s.fate(12_000, bob, back)
		if lost {
			s.owns(12_100, bob)
		}
		s.fate(20_000, alice, leaves)
		s.owns(20_010, alice)
		s.fate(20_100, alice, left)
		s.add(20_110, history.Op{Process: alice, Kind: history.Crash})
		s.owns(20_300, bob, 0, 1, 2, 3)
		s.fate(30_000, bob, leaves)
		s.owns(30_010, bob)
		s.fate(30_100, bob, left)
		s.add(30_110, history.Op{Process: bob, Kind: history.Crash})
		s.add(40_000, history.Op{Process: 98, Kind: history.Ends})
		if got := judgedLate(s.ops, 2*time.Second)["settled-late"]; got != map[bool]int{false: 0, true: 1}[lost] {
			t.Errorf("lost %t: %d stretches are late", lost, got)
		}
	}
}
