package server

import (
	"fmt"

	"ottla/internal/broker"
	"ottla/internal/gateway/ops"
)

// checks are the conditions under which this node serves everything it should.
func (s *Server) checks() []ops.Check {
	leads := ops.Check{Name: "metadata", OK: s.quorum.Status().Leader >= 0, Detail: "no leader of the metadata quorum is known"}
	if leads.OK {
		leads.Detail = ""
	}
	open := ops.Check{Name: "partitions", OK: true}
	if n := s.broker.Recovering(); n > 0 {
		open.OK, open.Detail = false, fmt.Sprintf("%d are still recovering", n)
	} else if closed := s.broker.Closed(); len(closed) > 0 {
		c := closed[0]
		open.OK, open.Detail = false, fmt.Sprintf("%d cannot be opened and are tried again: %s-%d: %v", len(closed), c.Topic, c.Index, c.Why)
	}
	out := []ops.Check{leads, open, coordinatorsCheck("coordinators", broker.OffsetsTopic, s.groups),
		coordinatorsCheck("transaction coordinators", broker.TransactionsTopic, s.txns),
		coordinatorsCheck("timer coordinators", broker.TimersTopic, s.timing)}
	for _, d := range s.broker.Dirs() {
		c := ops.Check{Name: "log directory " + d.Path(), OK: true}
		if err := d.Err(); err != nil {
			c.OK, c.Detail = false, err.Error()
		}
		out = append(out, c)
	}
	return append(out, s.doorsCheck())
}

// doorsCheck tells which doors are open, and where.
func (s *Server) doorsCheck() ops.Check {
	detail := "Kafka at " + s.KafkaAddr()
	if s.httpPort != nil {
		detail += "; at " + s.HTTPAddr() + " queues (/q), schedules (/schedule), AWS (SQS, Scheduler, STS)"
	}
	return ops.Check{Name: "doors", OK: true, Detail: detail}
}

// coordinatorsCheck holds when every coordinator of this node answers; one
// that leads nothing has nothing to read.
func coordinatorsCheck(name, topic string, r interface {
	Standing() (led, loads, fails int)
}) ops.Check {
	led, loads, fails := r.Standing()
	c := ops.Check{Name: name, OK: loads+fails == 0}
	switch {
	case fails > 0:
		c.Detail = fmt.Sprintf("%d of %d partitions of %s cannot be read, the log says why; %d are still being read", fails, led, topic, loads)
	case loads > 0:
		c.Detail = fmt.Sprintf("%d of %d partitions of %s are still being read", loads, led, topic)
	}
	return c
}
