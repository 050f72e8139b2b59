package kind

import (
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/group/schema"
)

// Turn gathers what a Step decides.
type Turn struct {
	// Now is what time-outs go by, Wall what records are dated by.
	Now, Wall time.Time
	// Token is the caller's, 0 for a timer's command.
	Token coordinator.Token
	Out   *coordinator.Output
}

// Answer replies to the caller of this turn.
func (t *Turn) Answer(body any) { t.Reply(t.Token, body) }

// Reply answers a caller of this turn or of an earlier one; token 0 is nobody.
func (t *Turn) Reply(to coordinator.Token, body any) {
	if to != 0 {
		t.Out.Replies = append(t.Out.Replies, coordinator.Reply{Token: to, Body: body})
	}
}

// Write adds a record; a nil value is a tombstone.
func (t *Turn) Write(k schema.Key, value []byte) {
	t.Out.Records = append(t.Out.Records, coordinator.Record{Key: schema.AppendKey(nil, k), Value: value})
}

// Timer sets a timer; key is of a type of the kind's own, and body comes back
// to the kind's Step.
func (t *Turn) Timer(key any, in time.Duration, body any) {
	t.Out.Timers = append(t.Out.Timers, coordinator.Timer{Key: key, At: t.Now.Add(in), Body: body})
}

// Cancel takes a timer away.
func (t *Turn) Cancel(key any) {
	t.Out.Timers = append(t.Out.Timers, coordinator.Timer{Key: key})
}

// Work begins something long beside the shard; what it returns comes back to
// the kind's Step, so it is of a type of the kind's own.
func (t *Turn) Work(run func() any) {
	t.Out.Work = append(t.Out.Work, coordinator.Work{Run: run})
}

// Then changes soft state once the turn's records are accepted and applied.
func (t *Turn) Then(change func()) {
	before := t.Out.Accepted
	t.Out.Accepted = func() {
		if before != nil {
			before()
		}
		change()
	}
}
