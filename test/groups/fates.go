//go:build linux

package main

import (
	"context"
	"time"

	"ottla/test/history"
)

// fate is the kind of operation that tells what is done to a member, or (with no
// group) to the broker; Error says what. Package history passes it over.
const fate history.Kind = "fate"

// What is done. Each that takes time has a word for its begin and for its end.
const (
	joins  = "joins"
	dies   = "dies"
	leaves = "leaves"
	left   = "left"
	silent = "silent"
	back   = "back"
	down   = "down"
	up     = "up"
)

// tell notes a fate of a process.
func tell(w journal, process int32, group, what string) {
	start := w.Now()
	w.Add(history.Op{Process: process, Kind: fate, Outcome: history.OK, Start: start, End: w.Now(), Group: group, Error: what})
}

// told is a member whose fates are in the history.
type told struct {
	actor
	say func(what string)
}

func (t *told) die() {
	t.say(dies)
	t.actor.die()
}

func (t *told) leave() {
	t.say(leaves)
	t.actor.leave()
	t.say(left)
}

func (t *told) silence(ctx context.Context, d time.Duration) error {
	t.say(silent)
	err := t.actor.silence(ctx, d)
	t.say(back)
	return err
}
