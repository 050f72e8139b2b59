package relay_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"ottla/internal/cli/relay"
)

// memory is a table without a database, for the race detector.
type memory struct {
	mu   sync.Mutex // guards rows
	rows []relay.Row
}

func (m *memory) Identity() string { return "memory" }

func (m *memory) insert(ids ...int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		m.rows = append(m.rows, relay.Row{ID: int64(id), AggregateType: "order", AggregateID: strconv.Itoa(id % 5), Type: "T", Payload: []byte("{}")})
	}
}

func (m *memory) Read(_ context.Context, most int) ([]relay.Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.rows[:min(most, 7, len(m.rows))]), nil
}

func (m *memory) Find(_ context.Context, ids []any) ([]relay.Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.rows), func(r relay.Row) bool { return !slices.Contains(ids, r.ID) }), nil
}

func (m *memory) Done(_ context.Context, ids []any) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows = slices.DeleteFunc(m.rows, func(r relay.Row) bool { return slices.Contains(ids, r.ID) })
	return nil
}

// Each that starts takes over from the one before, whatever that is doing.
func TestRelaysThatTakeOverFromEachOther(t *testing.T) {
	r := newNode(t)
	m := &memory{}
	m.insert(numbers(1, 100)...)
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	const all = 5
	ended := make(chan error, all)
	for i := range all {
		begun := make(chan struct{}, 1)
		run := &relay.Relay{Table: m, Poll: time.Millisecond, Note: func(error) {}, Open: func(ctx context.Context) (relay.Log, error) {
			l, err := r.outlet(m).Open(ctx)
			select {
			case begun <- struct{}{}:
			default: // it is not the first time
			}
			return l, err
		}}
		go func() { ended <- run.Run(ctx) }()
		<-begun // also when it could not
		m.insert(numbers(101+10*i, 110+10*i)...)
	}
	cancel()
	for range all { // one that found nothing to write does not know that it was followed
		if err := <-ended; err != nil && !errors.Is(err, relay.ErrTakenOver) {
			t.Errorf("one ended with %v", err)
		}
	}
	r.mustOnce(m)
	r.mustHave(numbers(1, 150)...)
}
