package queue

import (
	"sync"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// mostKnown bounds the queues that are kept read; beyond it all are read anew.
const mostKnown = 10_000

// known are queues as they were read of their objects: every call asks what its
// queue is, and few change it. Nobody changes a Queue that it gave (Spec.clone).
type known struct {
	mu sync.RWMutex // guards of
	of map[name.Ref]Queue
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
