package course

import "ottla/internal/event/plan"

const (
	// firstWaitMs is the pause after the first failure; each is twice the one before.
	firstWaitMs = 250
	// mostWaitMs bounds it: what comes back is used soon.
	mostWaitMs = 30_000
	// defaultMaxAgeMs is EventBridge's: 24 hours.
	defaultMaxAgeMs = 24 * 3600 * 1000
)

// The conditions under which an event is given up, in EventBridge's words.
const (
	AgeExhausted = "MaximumEventAgeInSeconds"
)

// Verdict is what follows from a failure.
type Verdict struct {
	// GiveUp makes the event a dead letter; Exhausted is why, "" where the error
	// itself is final.
	GiveUp    bool
	Exhausted string
	WaitMs    int64
}

// Judge decides on an attempt that failed at the event at a branch's cursor: b counts
// it already. eventMs is the time of the event's record.
func Judge(b Branch, r plan.Retry, final bool, eventMs, nowMs int64) Verdict {
	if final {
		return Verdict{GiveUp: true}
	}
	if nowMs-max(b.SinceMs, eventMs) >= MaxAge(r) {
		return Verdict{GiveUp: true, Exhausted: AgeExhausted}
	}
	return Verdict{WaitMs: Wait(b.Attempts)}
}

// MaxAge is how long an event is tried at a place in the log.
func MaxAge(r plan.Retry) int64 {
	if r.MaxAgeMs == 0 {
		return defaultMaxAgeMs
	}
	return r.MaxAgeMs
}

// Wait is the pause after so many failures in a row.
func Wait(failures int) int64 {
	wait := int64(firstWaitMs)
	for range failures - 1 {
		if wait *= 2; wait >= mostWaitMs {
			return mostWaitMs
		}
	}
	return wait
}
