package course

import "ottla/internal/event/plan"

const (
	// firstWaitMs is the pause after the first failure; each is twice the one before.
	firstWaitMs = 250
	// mostWaitMs bounds it: what comes back is used soon.
	mostWaitMs = 30_000
	// leastSpanMs is how long attempts take at least that stand for those of what waits
	// behind an event.
	leastSpanMs = 60_000
	// defaultMaxAgeMs is EventBridge's: 24 hours.
	defaultMaxAgeMs = 24 * 3600 * 1000
)

// The conditions under which an event is given up, in EventBridge's words.
const (
	AgeExhausted     = "MaximumEventAgeInSeconds"
	RetriesExhausted = "MaximumRetryAttempts"
)

// Verdict is what follows from a failure.
type Verdict struct {
	// GiveUp makes the event a dead letter; Exhausted is why, "" where the error
	// itself is final.
	GiveUp    bool
	Exhausted string
	// UntilMs, with Exhausted: what else waits there and is as old as that is given
	// up, too; 0 is nothing else.
	UntilMs int64
	WaitMs  int64
}

// Judge decides on an attempt that failed at the event at a branch's cursor: b counts
// it already. eventMs is when the event came, or a little earlier.
//
// Places in the log are tried more often than Retry says, as what comes back is to be used
// soon: its attempts are over when there were as many, and the time is over that they
// take.
func Judge(b Branch, r plan.Retry, final bool, eventMs, nowMs int64) Verdict {
	since := nowMs - max(b.SinceMs, eventMs)
	switch {
	case final:
		return Verdict{GiveUp: true}
	case since >= MaxAge(r):
		return Verdict{GiveUp: true, Exhausted: AgeExhausted, UntilMs: nowMs - MaxAge(r)}
	case r.Most >= 0 && b.Attempts > r.Most && since >= r.SpanMs():
		return Verdict{GiveUp: true, Exhausted: RetriesExhausted, UntilMs: overdueMs(b, r.SpanMs(), nowMs)}
	}
	return Verdict{WaitMs: Wait(b.Attempts)}
}

// overdueMs is until when what waits behind an event whose attempts are over has waited for
// its own as long: that is when the target fails for a while, and not when it has failed
// once or twice. What came later is tried itself.
func overdueMs(b Branch, spanMs, nowMs int64) int64 {
	if spanMs < leastSpanMs {
		return 0
	}
	return min(nowMs-spanMs, b.SinceMs+spanMs)
}

// Patience is after how long an event may be given up.
func Patience(r plan.Retry) int64 {
	if r.Most < 0 {
		return MaxAge(r)
	}
	return min(MaxAge(r), r.SpanMs())
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
