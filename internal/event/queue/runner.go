package queue

import (
	"context"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/kafka/queues"
)

// A move is carried out by the node that leads the first partition of its queue.
// When that changes, the next one goes on: it keeps the last one out by the
// transactional id, and reads from the progress what is moved already.

// nobody as a move's Node has not begun.
const nobody = -1

// task is a move that is under way, with the version of its object.
type task struct {
	move    Move
	version int64
}

// Resume has this node carry out the moves that are its own, now and later. It is
// called once, when the node serves.
func (s *Service) Resume() {
	s.o.Objects.Watch(name.Of(name.System, movePrefix), func(n object.News) {
		m, err := moveOf(&n.Object)
		switch {
		case err != nil:
		case n.Deleted, m.Status != MoveRunning && m.Status != MoveCancelling:
			s.mu.Lock()
			delete(s.tasks, m.Handle)
			s.mu.Unlock()
		default:
			s.know(m, n.Object.Version)
		}
	})
}

// know takes over that a move is under way.
func (s *Service) know(m Move, version int64) {
	s.mu.Lock()
	if old, ok := s.tasks[m.Handle]; !ok || old.version < version {
		s.tasks[m.Handle] = task{m, version}
	}
	s.mu.Unlock()
	s.look(m.Handle)
}

// Look has this node carry out moves whose queues it leads by now. It is called
// when leaders have changed.
func (s *Service) Look() {
	s.mu.Lock()
	handles := make([]string, 0, len(s.tasks))
	for h := range s.tasks {
		handles = append(handles, h)
	}
	s.mu.Unlock()
	for _, h := range handles {
		s.look(h)
	}
}

func (s *Service) look(handle string) {
	s.mu.Lock()
	t, ok := s.tasks[handle]
	s.mu.Unlock()
	if !ok {
		return
	}
	if o, there := s.o.Objects.Peek(t.move.From.Full()); there {
		if q, err := queueOf(&o); err == nil && !s.leads(&q) {
			return
		}
	}
	s.run(t.move, t.version)
}

// leads tells whether this node leads the first partition of a queue.
func (s *Service) leads(q *Queue) bool {
	t := s.o.Image().TopicByName(q.Topic)
	return t != nil && s.o.Leases.Near(queues.Part{Group: q.Group, Topic: t.ID})
}

// run carries a move out, unless somebody does.
func (s *Service) run(m Move, version int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.ctx.Err() != nil || s.moves[m.Handle] != nil {
		return
	}
	r := &moving{
		s: s, move: m, version: version, holder: holderOf("move." + m.Handle),
		mover: mover{open: s.o.Client, most: s.most, txnID: "ottla-move-" + m.Handle, group: "ottla-move." + m.Handle},
	}
	s.moves[m.Handle] = r
	s.working.Go(func() {
		r.run(s.ctx)
		s.mu.Lock()
		delete(s.moves, m.Handle)
		s.mu.Unlock()
		s.look(m.Handle) // should it be this node's again
	})
}

// mine tells whether this node is to carry the move out: also one of a queue that
// is not there any more, which any node may end.
func (r *moving) mine(ctx context.Context) bool {
	q, err := r.s.Get(ctx, r.move.From)
	return err != nil || r.s.leads(&q)
}

// begin keeps earlier runners out, and settles what they left.
func (r *moving) begin(ctx context.Context, q *opened) (err error) {
	if r.done, err = r.mover.begin(ctx, q.Topic, q.topic.ID.String()); err != nil {
		return err
	}
	if err := r.s.settleRevisions(ctx, q); err != nil {
		return err
	}
	for _, p := range q.parts() {
		if err := r.s.settle(ctx, q, p, r.holder, r.done[p.Index]); err != nil {
			return err
		}
	}
	r.move.Node = r.s.o.NodeID
	version, err := r.s.putMove(ctx, &r.move, r.version)
	if err != nil {
		return err
	}
	r.version, r.begun = version, true
	return nil
}
