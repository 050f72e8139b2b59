package main

import "fmt"

// order is what is known of message groups, by their key.
type order map[string]*lane

// lane is one group's messages, by number.
type lane struct {
	of   map[int]*fate
	done int // all below are done
}

// farthest is how far ahead of a message those are looked at that may have
// overtaken it.
const farthest = 64

// over tells whether a message holds up nobody any more: somebody acknowledged it,
// or it may be a dead letter.
func over(f *fate) bool { return f != nil && (f.tried[alive] || f.died) }

// came holds the order of a group when one of its messages comes. Messages that
// were dead letters are in no order: they went to the end of the queue. One that is
// passed over may have become a dead letter, because answers with it were lost; so
// what happens to it next tells whether it was overtaken. l.mu held.
func (o order) came(l *ledger, g *given, f *fate, by string) {
	k := o[g.name.key]
	if k == nil {
		k = &lane{of: map[int]*fate{}}
		o[g.name.key] = k
	}
	if known := k.of[g.name.n]; known != nil && known != f {
		l.complain("%s gave %v as two messages: its repeat was not dropped", by, g.name)
	}
	k.of[g.name.n] = f
	if f.answers == nil {
		f.offset = g.offset
	}
	f.answers = append(f.answers, answer{l.takes, g.came, by})
	if f.died {
		return
	}
	for over(k.of[k.done]) {
		k.done++
	}
	for n := k.done; n < g.name.n; n++ {
		if before := k.of[n]; !over(before) && !before.in(l.takes) {
			if before != nil {
				before.overtaken = fmt.Sprintf("%s gave %v", by, g.name)
			}
			break
		}
	}
	for n := g.name.n + 1; n <= g.name.n+farthest; n++ {
		for _, a := range k.of[n].came() {
			if a.came.Before(g.asked) && !f.in(a.id) {
				l.complain("%s gave %v %v after %s had given %v, which overtook it", by, g.name, g.asked.Sub(a.came), a.by, name{g.name.key, n})
				return
			}
		}
	}
}

// came are the answers in which a message came.
func (f *fate) came() []answer {
	if f == nil {
		return nil
	}
	return f.answers
}

// in tells whether a message came in an answer.
func (f *fate) in(id int) bool {
	for _, a := range f.came() {
		if a.id == id {
			return true
		}
	}
	return false
}
