package fake

import (
	"context"
	"fmt"
	"slices"

	"ottla/internal/event/name"
	"ottla/internal/event/queue"
)

// StartMove begins a move, which goes on until Finish.
func (f *Queues) StartMove(_ context.Context, from queue.Ref, to *queue.Ref, ratePerSecond int32) (queue.Move, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, err := f.find(from)
	if err != nil {
		return queue.Move{}, err
	}
	for _, m := range f.moves {
		if key(m.From) == key(from) && m.Status == queue.MoveRunning {
			return queue.Move{}, queue.ErrBusy
		}
	}
	m := queue.Move{
		Handle: fmt.Sprintf("move-%d", len(f.moves)+1), From: h.Ref, To: to, RatePerSecond: ratePerSecond,
		Status: queue.MoveRunning, ToMove: int64(len(h.messages)), StartedMs: f.now.UnixMilli(),
	}
	f.moves = append(f.moves, m)
	return m, nil
}

// CancelMove stops a move.
func (f *Queues) CancelMove(_ context.Context, handle string) (queue.Move, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.moves {
		if m := &f.moves[i]; m.Handle == handle && m.Status == queue.MoveRunning {
			m.Status = queue.MoveCancelled
			return *m, nil
		}
	}
	return queue.Move{}, fmt.Errorf("move %s: %w", handle, queue.ErrNotFound)
}

// ListMoves lists moves, the newest first.
func (f *Queues) ListMoves(_ context.Context, from queue.Ref, most int) ([]queue.Move, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.find(from); err != nil {
		return nil, err
	}
	var out []queue.Move
	for _, m := range slices.Backward(f.moves) {
		if key(m.From) == key(from) && len(out) < most {
			out = append(out, m)
		}
	}
	return out, nil
}

// Finish carries out all moves that run.
func (f *Queues) Finish() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.moves {
		m := &f.moves[i]
		if m.Status != queue.MoveRunning {
			continue
		}
		from := f.queues[key(m.From)]
		for _, one := range from.messages {
			to := f.destination(m, one)
			if to == nil {
				m.Status, m.FailureReason = queue.MoveFailed, "there is no queue to move to"
				continue
			}
			one.count, one.free, one.source = 0, f.now, ""
			to.messages = append(to.messages, one)
			m.Moved++
		}
		from.messages = nil
		if m.Status == queue.MoveRunning {
			m.Status = queue.MoveCompleted
		}
	}
}

func (f *Queues) destination(m *queue.Move, one *message) *held {
	if m.To != nil {
		return f.queues[key(*m.To)]
	}
	r, err := name.ParseARN(one.source)
	if err != nil {
		return nil
	}
	return f.queues[r.Key()]
}
