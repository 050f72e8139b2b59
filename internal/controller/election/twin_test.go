package election

import (
	"fmt"
	"math/bits"
	"testing"

	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// set is a set of the replicas 1, 2 and 3, as bits: how the twin thinks.
type set uint8

func (s set) has(id int32) bool { return id > 0 && s&(1<<(id-1)) != 0 }
func (s set) len() int          { return bits.OnesCount8(uint8(s)) }

func (s set) list() []int32 {
	out := []int32{}
	for id := int32(1); id <= 3; id++ {
		if s.has(id) {
			out = append(out, id)
		}
	}
	return out
}

func one(id int32) set {
	if id < 0 {
		return 0
	}
	return 1 << (id - 1)
}

func setOf(list []int32) (s set) {
	for _, id := range list {
		s |= one(id)
	}
	return s
}

// asked is one case: a partition with the replicas 1, 2, 3, and what it shall
// become.
type asked struct {
	isr, elr         set
	leader, last     int32 // -1 none
	want, lost, live set
	min              int
	elrOn, unclean   bool
	preferred        bool
}

// became is the outcome.
type became struct {
	leader   int32
	isr, elr set
	last     set
	unclean  bool
}

// twin says what must become of a partition, the slow way: as rules about sets.
func twin(a asked) became {
	isr := a.want &^ a.lost
	enough := isr.len() >= max(1, a.min)
	var elr set
	switch {
	case !a.elrOn:
		elr = a.elr &^ isr &^ a.lost
	case !enough:
		elr = (a.isr | a.elr) &^ isr &^ a.lost
	}
	from := isr
	if from == 0 {
		from = elr
	}
	order := []int32{1, 2, 3}
	if a.leader > 0 {
		order = append([]int32{a.leader}, order...)
	}
	if a.preferred {
		order = append([]int32{1}, order...)
	}
	out := became{leader: -1}
	for _, id := range order {
		if from.has(id) && a.live.has(id) && out.leader < 0 {
			out.leader = id
		}
	}
	if out.leader < 0 && isr|elr == 0 && a.last > 0 && a.live.has(a.last) {
		out.leader, out.unclean = a.last, true
	}
	for id := int32(1); id <= 3 && a.unclean; id++ {
		if out.leader < 0 && a.live.has(id) {
			out.leader, out.unclean = id, true
		}
	}
	out.isr, out.elr = isr, elr
	switch {
	case out.leader < 0:
		out.last = one(a.last)
		if isr != 0 {
			break
		}
		if !a.elrOn && elr == 0 && a.isr != 0 {
			out.isr = a.isr
		} else if a.leader > 0 {
			out.last = one(a.leader)
		} else if elr == 0 && out.last == 0 {
			held := (a.isr | a.elr).list()
			out.last = setOf(held[:min(1, len(held))])
		}
	default:
		if !isr.has(out.leader) {
			out.isr, out.elr = one(out.leader), elr&^one(out.leader)
		}
		if out.unclean || !a.elrOn || out.isr.len() >= max(1, a.min) {
			out.elr = 0
		}
	}
	return out
}

// every walks all cases with a partition that keeps the promises.
func every(do func(asked)) {
	for n := range 1 << 14 {
		bit := func(at int) bool { return n&(1<<at) != 0 }
		a := asked{want: set(n & 7), lost: set(n >> 3 & 7), live: set(n >> 6 & 7), min: 1 + n>>9&3, elrOn: bit(11), unclean: bit(12), preferred: bit(13)}
		if a.min > 3 {
			continue
		}
		for where := range 27 { // of each replica: in sync, eligible, or neither
			a.isr, a.elr = 0, 0
			for id, rest := int32(1), where; id <= 3; id, rest = id+1, rest/3 {
				switch rest % 3 {
				case 1:
					a.isr |= one(id)
				case 2:
					a.elr |= one(id)
				}
			}
			for _, a.leader = range []int32{-1, 1, 2, 3} {
				for _, a.last = range []int32{-1, 2} {
					if (a.leader < 0 || a.isr.has(a.leader)) && (a.leader < 0 || a.last < 0) {
						do(a)
					}
				}
			}
		}
	}
}

func (a asked) decide() (became, *metadata.PartitionChangeRecord) {
	p := &metadata.Partition{
		Topic: &metadata.Topic{}, Replicas: []int32{1, 2, 3}, ISR: a.isr.list(), ELR: a.elr.list(), Leader: a.leader,
		Directories: make([]uuid.UUID, 3),
	}
	if a.last > 0 {
		p.LastELR = []int32{a.last}
	}
	r := Decide(p, Change{ISR: a.want.list(), Lost: a.lost.list(), Preferred: a.preferred}, Rules{
		ELR: a.elrOn, MinISR: a.min, Unclean: a.unclean,
		MayLead: func(_ *metadata.Partition, id int32) bool { return a.live.has(id) },
	})
	out := became{leader: p.Leader, isr: a.isr, elr: a.elr, last: setOf(p.LastELR)}
	if r == nil {
		return out, nil
	}
	if r.Leader != metadata.LeaderUnchanged {
		out.leader = r.Leader
	}
	for _, f := range []struct {
		to   *set
		list []int32
	}{{&out.isr, r.ISR}, {&out.elr, r.ELR}, {&out.last, r.LastELR}} {
		if f.list != nil {
			*f.to = setOf(f.list)
		}
	}
	out.unclean = r.LeaderRecoveryState == 1
	return out, r
}

func TestEveryDecisionIsTheTwinsAndKeepsThePromises(t *testing.T) {
	n, seen := 0, map[string]int{}
	every(func(a asked) {
		n++
		want := twin(a)
		got, record := a.decide()
		if got != want {
			t.Fatalf("%+v: got %+v, want %+v", a, got, want)
		}
		a.promises(t, got)
		if record != nil && record.Leader == a.leader && a.leader >= 0 {
			t.Fatalf("%+v: the leader epoch rises for nothing: %+v", a, record)
		}
		seen[fmt.Sprintf("leader %v, unclean %v, nothing %v", got.leader > 0, got.unclean, record == nil)]++
	})
	if n < 100_000 || len(seen) < 5 {
		t.Errorf("only %d cases, %v", n, seen)
	}
}

// promises are those of doc.go, told without the twin.
func (a asked) promises(t *testing.T, got became) {
	if a.isr|a.elr == 0 && a.last < 0 {
		return // nobody may lead already
	}
	switch {
	case got.leader >= 0 && !got.isr.has(got.leader):
		t.Fatalf("%+v: the leader is not in sync: %+v", a, got)
	case got.isr&got.elr != 0:
		t.Fatalf("%+v: in sync and eligible: %+v", a, got)
	case got.isr|got.elr|got.last == 0:
		t.Fatalf("%+v: nobody may lead: %+v", a, got)
	case got.leader >= 0 && got.leader != a.leader && !got.unclean && !(a.want | a.isr | a.elr).has(got.leader):
		t.Fatalf("%+v: an unclean election in silence: %+v", a, got)
	case got.leader >= 0 && a.lost.has(got.leader) && !got.unclean && got.leader != a.leader:
		t.Fatalf("%+v: one that may lack records leads: %+v", a, got)
	case got.elr&a.lost != 0 && a.elrOn:
		t.Fatalf("%+v: one that may lack records is eligible: %+v", a, got)
	}
}
