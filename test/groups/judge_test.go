//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ottla/test/history"
)

const testParts = 4

// story writes a good history of one group: two members, of which one dies, and
// one that comes later.
type story struct {
	ops   []history.Op
	clock int64
	value int64
	ends  [testParts]int64
	at    [testParts]int64 // committed
}

// The processes of the story.
const (
	producer, looker, reader = 1, 2, 3
	alice, bob, carol        = 11, 12, 13 // read; claims are ten more
)

func (s *story) do(op history.Op) *history.Op {
	op.Start, op.End = s.clock+1, s.clock+2
	s.clock += 2
	if op.Outcome == "" {
		op.Outcome = history.OK
	}
	s.ops = append(s.ops, op)
	return &s.ops[len(s.ops)-1]
}

func part(p int) string { return fmt.Sprintf("t-%d", p) }

func (s *story) send(n int) {
	for range n {
		s.value++
		p := int(s.value) % testParts
		s.do(history.Op{Process: producer, Kind: history.Send, Micro: []history.Micro{
			{Kind: history.Send, Partition: part(p), Records: []history.Record{{s.ends[p], s.value}}}}})
		s.ends[p]++
	}
}

// given has a member join and be given partitions.
func (s *story) given(member int32, generation int32, parts ...int) {
	op := history.Op{Kind: history.Subscribe, Group: "g", Member: fmt.Sprint("m", member), Generation: generation}
	for _, p := range parts {
		op.Positions = append(op.Positions, history.Position{Partition: part(p), Offset: -1})
	}
	for _, process := range []int32{member + 10, member} {
		op.Process = process
		s.do(op)
	}
}

// eat has a member read what is new in a partition and commit it.
func (s *story) eat(member, generation int32, p int) {
	s.read(member, p, s.at[p], false)
	s.at[p] = s.ends[p]
	op := history.Op{Process: member, Kind: history.Commit, Outcome: history.Info, Group: "g", Member: fmt.Sprint("m", member),
		Generation: generation, Positions: []history.Position{{Partition: part(p), Offset: s.at[p]}}}
	s.do(op)
	op.Outcome = history.OK
	s.do(op)
}

func (s *story) read(process int32, p int, from int64, final bool) {
	m := history.Micro{Kind: history.Poll, Partition: part(p)}
	for o := from; o < s.ends[p]; o++ {
		value := o * testParts // value v lies in partition v%4 at offset v/4, but for partition 0, where value 4 is the first
		if p == 0 {
			value += testParts
		}
		m.Records = append(m.Records, history.Record{o, value + int64(p)})
	}
	s.do(history.Op{Process: process, Kind: history.Poll, Committed: true, Final: final, Micro: []history.Micro{m}})
}

func (s *story) look() {
	op := history.Op{Process: looker, Kind: history.Committed, Group: "g"}
	for p, at := range s.at {
		op.Positions = append(op.Positions, history.Position{Partition: part(p), Offset: at})
	}
	s.do(op)
}

func goodStory() []history.Op {
	s := &story{}
	s.send(20)
	s.given(alice, 1, 0, 1)
	s.given(bob, 1, 2, 3)
	for p, m := range []int32{alice, alice, bob, bob} {
		s.eat(m, 1, p)
	}
	s.look()
	s.send(20)
	s.eat(bob, 1, 2)
	s.do(history.Op{Process: alice, Kind: history.Crash})
	s.given(bob, 2)
	s.given(bob, 2, 2, 3)
	s.given(carol, 2, 0, 1)
	s.eat(bob, 2, 3)
	s.eat(carol, 2, 0)
	s.send(8)
	for p, m := range []int32{carol, carol, bob, bob} {
		s.eat(m, 2, p)
	}
	s.look()
	for _, m := range []int32{bob, carol} {
		s.do(history.Op{Process: m, Kind: history.Crash})
	}
	s.do(history.Op{Process: reader, Kind: history.Assign, Positions: []history.Position{{Partition: part(0)}, {Partition: part(1)}, {Partition: part(2)}, {Partition: part(3)}}})
	for p := range testParts {
		s.read(reader, p, 0, true)
	}
	return s.ops
}

