package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ottla/internal/event/letter"
	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// Move is a task that moves all messages of a queue to another.
type Move struct {
	Handle string `json:"-"`
	From   Ref    `json:"from"`
	// FromID is that queue's, which another of the name does not have; "" is not
	// noted.
	FromID string `json:"from_id,omitempty"`
	// To is nil when each message goes back to where it came from.
	To            *Ref  `json:"to,omitempty"`
	RatePerSecond int32 `json:"rate,omitempty"` // 0 without a limit
	// Where are conditions (package letter): only messages of which all hold are
	// moved.
	Where  []string `json:"where,omitempty"`
	Status string   `json:"status"`
	// Moved counts messages so far, ToMove those that were there at the start.
	// Looked counts those that a move of chosen messages has judged.
	Moved         int64  `json:"moved"`
	Looked        int64  `json:"looked,omitempty"`
	ToMove        int64  `json:"to_move"`
	StartedMs     int64  `json:"started_ms"`
	FailureReason string `json:"failure,omitempty"`
	Node          int32  `json:"node"` // that carries it out; -1 before anybody began
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
	return s.StartChosen(ctx, from, to, ratePerSecond, nil)
}

// StartChosen is StartMove of the messages of which all conditions hold, as
// letter.Parse reads them. Each is looked at once: those that are in flight or
// delayed at that moment stay.
func (s *Service) StartChosen(ctx context.Context, from Ref, to *Ref, ratePerSecond int32, where []string) (Move, error) {
	from = RefOf(from.Full())
	if _, err := letter.Parse(where); err != nil {
		return Move{}, invalidf("%w", err)
	}
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
		if (m.Status == MoveRunning || m.Status == MoveCancelling) && (m.FromID == "" || m.FromID == q.ID) {
			return Move{}, fmt.Errorf("%w: %s", ErrBusy, from.Name)
		}
	}
	counts, err := s.count(ctx, q)
	if err != nil {
		return Move{}, err
	}
	m := Move{
		Handle: newID(), From: from, FromID: q.ID, To: to, RatePerSecond: ratePerSecond, Where: where, Status: MoveRunning, ToMove: counts.Waiting,
		StartedMs: s.nowMs(), Node: nobody,
	}
	version, err := s.putMove(ctx, &m, 0)
	if err != nil {
		return Move{}, err
	}
	s.forgetMoves(ctx, earlier)
	s.know(m, version)
	return m, nil
}

// forgetMoves deletes the oldest of moves that are over.
func (s *Service) forgetMoves(ctx context.Context, all []Move) {
	for _, m := range all[min(len(all), keptMoves):] {
		if o, err := s.o.Objects.Get(ctx, moveRef(m.Handle)); err == nil {
			if err := s.o.Objects.Remove(ctx, o); err != nil {
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

// noteEvery is how often a move says how far it is.
const noteEvery = time.Second
