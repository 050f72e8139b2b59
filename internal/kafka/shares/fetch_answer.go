package shares

import (
	"sync/atomic"
	"time"

	"ottla/internal/kafka/api"
	"ottla/internal/kafka/shares/lead"
	"ottla/internal/kafka/wheel"
	"ottla/internal/wire"
)

// fetchAnswer is one ShareFetch request on its way.
type fetchAnswer struct {
	api.Ticket
	f        *Family
	conn     *api.Conn
	head     wire.Header
	received time.Time

	// As the request says.
	key        sessionKey
	maxWait    time.Duration
	minBytes   int
	maxBytes   int
	maxRecords int
	batchSize  int
	strict     bool
	quiet      bool // it wants no records
	acks       []ackPart
	session    *session
	parts      []fetchPart
	strange    []fetchPart // partitions of the session that are not led here
	lockMs     int32

	problem  error       // of the whole request
	settled  atomic.Bool // the acknowledgements are durable or refused
	expired  atomic.Bool
	over     atomic.Bool // it was built, or never will be
	armed    bool
	left     time.Duration // of the wait, when the timer fires; the timer's alone
	watching bool
	timer    wheel.Timer
	soon     *time.Timer // instead of timer, for what the wheel is too coarse for
	found    int         // records
	failed   bool
}

// Build implements api.Answer.
func (a *fetchAnswer) Build(out *api.Out) (bool, error) {
	a.unwatch()
	if a.problem == nil {
		if !a.settled.Load() {
			return false, nil
		}
		if !a.quiet && !a.collect() {
			a.wait()
			return false, nil
		}
	}
	a.disarm()
	return true, a.write(out)
}

// collect locks records and tells whether the answer is to leave.
func (a *fetchAnswer) collect() bool {
	a.found, a.failed = 0, len(a.strange) > 0
	over := a.expired.Load() || a.maxWait <= 0 || len(a.acks) > 0 || a.conn.Parts()
	if a.minBytes > 1 && !over && !a.enough() {
		return false
	}
	left, bytes := a.maxRecords, a.maxBytes
	mute := a.f.d.Mute != nil && a.f.d.Mute()
	for i := range a.parts {
		p := &a.parts[i]
		p.err, p.saw = nil, false
		if mute && !p.part.Sole() {
			p.err = wire.NotLeaderOrFollower // see fetch_lapse.go of package data; it is kept for a moment
			continue
		}
		if left <= 0 || bytes <= 0 && a.found > 0 {
			continue
		}
		p.saw = true
		w := lead.Want{
			Member: a.key.member, MaxRecords: left, Strict: a.strict, BatchSize: a.batchSize,
			MaxBytes: bytes, MinOne: a.found == 0,
		}
		if p.err = p.part.Give(&w, &p.given); p.err != nil {
			a.failed = true
			continue
		}
		a.found += p.given.Records
		left -= p.given.Records
		bytes -= p.given.Slice.Len
	}
	if a.found > 0 && a.session != nil {
		a.session.mu.Lock()
		a.session.idle = 0
		a.session.mu.Unlock()
	}
	return over || a.found > 0 || a.failed
}

// enough tells whether as many bytes can be read as the member wants at least.
// Nothing is locked; what the waits go by was looked at before the bytes were.
func (a *fetchAnswer) enough() bool {
	for i := range a.parts {
		p := &a.parts[i]
		p.part.Look(&p.given)
		p.saw = true
	}
	n := 0
	for i := range a.parts {
		if n += a.parts[i].part.Waiting(a.minBytes); n >= a.minBytes {
			return true
		}
	}
	return false
}

// wait registers with every partition for news, and with the wheel for the end
// of the wait.
func (a *fetchAnswer) wait() {
	a.watching = true
	for i := range a.parts {
		if p := &a.parts[i]; p.saw {
			p.part.Watch(a, &p.given)
		}
	}
	if a.armed {
		return
	}
	a.armed = true
	a.left = max(0, a.patience()-max(0, time.Since(a.received)))
	if wait := a.left; wait < wheel.Tick {
		a.left = 0
		a.soon = time.AfterFunc(wait, a.expire)
		return
	}
	a.arm()
}

// arm lets the timer fire when the answer is to be looked at next.
func (a *fetchAnswer) arm() {
	next := api.Pause(a.left, a.f.d.Mute)
	a.left -= next
	a.f.wheel.Arm(&a.timer, next)
}

// A member that sends its requests one after the other can say nothing of the
// records that it holds while a fetch of it waits. So such a fetch is answered
// early, the later the more often it gave nothing.
const (
	earliest     = time.Millisecond
	mostDoubling = 7
)

// patience is how long the fetch waits at most.
func (a *fetchAnswer) patience() time.Duration {
	holds := false
	for i := range a.parts {
		holds = holds || a.parts[i].given.Held
	}
	if !holds || a.session == nil {
		return a.maxWait
	}
	s := a.session
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(s.idle, mostDoubling)
	s.idle++
	return min(a.maxWait, earliest<<n)
}

// unwatch takes the registrations back; afterwards no partition calls.
func (a *fetchAnswer) unwatch() {
	if !a.watching {
		return
	}
	a.watching = false
	for i := range a.parts {
		if p := &a.parts[i]; p.saw {
			p.part.Unwatch(a, &p.given)
		}
	}
}

// Readable implements partition.FetchWaiter.
func (a *fetchAnswer) Readable(int) { a.Ready() }

// Wake implements lead.Waiter.
func (a *fetchAnswer) Wake() { a.Ready() }

// expire is called by the wheel.
func (a *fetchAnswer) expire() {
	if a.left > 0 && !a.f.d.Mute() {
		a.arm()
		if a.over.Load() { // meanwhile
			a.f.wheel.Cancel(&a.timer)
		}
		return
	}
	a.expired.Store(true)
	a.Ready()
}

// disarm takes the timer back.
func (a *fetchAnswer) disarm() {
	a.over.Store(true)
	if a.soon != nil {
		a.soon.Stop()
	} else if a.armed {
		a.f.wheel.Cancel(&a.timer)
	}
}

// Drop implements api.Answer.
func (a *fetchAnswer) Drop() {
	a.unwatch()
	a.disarm()
}
