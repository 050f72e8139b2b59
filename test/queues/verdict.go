package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// stored is a record of a queue's topic.
type stored struct {
	id, dedup string
	partition int32
	name      name
}

// tally is what a queue came to.
type tally struct {
	stored, repeats, acknowledged, dead, letters, moved int
}

// String is the tally in words.
func (t tally) String() string {
	return fmt.Sprintf("%d messages stored, %d repeats dropped: %d acknowledged, %d ended as dead letters (%d letters written, %d moved back)",
		t.stored, t.repeats, t.acknowledged, t.dead, t.letters, t.moved)
}

// lives are how often a message is in the topic of its queue, and in that of its
// dead letters.
type lives [2]int

// verdict judges a run that has ended, by what lies in both topics, in order.
func (l *ledger) verdict(queue, letters []stored) (tally, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var t tally
	there := map[string]bool{}
	lived := map[string]lives{}
	seen := map[stored]bool{}
	for at, all := range [][]stored{queue, letters} {
		for _, s := range all {
			there[s.id] = true
			if l.tries[s.name] == nil {
				l.complain("%v (%s) is in the log, and nobody sent it", s.name, s.id)
			}
			if f := l.fates[s.id]; f != nil && f.name != s.name {
				l.complain("%s is %v in the log, and %v for whom it came to", s.id, s.name, f.name)
			}
			first := stored{dedup: s.dedup, partition: s.partition}
			if l.fifo && place(at) == alive && s.dedup != "" && seen[first] {
				t.repeats++
				continue
			}
			seen[first] = true
			n := lived[s.id]
			n[at]++
			lived[s.id] = n
		}
	}
	for _, id := range slices.Sorted(maps.Keys(l.fates)) {
		if f := l.fates[id]; f.told && !there[id] {
			l.complain("%v (%s): its sender was told that it is sent, and it is not in the log", f.name, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(lived)) {
		l.judge(&t, id, lived[id])
	}
	return t, errors.Join(l.wrong...)
}

// judge judges the end of one message. mu held.
func (l *ledger) judge(t *tally, id string, n lives) {
	t.stored++
	t.letters += n[dead]
	t.moved += n[alive] - 1
	f := l.fate(id)
	switch at := place(1 - (n[alive] - n[dead])); {
	case at != alive && at != dead:
		l.complain("%v (%s) was written %d times to its queue and %d times to the dead letters", f.name, id, n[alive], n[dead])
	case !f.tried[at]:
		l.complain("%v (%s) is lost: it came %d times, nobody acknowledged it, and none is left", f.name, id, f.delivery)
	case at == alive:
		t.acknowledged++
	default:
		t.dead++
	}
}