// found is what was judged, by rule.
func found(v verdict) map[string]int {
	out := map[string]int{}
	for rule, n := range v.general.Found {
		out[rule] = int(n)
	}
	for rule, n := range v.groups.count {
		out[rule] += n
	}
	return out
}

func TestAGoodStoryIsClean(t *testing.T) {
	v := judge(goodStory(), true)
	if !v.ok() || v.general.Acked != 48 {
		t.Fatalf("want 48 acknowledged and clean: %v", v)
	}
	if !strings.Contains(v.String(), "clean") {
		t.Errorf("%q does not say so", v.String())
	}
}

// last gives the last operation that want picks.
func last(ops []history.Op, want func(op *history.Op) bool) *history.Op {
	for i := len(ops) - 1; i >= 0; i-- {
		if want(&ops[i]) {
			return &ops[i]
		}
	}
	return nil
}

func commitBy(process int32, outcome history.Outcome) func(op *history.Op) bool {
	return func(op *history.Op) bool {
		return op.Process == process && op.Kind == history.Commit && op.Outcome == outcome
	}
}

// late adds an operation after the group's last, before the final polls' end.
func late(ops []history.Op, op history.Op) []history.Op {
	end := ops[len(ops)-1].End
	op.Start, op.End = end+1, end+2
	return append(ops, op)
}

// plants are faults of a coordinator, each with the rule that must find it.
var plants = []struct {
	name, rule string
	plant      func(ops []history.Op) []history.Op
}{
	{"two members get one partition in a generation", "two-owners", func(ops []history.Op) []history.Op {
		op := last(ops, func(op *history.Op) bool { return op.Process == carol+10 })
		op.Positions = append(op.Positions, history.Position{Partition: part(2), Offset: -1})
		return ops
	}},
	{"a member that was given up commits in its old generation", "stale-commit", func(ops []history.Op) []history.Op {
		return late(ops, history.Op{Process: alice, Kind: history.Commit, Outcome: history.OK, Group: "g", Member: "m11", Generation: 1,
			Positions: []history.Position{{Partition: part(0), Offset: 12}}})
	}},
	{"a member that stays commits in the generation before", "stale-commit", func(ops []history.Op) []history.Op {
		last(ops, commitBy(bob, history.OK)).Generation = 1
		return ops
	}},
	{"the group begins again at generation 1", "generation-fell", func(ops []history.Op) []history.Op {
		return late(ops, history.Op{Process: 99, Kind: history.Subscribe, Outcome: history.OK, Group: "g", Member: "m99", Generation: 1})
	}},
	{"a record is handed to nobody", "unread", func(ops []history.Op) []history.Op {
		for i := range ops {
			if ops[i].Process == bob && ops[i].Kind == history.Poll && len(ops[i].Micro[0].Records) > 1 {
				ops[i].Micro[0].Records = ops[i].Micro[0].Records[1:]
				return ops
			}
		}
		return nil
	}},
	{"a member begins beyond what is committed", "resume-skip", func(ops []history.Op) []history.Op {
		i := slices.IndexFunc(ops, func(op history.Op) bool { return op.Process == carol && op.Kind == history.Poll })
		ops[i].Micro[0].Records = ops[i].Micro[0].Records[1:]
		return ops
	}},
	{"a member begins below what is committed", "resume-below-commit", func(ops []history.Op) []history.Op {
		i := slices.IndexFunc(ops, func(op history.Op) bool { return op.Process == carol && op.Kind == history.Poll })
		first := ops[i].Micro[0].Records[0]
		ops[i].Micro[0].Records = slices.Insert(ops[i].Micro[0].Records, 0, history.Record{first.Offset() - 1, first.Value() - testParts})
		return ops
	}},
	{"a committed offset is what it was before", "committed-offset-fell", func(ops []history.Op) []history.Op {
		last(ops, func(op *history.Op) bool { return op.Kind == history.Committed }).Positions[2].Offset = 5
		return ops
	}},
	{"a committed offset that nobody committed", "committed-offset-from-nowhere", func(ops []history.Op) []history.Op {
		last(ops, func(op *history.Op) bool { return op.Kind == history.Committed }).Positions[2].Offset = 50
		return ops
	}},
	{"a group's offsets are forgotten in the end", "unfinished", func(ops []history.Op) []history.Op {
		op := last(ops, func(op *history.Op) bool { return op.Kind == history.Committed })
		op.Positions = op.Positions[:3]
		return ops
	}},
	{"an acknowledged record is gone", "lost-write", func(ops []history.Op) []history.Op {
		for i := range ops {
			for j := range ops[i].Micro {
				if m := &ops[i].Micro[j]; m.Kind == history.Poll {
					m.Records = slices.DeleteFunc(m.Records, func(r history.Record) bool { return r.Value() == 9 })
				}
			}
		}
		return ops
	}},
}

