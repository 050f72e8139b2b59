package census

import (
	"ottla/internal/event/queue"
	"ottla/internal/kafka/shares/lead"
)

// queues shows those whose partitions this node leads, the first by name. One that
// cannot be counted, and all behind it, count as an entry left out.
func (s *scrape) queues() {
	if s.Queues == nil {
		return
	}
	err := s.Queues(s.ctx, func(q queue.Queue, here lead.Survey, sources int) bool {
		if !s.take(&s.left.Queues) {
			return false
		}
		called := q.Name
		if !q.Full().Home() {
			called = q.Full().String()
		}
		put := func(name string, v float64) { s.sheet.Put(name, v, called) }
		put("ottla_queue_waiting_messages", float64(here.Waiting))
		put("ottla_queue_in_flight_messages", float64(here.InFlight))
		put("ottla_queue_delayed_messages", float64(here.Delayed))
		put("ottla_queue_dying_messages", float64(here.Dying))
		put("ottla_queue_oldest_seconds", max(0, float64(here.OldestMs))/1000)
		put("ottla_queue_sources", float64(sources))
		return true
	})
	if err != nil {
		s.omitted++
	}
}
