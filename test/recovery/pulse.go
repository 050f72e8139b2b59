//go:build linux

package main

import (
	"sync"
	"time"
)

// pulse notes when something succeeded. Its methods may be called from any
// goroutine.
type pulse struct {
	mu sync.Mutex // guards at
	at []time.Time
}

// beat notes a success now.
func (p *pulse) beat() {
	p.mu.Lock()
	p.at = append(p.at, time.Now())
	p.mu.Unlock()
}

// forget forgets what was.
func (p *pulse) forget() {
	p.mu.Lock()
	p.at = p.at[:0]
	p.mu.Unlock()
}

// after tells whether it has beaten after a moment.
func (p *pulse) after(t time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.at) > 0 && p.at[len(p.at)-1].After(t)
}

// gap is the longest time between two successes from one moment to another; the
// moments count as successes.
func (p *pulse) gap(from, to time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	longest, last := time.Duration(0), from
	for _, at := range p.at {
		if at.After(from) && at.Before(to) {
			longest, last = max(longest, at.Sub(last)), at
		}
	}
	return max(longest, to.Sub(last))
}

// pulses are several that all must beat.
type pulses []*pulse

func newPulses(n int) pulses {
	out := make(pulses, n)
	for i := range out {
		out[i] = new(pulse)
	}
	return out
}

// gap is the longest of all.
func (ps pulses) gap(from, to time.Time) (longest time.Duration) {
	for _, p := range ps {
		longest = max(longest, p.gap(from, to))
	}
	return longest
}

// after tells whether all have beaten after a moment.
func (ps pulses) after(t time.Time) bool {
	for _, p := range ps {
		if !p.after(t) {
			return false
		}
	}
	return true
}