func TestEachPlantedFaultIsFound(t *testing.T) {
	for _, p := range plants {
		ops := p.plant(goodStory())
		if ops == nil {
			t.Errorf("%s: no place for it", p.name)
			continue
		}
		if v := judge(ops, true); found(v)[p.rule] == 0 || v.ok() {
			t.Errorf("%s: want %s, got %v", p.name, p.rule, v)
		}
	}
}

// What no coordinator can help must not be called its fault.
func TestWhatIsNobodysFaultIsNotFound(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(ops []history.Op) []history.Op
	}{
		{"a commit whose answer is lost", func(ops []history.Op) []history.Op {
			i := slices.IndexFunc(ops, func(op history.Op) bool { return commitBy(alice, history.OK)(&op) })
			return slices.Delete(ops, i, i+1)
		}},
		{"a commit of the old generation that began before the new one was told", func(ops []history.Op) []history.Op {
			op := *last(ops, commitBy(alice, history.OK))
			op.End = ops[len(ops)-1].End
			return append(ops, op)
		}},
		{"a member that was frozen between its join and the answer", func(ops []history.Op) []history.Op {
			i := slices.IndexFunc(ops, func(op history.Op) bool { return op.Process == alice+10 })
			op := ops[i]
			op.End = ops[len(ops)-1].End
			ops[i] = op
			return ops
		}},
		{"a generation that never came to an assignment", func(ops []history.Op) []history.Op {
			i := slices.IndexFunc(ops, func(op history.Op) bool {
				return op.Process == bob && op.Kind == history.Subscribe && op.Generation == 2
			})
			ops[i].Generation = 7 // bob gave up his partitions when he heard of it
			return ops
		}},
		{"a refused commit", func(ops []history.Op) []history.Op {
			return late(ops, history.Op{Process: alice, Kind: history.Commit, Outcome: history.Info, Group: "g", Member: "m11", Generation: 1,
				Positions: []history.Position{{Partition: part(0), Offset: 3}}})
		}},
		{"an unacknowledged record that nobody reads", func(ops []history.Op) []history.Op {
			return late(ops, history.Op{Process: producer, Kind: history.Send, Outcome: history.Info, Micro: []history.Micro{
				{Kind: history.Send, Partition: part(1), Records: []history.Record{{-1, 1000}}}}})
		}},
	} {
		if v := judge(c.change(goodStory()), true); !v.ok() {
			t.Errorf("%s: %v", c.name, v)
		}
	}
}

// A group without claims has members with epochs of their own: generations are
// not compared.
func TestEpochsOfMembersAreNotGenerations(t *testing.T) {
	ops := slices.DeleteFunc(goodStory(), func(op history.Op) bool { return op.Kind == history.Subscribe && op.Process > 20 })
	last(ops, commitBy(bob, history.OK)).Generation = 1
	if v := judge(ops, true); !v.ok() {
		t.Errorf("%v", v)
	}
}

func TestFiguresCountWhatHappened(t *testing.T) {
	groups := viewGroups(goodStory())
	if len(groups) != 1 || len(groups[0].members) != 3 {
		t.Fatalf("%d groups", len(groups))
	}
	if got, want := figuresOf(groups[0]), (figures{generations: 2, tried: 11, taken: 11, read: 48}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
