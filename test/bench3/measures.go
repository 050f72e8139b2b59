//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"ottla/test/beside"
)

// The names of figures.
const (
	figMBs    = "MB/s"
	figPerGB  = "CPU s/GB"
	figPerRec = "CPU µs/record"
	figP50    = "p50 ms"
	figP99    = "p99 ms"
)

// measure is what both sides are asked to do.
type measure struct {
	name       string
	durability string // of Ottla's topic; Kafka's promise is the same in all
	partitions int
	endToEnd   bool
	disk       bool // the disk's own limit is told with it
	figures    []beside.Figure
}

// measures are in the order they run. The goals are those of equal promises
// (durability=replicated: acknowledged from the memory of the replicas in sync,
// which is all that Kafka ever promises), and of a promise that Kafka does not give
// (fsync on every replica in sync before the answer).
var measures = []measure{
	{name: "replicated", durability: "replicated", partitions: 8, figures: []beside.Figure{
		{Name: figMBs, Way: beside.AtLeast, Goal: 1}, {Name: figPerGB, Way: beside.AtMost, Goal: 0.5}, {Name: figP99}}},
	{name: "replicated-1", durability: "replicated", partitions: 1, figures: []beside.Figure{
		{Name: figMBs}, {Name: figPerGB}, {Name: figP99}}},
	{name: "latency", durability: "replicated", partitions: 3, endToEnd: true, figures: []beside.Figure{
		{Name: figP50, Way: beside.AtMost, Goal: 0.5}, {Name: figP99, Way: beside.AtMost, Goal: 0.5}, {Name: figPerRec}}},
	{name: "fsync", durability: "fsync", partitions: 8, disk: true, figures: []beside.Figure{
		{Name: figPerGB, Way: beside.AtMost, Goal: 0.6}, {Name: figMBs}, {Name: figP99}}},
	{name: "fsync-latency", durability: "fsync", partitions: 3, endToEnd: true, figures: []beside.Figure{
		{Name: figP99, Way: beside.AtMost, Goal: 1}, {Name: figP50}, {Name: figPerRec}}},
}

func indexOf(name string) int {
	return slices.IndexFunc(measures, func(m measure) bool { return m.name == name })
}

func allNames() []string {
	var out []string
	for _, m := range measures {
		out = append(out, m.name)
	}
	return out
}

// run does a measure on one side, on a topic of its own that is gone afterwards.
func (m measure) run(ctx context.Context, s *side, topic string) (beside.Outcome, error) {
	t, err := s.create(ctx, topic, m.partitions, m.durability)
	if err != nil {
		return beside.Outcome{}, fmt.Errorf("create topic %s on %s: %w", topic, s.name, err)
	}
	var out beside.Outcome
	if m.endToEnd {
		out, err = endToEnd(ctx, s, t, time.Duration(*seconds)*time.Second)
	} else {
		out, err = produce(ctx, s, t, int64(*gb*1e9), time.Duration(*seconds)*time.Second)
	}
	if err != nil {
		return beside.Outcome{}, fmt.Errorf("%s on %s: %w", m.name, s.name, err)
	}
	return out, s.remove(ctx, topic)
}

// line tells an outcome in one line.
func (m measure) line(o beside.Outcome) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-14s", m.name)
	for _, f := range m.figures {
		fmt.Fprintf(&b, "  %s %.3f", f.Name, o.Seen[f.Name])
	}
	fmt.Fprintf(&b, "  (others %.2f cores)", o.Others)
	return b.String()
}
