package fake

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"ottla/internal/event/queue"
)

// Queues are queues in memory.
type Queues struct {
	mu     sync.Mutex // guards what follows
	now    time.Time
	queues map[string]*held
	moves  []queue.Move
	lastID int
	// Refuse is what every call answers; nil for none.
	Refuse error
	// Empty is called by Take before it waits for messages that are not there;
	// nil answers at once.
	Empty func(ctx context.Context)
}

// held is one queue.
type held struct {
	queue.Queue
	messages []*message
	seen     map[string]queue.Sent // by deduplication id
}

type message struct {
	queue.Message
	id, sequence string
	sent, first  time.Time
	free         time.Time // when it can be taken
	count        int32
	source       string
}

// New makes queues on a clock that stands at a date in 2026.
func New() *Queues {
	return &Queues{now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), queues: map[string]*held{}}
}

// Advance moves the clock.
func (f *Queues) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

func key(r queue.Ref) string { return r.Full().Key() }

func full(r queue.Ref) queue.Ref { return queue.RefOf(r.Full()) }

func (f *Queues) find(r queue.Ref) (*held, error) {
	if f.Refuse != nil {
		return nil, f.Refuse
	}
	h := f.queues[key(r)]
	if h == nil {
		return nil, fmt.Errorf("%s: %w", r.Full(), queue.ErrNotFound)
	}
	return h, nil
}

// Create makes a queue, or gives the one that is there and the same.
func (f *Queues) Create(_ context.Context, ref queue.Ref, spec queue.Spec) (queue.Queue, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h, err := f.find(ref); err == nil {
		if !reflect.DeepEqual(h.Spec, spec) {
			return queue.Queue{}, false, &queue.ExistsError{Attribute: "spec"}
		}
		return h.Queue, false, nil
	} else if f.Refuse != nil {
		return queue.Queue{}, false, f.Refuse
	}
	h := &held{Queue: queue.Queue{Ref: full(ref), Spec: spec, ID: key(ref), Version: 1, Created: f.now, Modified: f.now}, seen: map[string]queue.Sent{}}
	f.queues[key(ref)] = h
	return h.Queue, true, nil
}

// Get tells a queue.
func (f *Queues) Get(_ context.Context, ref queue.Ref) (queue.Queue, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, err := f.find(ref)
	if err != nil {
		return queue.Queue{}, err
	}
	return h.Queue, nil
}

// List gives queues by name.
func (f *Queues) List(_ context.Context, prefix queue.Ref, after string, most int) ([]queue.Queue, string, error) {
	begin := prefix.Full().Key()
	return f.page(after, most, func(h *held) bool { return strings.HasPrefix(key(h.Ref), begin) })
}

// SourcesOf lists the queues that name a queue for their dead letters.
func (f *Queues) SourcesOf(ctx context.Context, ref queue.Ref, after string, most int) ([]queue.Queue, string, error) {
	if _, err := f.Get(ctx, ref); err != nil {
		return nil, "", err
	}
	return f.page(after, most, func(h *held) bool { return h.DeadLetter != nil && key(h.DeadLetter.Queue) == key(ref) })
}

func (f *Queues) page(after string, most int, want func(*held) bool) ([]queue.Queue, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Refuse != nil {
		return nil, "", f.Refuse
	}
	var out []queue.Queue
	for _, h := range f.queues {
		if want(h) && h.Name > after {
			out = append(out, h.Queue)
		}
	}
	slices.SortFunc(out, func(a, b queue.Queue) int { return strings.Compare(a.Name, b.Name) })
	if len(out) <= most {
		return out, "", nil
	}
	return out[:most], out[most-1].Name, nil
}

// Update changes a queue.
func (f *Queues) Update(_ context.Context, ref queue.Ref, change func(*queue.Spec) error) (queue.Queue, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, err := f.find(ref)
	if err != nil {
		return queue.Queue{}, err
	}
	spec := h.Spec
	if err := change(&spec); err != nil {
		return queue.Queue{}, err
	}
	h.Spec, h.Modified = spec, f.now
	h.Version++
	return h.Queue, nil
}

// Delete deletes a queue with its messages.
func (f *Queues) Delete(_ context.Context, ref queue.Ref) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.find(ref); err != nil {
		return err
	}
	delete(f.queues, key(ref))
	return nil
}

// Purge deletes a queue's messages.
func (f *Queues) Purge(_ context.Context, ref queue.Ref) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, err := f.find(ref)
	if err == nil {
		h.messages = nil
	}
	return err
}

// Stats counts.
func (f *Queues) Stats(_ context.Context, ref queue.Ref) (queue.Stats, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, err := f.find(ref)
	if err != nil {
		return queue.Stats{}, err
	}
	s := queue.Stats{OldestMs: -1}
	for _, m := range h.messages {
		s.OldestMs = max(s.OldestMs, f.now.Sub(m.sent).Milliseconds())
		switch {
		case !m.free.After(f.now):
			s.Waiting++
		case m.count == 0:
			s.Delayed++
		default:
			s.InFlight++
		}
	}
	return s, nil
}
