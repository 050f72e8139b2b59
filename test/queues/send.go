package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"ottla/test/realfault"
)

// someDelays are those of messages of a standard queue; most have none.
var someDelays = []time.Duration{0, 0, 0, 0, 0, 0, time.Second, 2 * time.Second}

// again is the pause after something that was not answered.
const again = 30 * time.Millisecond

// sender sends through one door until it is stopped, each message until it hears
// that it is sent.
type sender struct {
	l      *ledger
	d      door
	called string          // the door
	keys   []string        // its own; of a FIFO queue they are message groups
	delays []time.Duration // that messages are sent with; nil for none
	rate   int             // messages a second
	r      *rand.Rand
}

// run sends until stop ends; ctx ends what is under way.
func (s *sender) run(ctx, stop context.Context) error {
	next := map[string]int{}
	for stop.Err() == nil {
		var all []message
		for range 1 + s.r.IntN(min(8, len(s.keys))) {
			key := s.keys[s.r.IntN(len(s.keys))]
			if s.l.fifo && has(all, key) {
				continue // one of a group after the other
			}
			m := message{name: name{key, next[key]}, fifo: s.l.fifo}
			if len(s.delays) > 0 {
				m.delay = s.delays[s.r.IntN(len(s.delays))]
			}
			next[key]++
			all = append(all, m)
		}
		if err := s.deliver(ctx, all); err != nil {
			return err
		}
		if realfault.Pause(stop, time.Duration(len(all))*time.Second/time.Duration(s.rate)) != nil {
			return nil
		}
	}
	return nil
}

func has(all []message, key string) bool {
	for _, m := range all {
		if m.key == key {
			return true
		}
	}
	return false
}

// deliver sends messages until each is sent.
func (s *sender) deliver(ctx context.Context, all []message) error {
	for len(all) > 0 {
		now := time.Now()
		for _, m := range all {
			s.l.sending(m.name, m.delay, now)
		}
		ids, err := s.d.send(ctx, s.l.queue, all)
		var bad *nonsense
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &bad), errors.Is(err, errRefused):
			s.l.broken(err)
			return err
		case err != nil:
			s.l.did("sent again")
		}
		var left []message
		for i, m := range all {
			if err == nil && ids[i] != "" {
				s.l.sent(m.name, ids[i], s.called)
			} else {
				left = append(left, m)
			}
		}
		if all = left; len(all) > 0 {
			if err := realfault.Pause(ctx, again); err != nil {
				return err
			}
		}
	}
	return nil
}

// keysOf are n keys of a sender.
func keysOf(prefix string, n int) (out []string) {
	for i := range n {
		out = append(out, prefix+strconv.Itoa(i))
	}
	return out
}
