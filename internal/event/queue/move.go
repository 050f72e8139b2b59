package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// Move is a task that moves all messages of a queue to another.
type Move struct {
	Handle string `json:"-"`
	From   Ref    `json:"from"`
	// To is nil when each message goes back to where it came from.
	To            *Ref   `json:"to,omitempty"`
	RatePerSecond int32  `json:"rate,omitempty"` // 0 without a limit
	Status        string `json:"status"`
	// Moved counts messages so far, ToMove those that were there at the start.
	Moved         int64  `json:"moved"`
	ToMove        int64  `json:"to_move"`
	StartedMs     int64  `json:"started_ms"`
	FailureReason string `json:"failure,omitempty"`
	Node          int32  `json:"node"` // that carries it out
}

// Values of Move.Status, by SQS's names.
const (
	MoveRunning    = "RUNNING"
	MoveCompleted  = "COMPLETED"
	MoveCancelling = "CANCELLING"
	MoveCancelled  = "CANCELLED"
	MoveFailed     = "FAILED"
)

// movePrefix begins the names of the objects that moves are.
const movePrefix = "move."

func moveRef(handle string) name.Ref { return name.Of(name.System, movePrefix+handle) }

// keptMoves is how many moves of a queue are remembered that are over.
const keptMoves = 10

// StartMove begins to move all messages of a queue: to another, or with to nil
// each to where it came from. One move of a queue runs at a time.
func (s *Service) StartMove(ctx context.Context, from Ref, to *Ref, ratePerSecond int32) (Move, error) {
	from = RefOf(from.Full())
	if ratePerSecond < 0 {
		return Move{}, invalidf("the rate is %d messages a second", ratePerSecond)
	}
	q, err := s.open(ctx, from)
	if err != nil {
		return Move{}, err
	}
	if to != nil {
		t := RefOf(to.Full())
		if t == from {
			return Move{}, invalidf("a queue is not moved to itself: %s", from.Name)
		}
		dest, err := s.Get(ctx, t)
		if err != nil {
			return Move{}, err
		}
		if dest.FIFO != q.FIFO {
			return Move{}, invalidf("messages of a FIFO queue go to a FIFO queue, others do not: %s", t.Name)
		}
		to = &t
	}
	earlier, err := s.ListMoves(ctx, from, 1<<30)
	if err != nil {
		return Move{}, err
	}
	for _, m := range earlier {
		if m.Status == MoveRunning || m.Status == MoveCancelling {
			return Move{}, fmt.Errorf("%w: %s", ErrBusy, from.Name)
		}
	}
	counts, err := s.count(ctx, q)
	if err != nil {
		return Move{}, err
	}
	m := Move{
		Handle: newID(), From: from, To: to, RatePerSecond: ratePerSecond, Status: MoveRunning, ToMove: counts.Waiting,
		StartedMs: s.nowMs(), Node: s.o.NodeID,
	}
	version, err := s.putMove(ctx, &m, 0)
	if err != nil {
		return Move{}, err
	}
	s.forgetMoves(ctx, earlier)
	s.run(m, version)
	return m, nil
}

// forgetMoves deletes the oldest of moves that are over.
func (s *Service) forgetMoves(ctx context.Context, all []Move) {
	for _, m := range all[min(len(all), keptMoves):] {
		if o, err := s.o.Objects.Get(ctx, moveRef(m.Handle)); err == nil {
			if err := s.o.Objects.Delete(ctx, o.Ref, o.Version); err != nil {
				s.o.Logger.Debug("an old move is not forgotten", "queue", m.From.Name, "err", err)
			}
		}
	}
}

func (s *Service) putMove(ctx context.Context, m *Move, version int64) (int64, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return 0, fmt.Errorf("write a move: %w", err)
	}
	o, err := s.o.Objects.Put(ctx, object.Object{Ref: moveRef(m.Handle), Version: version, Spec: b})
	if err != nil {
		return 0, objectError(err)
	}
	return o.Version, nil
}

func moveOf(o *object.Object) (Move, error) {
	m := Move{Handle: strings.TrimPrefix(o.Ref.Name, movePrefix)}
	if err := json.Unmarshal(o.Spec, &m); err != nil {
		return Move{}, fmt.Errorf("read what the move %s is: %w", m.Handle, err)
	}
	return m, nil
}

// CancelMove ends a move; what was moved stays moved. ErrNotFound when there is
// no move of the handle, ErrInvalid when it is over.
func (s *Service) CancelMove(ctx context.Context, handle string) (Move, error) {
	for try := 1; ; try++ {
		m, err := s.cancelMove(ctx, handle)
		if !errors.Is(err, object.ErrConflict) || try == updates {
			return m, err
		}
	}
}

func (s *Service) cancelMove(ctx context.Context, handle string) (Move, error) {
	if err := name.Check(name.System, movePrefix+handle); err != nil {
		return Move{}, fmt.Errorf("%w: the move %q: %w", ErrNotFound, handle, err)
	}
	o, err := s.o.Objects.Get(ctx, moveRef(handle))
	if err != nil {
		return Move{}, objectError(err)
	}
	m, err := moveOf(&o)
	if err != nil {
		return Move{}, err
	}
	switch m.Status {
	case MoveCancelling:
		return m, nil
	case MoveRunning:
		m.Status = MoveCancelling
		_, err := s.putMove(ctx, &m, o.Version)
		return m, err
	}
	return Move{}, invalidf("the move is %s", m.Status)
}

// ListMoves lists moves from a queue, the newest first.
func (s *Service) ListMoves(ctx context.Context, from Ref, most int) ([]Move, error) {
	from = RefOf(from.Full())
	all, _, err := s.o.Objects.List(ctx, name.Of(name.System, movePrefix), "", 1<<30)
	if err != nil {
		return nil, objectError(err)
	}
	var out []Move
	for i := range all {
		if m, err := moveOf(&all[i]); err == nil && m.From == from {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b Move) int { return int(b.StartedMs - a.StartedMs) })
	return out[:min(len(out), most)], nil
}

// Resume goes on with the moves of this node that were under way when it ended.
// It is called once, when the node serves.
func (s *Service) Resume() {
	s.o.Objects.Watch(name.Of(name.System, movePrefix), func(n object.News) {
		m, err := moveOf(&n.Object)
		if err != nil || n.Deleted || m.Node != s.o.NodeID || m.Status != MoveRunning && m.Status != MoveCancelling {
			return
		}
		s.run(m, n.Object.Version)
	})
}

// run carries a move out, unless somebody does.
func (s *Service) run(m Move, version int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.ctx.Err() != nil || s.moves[m.Handle] != nil {
		return
	}
	r := &moving{s: s, move: m, version: version, mover: mover{open: s.o.Client, txnID: "ottla-move-" + m.Handle, group: "ottla-move." + m.Handle}}
	s.moves[m.Handle] = r
	s.working.Go(func() {
		r.run(s.ctx)
		if s.ctx.Err() == nil { // else it goes on at the next start
			s.mu.Lock()
			delete(s.moves, m.Handle)
			s.mu.Unlock()
		}
	})
}

// noteEvery is how often a move says how far it is.
const noteEvery = time.Second
