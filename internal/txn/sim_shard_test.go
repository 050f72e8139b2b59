package txn

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"ottla/internal/coordinator"
)

// simShard is a machine with a log that commits when the simulation says so,
// and that a power cut leaves with any part of what was not committed. It does
// what a shard does.
type simShard struct {
	w         *simWorld
	m         *Machine
	log       []coordinator.Record
	ends      []int // of what is durable together or not at all
	committed int
	queue     []simWait // replies and work that wait for commitment
	calls     map[coordinator.Token]func(any, error)
	timers    []coordinator.Timer
	token     coordinator.Token
	life      int32
}

// simWait is a reply, or work when it has some.
type simWait struct {
	end   int
	reply coordinator.Reply
	work  *coordinator.Work
}

func newSimShard(w *simWorld) *simShard {
	s := &simShard{w: w}
	s.load()
	return s
}

// load begins a life from the log.
func (s *simShard) load() {
	s.life++
	s.m = New(Options{Settings: s.w.settings, Markers: s.w, Level: func() int16 { return s.w.level }})
	for _, r := range s.log {
		s.m.Apply(r)
	}
	s.committed, s.queue, s.timers = len(s.log), nil, nil
	calls := s.calls
	s.calls = map[coordinator.Token]func(any, error){}
	for token := coordinator.Token(0); token <= s.token; token++ {
		if done := calls[token]; done != nil {
			done(nil, errSimLost)
		}
	}
	s.step(0, coordinator.Loaded{LeaderEpoch: s.life})
}

// cut is a power cut: of what was not committed a random part survives.
func (s *simShard) cut(rnd *rand.Rand) {
	var may []int
	for _, end := range append([]int{0}, s.ends...) {
		if end >= s.committed {
			may = append(may, end)
		}
	}
	keep := may[rnd.IntN(len(may))]
	s.log = s.log[:keep]
	s.ends = slices.DeleteFunc(s.ends, func(end int) bool { return end > keep })
	s.load()
}

func (s *simShard) ask(body any, done func(any, error)) {
	s.token++
	s.calls[s.token] = done
	s.step(s.token, body)
}

func (s *simShard) step(token coordinator.Token, body any) {
	out, err := s.m.Step(s.w.now, coordinator.Command{Token: token, Wall: s.w.now, Body: body})
	if err != nil {
		s.wait(simWait{end: len(s.log), reply: coordinator.Reply{Token: token, Err: err}})
		return
	}
	for _, r := range out.Records {
		s.log = append(s.log, r)
		s.m.Apply(r)
	}
	if len(out.Records) > 0 {
		s.ends = append(s.ends, len(s.log))
	}
	if out.Accepted != nil {
		out.Accepted()
	}
	for _, tm := range out.Timers {
		s.timers = slices.DeleteFunc(s.timers, func(old coordinator.Timer) bool { return old.Key == tm.Key })
		s.timers = append(s.timers, tm)
	}
	for i := range out.Work {
		if work := &out.Work[i]; work.Committed {
			s.wait(simWait{end: len(s.log), work: work})
		} else {
			s.begin(work)
		}
	}
	for _, r := range out.Replies {
		if r.Now {
			s.tell(r)
			continue
		}
		s.wait(simWait{end: len(s.log), reply: r})
	}
}

func (s *simShard) wait(x simWait) {
	s.queue = append(s.queue, x)
	s.release()
}

// commit makes everything durable and lets go what waited for it.
func (s *simShard) commit() {
	s.committed = len(s.log)
	s.release()
}

func (s *simShard) release() {
	for len(s.queue) > 0 && s.queue[0].end <= s.committed {
		x := s.queue[0]
		s.queue = s.queue[1:]
		if x.work != nil {
			s.begin(x.work)
		} else {
			s.tell(x.reply)
		}
	}
}

func (s *simShard) begin(work *coordinator.Work) {
	life := s.life
	work.Begin(context.Background(), func(result any) {
		if s.life == life {
			s.step(0, result)
		}
	})
}

func (s *simShard) tell(r coordinator.Reply) {
	if done := s.calls[r.Token]; done != nil {
		delete(s.calls, r.Token)
		done(r.Body, r.Err)
	}
}

// tick fires what is due, the earliest first.
func (s *simShard) tick() bool {
	at := -1
	for i, tm := range s.timers {
		if !tm.At.After(s.w.now) && (at < 0 || tm.At.Before(s.timers[at].At)) {
			at = i
		}
	}
	if at < 0 {
		return false
	}
	tm := s.timers[at]
	s.timers = slices.Delete(s.timers, at, at+1)
	s.step(0, tm.Body)
	return true
}

// decided tells whether the committed part of the log has this decision.
func (s *simShard) decided(m *Marker) bool {
	outcome := PrepareAbort
	if m.Commit {
		outcome = PrepareCommit
	}
	x := New(Options{})
	for _, r := range s.log[:s.committed] {
		x.Apply(r)
	}
	e := x.ids[m.ID]
	return e != nil && e.state == outcome && e.producerID == m.ProducerID && e.epoch == m.ProducerEpoch
}

const simTimeout = time.Minute
