package kafka

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// throttle lets one log line a second through and counts the rest, so that a
// client cannot fill the log.
type throttle struct {
	mu   sync.Mutex // guards both
	next time.Time
	held int
}

// pass tells whether a line may go now and how many were held back before it.
func (t *throttle) pass(now time.Time) (held int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Before(t.next) {
		t.held++
		return 0, false
	}
	held, t.held = t.held, 0
	t.next = now.Add(time.Second)
	return held, true
}

// say logs a warning that clients can cause, throttled.
func (d *Door) say(message string, attrs ...slog.Attr) {
	held, ok := d.noise.pass(d.o.Now())
	if !ok {
		return
	}
	if held > 0 {
		attrs = append(attrs, slog.Int("held_back", held))
	}
	d.log.LogAttrs(context.Background(), slog.LevelWarn, message, attrs...)
}
