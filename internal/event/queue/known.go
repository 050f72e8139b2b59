package queue

import (
	"context"
	"sync"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/metadata"
)

// mostKnown bounds the queues that are kept read; beyond it all are read anew.
const mostKnown = 10_000

// known are queues as they were read of their objects: every call asks what its
// queue is, and few change it. Nobody changes a Queue that it gave (Spec.clone).
type known struct {
	mu     sync.RWMutex // guards of and opened
	of     map[name.Ref]Queue
	opened map[name.Ref]standing
}

// standing is a queue as it was opened, of a version of its object and of metadata.
type standing struct {
	id      string
	version int64
	image   *metadata.Image
	q       *opened
}

// stand is open for those who ask for every message: it looks only whether anything has
// changed since. Nobody changes what it gives.
func (s *Service) stand(ctx context.Context, ref Ref) (*opened, error) {
	k, full, image := &s.known, ref.Full(), s.o.Image()
	o, err := s.o.Objects.Get(ctx, full)
	if err == nil {
		k.mu.RLock()
		was := k.opened[full]
		k.mu.RUnlock()
		if was.q != nil && was.id == o.ID && was.version == o.Version && was.image == image {
			return was.q, nil
		}
	}
	q, err := s.open(ctx, ref)
	if err != nil || q.ID != o.ID || q.Version != o.Version {
		return q, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.opened == nil || len(k.opened) >= mostKnown {
		k.opened = map[name.Ref]standing{}
	}
	k.opened[full] = standing{o.ID, o.Version, image, q}
	return q, nil
}

// queue is the queue of an object, read once a version.
func (k *known) queue(o *object.Object) (Queue, error) {
	k.mu.RLock()
	q, ok := k.of[o.Ref]
	k.mu.RUnlock()
	if ok && q.ID == o.ID && q.Version == o.Version {
		return q, nil
	}
	q, err := queueOf(o)
	if err != nil {
		return q, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.of == nil || len(k.of) >= mostKnown {
		k.of = map[name.Ref]Queue{}
	}
	k.of[o.Ref] = q
	return q, nil
}
