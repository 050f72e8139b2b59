package quorum

import (
	"sync/atomic"
	"time"

	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// Stepped is this node's part of the quorum without goroutine, clock or lock:
// Node's member for who keeps the order of things himself, as a simulation of a
// whole cluster does. What Node does between a member's steps is here, and no
// more. It belongs to one goroutine.
type Stepped struct {
	o      Options
	member *member
	image  atomic.Pointer[metadata.Image]
	asked  []stepAsked
}

// Outcome hears what became of a command or a change: the reply, the metadata
// offset that it rests on, or the error, as Node.DoAt gives them.
type Outcome func(reply any, offset int64, err error)

type stepAsked struct {
	to   chan result
	tell Outcome
}

// OpenStepped is Open. background runs a snapshot's writing whenever it likes and
// gives its error to then, as a step of its own; what it runs after the node has
// ended may be dropped.
func OpenStepped(o Options, background func(write func() error, then func(error))) (*Stepped, error) {
	o.fill()
	s := &Stepped{o: o}
	m, err := openMember(&s.o, &s.image)
	if err != nil {
		return nil, err
	}
	m.inBackground = func(write func() error, meta snapshotMeta) {
		background(write, func(err error) {
			m.snapshotWritten(meta, err)
			s.tell()
		})
	}
	s.member = m
	return s, nil
}

// Start shows the recovered image and, with nobody else, begins to lead.
func (s *Stepped) Start(now time.Time) error {
	m := s.member
	if !m.waiting {
		s.o.OnImage(m.image, m.image.AsDelta())
	}
	err := m.campaign(now)
	if err != nil {
		m.lose(err)
	}
	m.tell()
	s.tell()
	return err
}

// Turn gives the machine commands; those of one turn share a write. tell is
// called once for each, in this step or a later one, in their order.
func (s *Stepped) Turn(now time.Time, cmds []any, tell func(i int) Outcome) {
	requests := make([]request, len(cmds))
	for i, cmd := range cmds {
		requests[i] = request{cmd, s.ask(tell(i))}
	}
	s.member.turn(now, requests)
	s.tell()
}

// Tick lets tickInterval of the quorum's clock pass, where Ticking says that it
// runs.
func (s *Stepped) Tick(now time.Time) {
	s.member.tick(now)
	s.tell()
}

// Ticking tells whether the member needs its clock.
func (s *Stepped) Ticking() bool { return s.member.ticking() }

// Receive takes a frame that node from sent.
func (s *Stepped) Receive(now time.Time, from int32, frame []byte) {
	if len(frame) > MaxFrame {
		return
	}
	s.member.receive(now, []letter{{from, frame}})
	s.tell()
}

// Change is Node.Change; abandoned tells whether whoever waits has given up.
func (s *Stepped) Change(now time.Time, c MembershipChange, abandoned func() bool, tell Outcome) {
	s.member.order(now, &order{MembershipChange: c, to: s.ask(tell), abandoned: abandoned})
	s.tell()
}

// Resign hands the leadership on; false where there is none, or nobody to take it.
func (s *Stepped) Resign(now time.Time) bool {
	begun := s.member.resign(now)
	s.tell()
	return begun
}

// Lost is Node.Lost.
func (s *Stepped) Lost(now time.Time, node int32) {
	s.member.ended(now, node)
	s.tell()
}

// Close ends it; commands that wait are refused.
func (s *Stepped) Close() error {
	s.member.abandon(errClosed)
	s.member.release()
	s.member.refuseOrders(errClosed)
	s.tell()
	return s.member.close()
}

// Image is the newest committed image.
func (s *Stepped) Image() *metadata.Image { return s.image.Load() }

// Status is Node.Status.
func (s *Stepped) Status() Status {
	st := s.member.status()
	st.witnessSelf(&s.o)
	return st
}

// Err is why it takes no part any more, nil while it does.
func (s *Stepped) Err() error { return s.member.failed }

// DirectoryID is the directory under which it takes part.
func (s *Stepped) DirectoryID() uuid.UUID { return s.o.DirectoryID }

// Removed tells whether a directory was taken out of the quorum that this member
// knows, for good.
func (s *Stepped) Removed(node int32, directory uuid.UUID) bool {
	_, gone := s.member.voters.gone[raftID(node, directory)]
	return gone
}

func (s *Stepped) ask(tell Outcome) chan result {
	to := make(chan result, 1)
	s.asked = append(s.asked, stepAsked{to, tell})
	return to
}

// tell passes on the answers that are there. Who hears one may ask anew.
func (s *Stepped) tell() {
	for again := true; again; {
		again = false
		for i, a := range s.asked {
			select {
			case r := <-a.to:
				s.asked = append(s.asked[:i:i], s.asked[i+1:]...)
				a.tell(r.reply, r.offset, r.err)
				again = true
			default:
				continue
			}
			break
		}
	}
}
