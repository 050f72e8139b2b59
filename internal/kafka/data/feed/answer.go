package feed

import (
	"sync/atomic"
	"time"

	"ottla/internal/kafka/api"
	"ottla/internal/kafka/wheel"
	"ottla/internal/log"
	"ottla/internal/partition"
	"ottla/internal/wire"
	"ottla/internal/wire/pull"
)

// answer is a follower's fetch on its way.
type answer struct {
	api.Ticket
	feeder    *Feeder
	session   *session // nil: code says why
	head      wire.Header
	code      wire.Code
	sessionID int32
	maxBytes  int
	wait      time.Duration

	rows   []pull.Row
	slices []log.Slice // one for each row

	timer   wheel.Timer
	armed   bool
	expired atomic.Bool
}

// expire is called by the wheel.
func (a *answer) expire() {
	a.expired.Store(true)
	a.Ready()
}

// Build implements api.Answer.
func (a *answer) Build(out *api.Out) (bool, error) {
	if a.session != nil && !a.gather() {
		return false, nil
	}
	a.disarm()
	a.write(out)
	return true, nil
}

// Drop implements api.Answer.
func (a *answer) Drop() {
	a.disarm()
	if s := a.session; s != nil {
		s.news.Lock()
		if s.parked == a {
			s.parked = nil
		}
		s.news.Unlock()
	}
}

func (a *answer) disarm() {
	if a.armed {
		a.armed = false
		a.feeder.o.Wheel.Cancel(&a.timer)
	}
}

// gather looks at every partition with news. It tells whether the answer leaves;
// else it waits, and its ticket is called when there is more.
func (a *answer) gather() bool {
	s := a.session
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		queue, due := s.takeQueue()
		leaves, again := a.collect(queue, due || a.expired.Load() || a.wait <= 0)
		s.giveBack(queue, again, leaves)
		if leaves || a.expired.Load() || a.wait <= 0 || s.ended {
			return true
		}
		if a.park() {
			return false
		}
	}
}

// collect looks at the partitions of a queue. Those that no room was left for, and
// those whose high watermark alone has moved while that is no reason to answer,
// are looked at again.
func (a *answer) collect(queue []*part, dueToo bool) (leaves bool, again []*part) {
	left, minOne := a.maxBytes, true
	var lazy []*part
	for i, p := range queue {
		if left <= 0 && !minOne {
			again = append(again, queue[i:]...)
			break
		}
		if p.gone { // read without news: only session.mu's holders set it
			continue
		}
		var row pull.Row
		var got partition.Fetched
		switch p.look(left, minOne, &row, &got) {
		case full:
			p.asked(false)
			if got.Slice.Len > 0 {
				left, minOne = left-got.Slice.Len, false
			}
			a.add(p, row, got.Slice)
			leaves = true
		case moved:
			lazy = append(lazy, p)
		}
	}
	if !leaves && !dueToo {
		return false, append(lazy, again...)
	}
	for _, p := range lazy {
		var row pull.Row
		var got partition.Fetched
		switch p.look(0, false, &row, &got) {
		case quiet:
			continue
		case full:
			p.asked(false)
		}
		a.add(p, row, got.Slice)
		leaves = true
	}
	return leaves, again
}

// add takes a row into the answer.
func (a *answer) add(p *part, row pull.Row, records log.Slice) {
	p.high, p.start = row.High, row.LogStart
	a.rows = append(a.rows, row)
	a.slices = append(a.slices, records)
}

// park waits for news, unless some came meanwhile that cannot wait.
func (a *answer) park() bool {
	s := a.session
	s.news.Lock()
	defer s.news.Unlock()
	if s.urgent || s.due {
		return false
	}
	if len(s.queue) > 0 && !s.armed {
		s.arm()
	}
	s.parked = a
	if !a.armed {
		a.armed = true
		s.feeder.o.Wheel.Arm(&a.timer, a.wait)
	}
	return true
}
