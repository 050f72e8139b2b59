package api

import "time"

const (
	// lookAfter is how long an answer waits before it looks whether the node is cut
	// off: about as long as that takes to show.
	lookAfter = 2 * time.Second
	// cutOffWait is how long an answer of a node that is cut off waits at most:
	// clients that are sent away and find nobody else come back at once.
	cutOffWait = 250 * time.Millisecond
)

// Pause is for how long of what is left to wait an answer may wait before it looks,
// by mute, whether the node is cut off from the others. Nil is never.
func Pause(left time.Duration, mute func() bool) time.Duration {
	switch {
	case mute == nil:
		return left
	case mute():
		return min(left, cutOffWait)
	}
	return min(left, lookAfter)
}
