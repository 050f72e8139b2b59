package telemetry

import (
	"container/list"
	"time"

	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// maxInstances bounds how many clients are remembered, as in Kafka; the one that
// was silent longest gives way, and is taken for new when it comes again.
const maxInstances = 16384

// instance is a client that pushes.
type instance struct {
	id          uuid.UUID
	sub         subscription
	got, pushed time.Time // when it last asked, and last pushed; zero: never
	lastError   wire.Code // what it was last told
	terminating bool
}

// instances are the clients known, the latest first.
type instances struct {
	byID  map[uuid.UUID]*list.Element
	order *list.List // of *instance
}

func newInstances() instances {
	return instances{byID: map[uuid.UUID]*list.Element{}, order: list.New()}
}

// take finds or makes the instance of a client and gives it the subscription
// that holds now. How long it must wait is kept across a change of that.
func (s *instances) take(id uuid.UUID, sub subscription) *instance {
	e, ok := s.byID[id]
	if !ok {
		if s.order.Len() >= maxInstances {
			oldest := s.order.Back()
			delete(s.byID, oldest.Value.(*instance).id)
			s.order.Remove(oldest)
		}
		e = s.order.PushFront(&instance{id: id, sub: sub})
		s.byID[id] = e
	}
	s.order.MoveToFront(e)
	i := e.Value.(*instance)
	if i.sub.id != sub.id {
		// A new subscription: the client may ask at once, as in Kafka, where
		// the instance is made anew.
		*i = instance{id: id, sub: sub, terminating: i.terminating}
	}
	return i
}

// mayAsk tells whether a client may ask for its subscription: one interval
// after its last request, or at once after an error that sends it here.
func (i *instance) mayAsk(now time.Time) bool {
	last := i.got
	if i.pushed.After(last) {
		last = i.pushed
	}
	if last.IsZero() || now.Sub(last) >= i.sub.interval {
		i.got = now
		return true
	}
	return i.lastError == wire.UnknownSubscriptionID || i.lastError == wire.UnsupportedCompression
}

// mayPush tells whether a client may push: one interval after its last push,
// at once after it asked, and once more when it ends.
func (i *instance) mayPush(now time.Time, terminating bool) bool {
	if i.got.After(i.pushed) || i.pushed.IsZero() || now.Sub(i.pushed) >= i.sub.interval || terminating {
		i.pushed = now
		return true
	}
	return false
}

func (s *instances) len() int { return s.order.Len() }
