package api

import "sync/atomic"

// Answer is what a hot handler leaves in its connection's queue. The queue
// answers in the order of the requests: when the answer is at the head and
// ready, Build is called.
type Answer interface {
	// Place is the answer's ticket (embed a Ticket).
	Place() *Ticket
	// Build appends the whole frame to out and reports true; the answer is
	// done then and may be used for another request. False means that it must
	// wait on (a fetch that still has too little): it has arranged for its
	// ticket to be called, and Build comes again. An error closes the
	// connection, and the answer is done.
	Build(out *Out) (bool, error)
	// Drop tells that no Build will come: the connection is gone.
	Drop()
}

// Queue is where tickets report: a connection.
type Queue interface {
	// Wake tells that an answer became ready.
	Wake(t *Ticket)
	// WakeBy is Wake by someone who can do what is to be done himself a little
	// later; it is Wake when later takes nothing more.
	WakeBy(t *Ticket, later Later)
}

// Later takes something to be done soon, on the goroutine at hand, with no
// lock held; false when it takes nothing more.
type Later interface{ Add(do func()) bool }

// Ticket is an answer's place in the queue. The zero Ticket is not ready.
type Ticket struct {
	ready atomic.Bool
	queue atomic.Pointer[Queue]
}

// Place makes whatever embeds a Ticket have one.
func (t *Ticket) Place() *Ticket { return t }

// Reset prepares a ticket for its next answer.
func (t *Ticket) Reset() {
	t.queue.Store(nil)
	t.ready.Store(false)
}

// Ready says that Build has something to do. It may be called from any
// goroutine, before the answer is in the queue, more than once, and late: then
// it costs a Build that finds nothing new.
func (t *Ticket) Ready() {
	t.ready.Store(true)
	if q := t.queue.Load(); q != nil {
		(*q).Wake(t)
	}
}

// ReadyBy is Ready by someone who can see to the answer himself.
func (t *Ticket) ReadyBy(later Later) {
	t.ready.Store(true)
	if q := t.queue.Load(); q != nil {
		(*q).WakeBy(t, later)
	}
}

// IsReady and Take are the queue's: Take reads and clears.
func (t *Ticket) IsReady() bool { return t.ready.Load() }

// Take tells whether something came since the last call.
func (t *Ticket) Take() bool { return t.ready.Swap(false) }

// Enter puts the ticket into a queue. Whoever enters it looks at IsReady
// afterwards, since Ready may have been called before.
func (t *Ticket) Enter(q *Queue) { t.queue.Store(q) }
