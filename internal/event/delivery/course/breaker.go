package course

import "math/bits"

// Breaker tells whether an endpoint is there. It is kept as JSON.
type Breaker struct {
	Results  uint32 `json:"results,omitempty"`  // of the last 20 calls, the newest lowest: 1 for failed
	Timeouts int    `json:"timeouts,omitempty"` // in a row
	UntilMs  int64  `json:"until,omitempty"`    // it is open, and a call may probe then; 0 when it is closed
	Trips    int    `json:"trips,omitempty"`    // probes that have failed in a row, and the first opening
}

const (
	window       = 20
	mostFailed   = window / 2
	mostTimeouts = 5
	// How long it stays open at first, and at most: twice as long each time.
	firstOpenMs = 10_000
	mostOpenMs  = 300_000
	openJitter  = 0.2
)

// note takes up what came of a call. What is final shows that somebody answers.
func (b *Breaker) note(c Call, r Result, seed uint64, nowMs int64) {
	failed := !r.OK && !r.Final
	if b.UntilMs > 0 {
		switch {
		case !c.Probe: // it began before
		case failed:
			b.trip(seed, nowMs)
		default:
			*b = Breaker{}
		}
		return
	}
	b.Results = b.Results << 1 & (1<<window - 1)
	if !failed {
		b.Timeouts = 0
		return
	}
	b.Results |= 1
	if r.Timeout {
		b.Timeouts++
	} else {
		b.Timeouts = 0
	}
	if b.Timeouts >= mostTimeouts || bits.OnesCount32(b.Results) >= mostFailed {
		b.trip(seed, nowMs)
	}
}

func (b *Breaker) trip(seed uint64, nowMs int64) {
	b.Trips++
	ms := int64(mostOpenMs)
	if b.Trips <= 5 { // 10 s * 2^4 are less than the most
		ms = firstOpenMs << (b.Trips - 1)
	}
	b.Results, b.Timeouts = 0, 0
	b.UntilMs = nowMs + jittered(ms, openJitter, seed, nowMs, b.Trips)
}

// Calm tells a breaker that has nothing to remember.
func (b *Breaker) Calm() bool { return b.UntilMs == 0 && b.Results == 0 && b.Timeouts == 0 }
