//go:build linux

package main

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"ottla/test/beside"
)

// The names of figures.
const (
	figCPU    = "CPU µs/message"
	figRate   = "messages/s"
	figP50    = "cycle p50 ms"
	figP99    = "cycle p99 ms"
	figMemory = "bytes/poll"
	figSettle = "answered s"
)

// measure is what both sides are asked to do. Those whose figures are judged
// against a fixed goal have the goal for their other side.
type measure struct {
	name       string
	beside, us string // what the two sides are called
	prepare    func(ctx context.Context, b *bench) error
	other      func(ctx context.Context, b *bench, n int) (beside.Outcome, error)
	ours       func(ctx context.Context, b *bench, n int) (beside.Outcome, error)
	figures    []beside.Figure
}

// measures are in the order they run.
var measures = []measure{
	cycles("single", 1), cycles("batch", mostEntries),
	sdks("sdk-single", 1), sdks("sdk-batch", mostEntries),
	{
		name: "groups", beside: "ten", us: "many",
		other:   func(ctx context.Context, b *bench, n int) (beside.Outcome, error) { return b.groups(ctx, 10, n) },
		ours:    func(ctx context.Context, b *bench, n int) (beside.Outcome, error) { return b.groups(ctx, *groupsOf, n) },
		figures: []beside.Figure{{Name: figRate, Way: beside.AtLeast, Goal: 0.95}, {Name: figCPU}, {Name: figP99}},
	},
	{
		name: "polls", beside: "goal", us: "ottla",
		other: func(context.Context, *bench, int) (beside.Outcome, error) {
			return beside.Outcome{Seen: beside.Seen{figMemory: pollBytes}}, nil
		},
		ours:    func(ctx context.Context, b *bench, _ int) (beside.Outcome, error) { return b.polls(ctx) },
		figures: []beside.Figure{{Name: figMemory, Way: beside.AtMost, Goal: 1}},
	},
}

// cycles is a measure of messages that are sent, received and deleted, so many a
// request, beside ElasticMQ.
func cycles(name string, entries int) measure {
	on := func(side func(*bench, context.Context) (*side, error)) func(context.Context, *bench, int) (beside.Outcome, error) {
		return func(ctx context.Context, b *bench, n int) (beside.Outcome, error) {
			s, err := side(b, ctx)
			if err != nil {
				return beside.Outcome{}, err
			}
			return b.cycle(ctx, s, fmt.Sprintf("%s-%d", name, n), entries, b.length)
		}
	}
	return measure{
		name: name, beside: "elasticmq", us: "ottla",
		prepare: func(ctx context.Context, b *bench) error { return b.warm(ctx, entries) },
		other:   on((*bench).elasticmq), ours: on((*bench).ottla),
		figures: []beside.Figure{{Name: figCPU, Way: beside.AtMost, Goal: 0.2}, {Name: figRate}, {Name: figP50}, {Name: figP99}},
	}
}

// Rounds of warming up: a JVM compiles what is used often, again and again.
const (
	warmRounds = 6
	warmRound  = 5 * time.Second
	// steady is how much faster than any before a round must be to ask for another.
	steady = 1.1
)

// warm lets both servers compile, grow and open what they will need: they work
// until that gets no faster.
func (b *bench) warm(ctx context.Context, entries int) error {
	for _, get := range []func(*bench, context.Context) (*side, error){(*bench).elasticmq, (*bench).ottla} {
		s, err := get(b, ctx)
		if err != nil {
			return err
		}
		best := 0.0
		for n := range warmRounds {
			got, err := b.cycle(ctx, s, fmt.Sprintf("warm-%d-%d", entries, n), entries, warmRound)
			if err != nil {
				return fmt.Errorf("warm %s up: %w", s.name, err)
			}
			rate := got.Seen[figRate]
			if rate < best*steady {
				break
			}
			best = rate
		}
	}
	return nil
}

// quiet has what ran before written to the disk, so that it is not written
// meanwhile.
func quiet() { syscall.Sync() }
