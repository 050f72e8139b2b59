package tail

import (
	"context"
	"sync"
)

// turns has those who write to the same topic wait for each other. The zero value is
// ready.
type turns struct {
	mu sync.Mutex // guards of, and what lies in it
	of map[string]*turn
}

// turn is that of a topic; it is there while somebody has or wants it.
type turn struct {
	free  chan struct{} // has one element while nobody has the turn
	users int
}

// take returns when it is the caller's turn; end must follow.
func (t *turns) take(ctx context.Context, topic string) (end func(), err error) {
	t.mu.Lock()
	mine := t.of[topic]
	if mine == nil {
		if t.of == nil {
			t.of = map[string]*turn{}
		}
		mine = &turn{free: make(chan struct{}, 1)}
		mine.free <- struct{}{}
		t.of[topic] = mine
	}
	mine.users++
	t.mu.Unlock()
	select {
	case <-mine.free:
		return func() {
			mine.free <- struct{}{}
			t.leave(topic, mine)
		}, nil
	case <-ctx.Done():
		t.leave(topic, mine)
		return nil, ctx.Err()
	}
}

func (t *turns) leave(topic string, mine *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.users--; mine.users == 0 {
		delete(t.of, topic)
	}
}
