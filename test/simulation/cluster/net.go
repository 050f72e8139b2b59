package cluster

import (
	"time"

	"ottla/test/simulation/event"
)

// end is one end of the network: a process of a node, or a client.
type end struct {
	id int32    // a node's, or a client's number from firstClient on
	p  *process // nil for a client
}

// firstClient is the number of the first client.
const firstClient = 100

// does runs something at this end, if it is still there.
func (e end) does(do func()) {
	if e.p == nil {
		do()
		return
	}
	e.p.do(do)
}

// carry sends something from one place to another: it is lost, doubled, delayed
// and overtaken as the seed has it. do runs when it arrives.
func (w *World) carry(from, to int32, do func()) {
	if w.lost() {
		return
	}
	copies := 1
	if !w.calm && event.Chance(w.net, w.o.Duplicate) {
		w.hit("message doubled")
		copies = 2
	}
	for range copies {
		w.deliver(from, to, w.delay(from, to), do)
	}
}

// lost tells whether the network loses a message.
func (w *World) lost() bool {
	if w.calm || !event.Chance(w.net, w.o.Loss) {
		return false
	}
	w.hit("message lost")
	return true
}

// deliver has do run after a delay, if the link is whole then.
func (w *World) deliver(from, to int32, delay time.Duration, do func()) {
	w.loop.After(delay, func() {
		if w.blocked[[2]int32{from, to}] {
			w.hit("message cut off")
			return
		}
		do()
	})
}

// pipe is a connection: what it carries is lost and delayed, and neither doubled
// nor overtaken.
type pipe struct{ last time.Duration }

// carryIn sends something over a connection.
func (w *World) carryIn(x *pipe, from, to int32, do func()) {
	if w.lost() {
		return
	}
	x.last = max(x.last, w.loop.Now()+w.delay(from, to))
	w.deliver(from, to, x.last-w.loop.Now(), do)
}

// delay is how long a message takes.
func (w *World) delay(from, to int32) time.Duration {
	if w.calm {
		return event.Between(w.net, 0, 3*time.Millisecond)
	}
	d := event.Between(w.net, w.o.MinDelay, w.o.MaxDelay) + w.slow[[2]int32{from, to}]
	if event.Chance(w.net, .005) {
		d *= 20 // one that everything overtakes
		w.hit("message much delayed")
	}
	return d
}

// arrive runs something in a node's process, where one runs.
func (w *World) arrive(to int32, do func(q *process)) {
	if n := w.node(to); n != nil && n.p != nil {
		q := n.p
		q.do(func() { do(q) })
	}
}

// request is what is asked of a node. serve runs in its process; it may answer at
// once or later, once or never.
type request struct {
	to      int32
	timeout time.Duration
	pipe    *pipe // over which it goes; nil for one of its own
	serve   func(p *process, answer func(any))
	// done is called once at the asking end, with nil when no answer came in time:
	// whether the request was served is open then. refused tells that it certainly
	// was not.
	done func(answer any, refused bool)
}

// ask sends a request of this process.
func (p *process) ask(r request) { p.w.ask(end{p.n.id, p}, r) }

// ask sends a request.
func (w *World) ask(from end, r request) {
	over := false
	finish := func(answer any, refused bool) {
		from.does(func() {
			if !over {
				over = true
				r.done(answer, refused)
			}
		})
	}
	w.loop.After(r.timeout, func() { finish(nil, false) })
	arrive := func() {
		n := w.node(r.to)
		if n == nil || n.p == nil {
			w.carry(r.to, from.id, func() { finish(nil, true) })
			return
		}
		p := n.p
		p.do(func() {
			r.serve(p, func(answer any) {
				if p.silent() {
					return
				}
				w.carry(r.to, from.id, func() { finish(answer, false) })
			})
		})
	}
	if r.pipe != nil {
		w.carryIn(r.pipe, from.id, r.to, arrive)
		return
	}
	w.carry(from.id, r.to, arrive)
}
