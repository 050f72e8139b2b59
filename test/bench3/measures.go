//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// judged says which way a ratio counts.
type judged int8

const (
	reported judged = iota // it is told, and not judged
	lower                  // Ottla's must be at most so much of Kafka's
	higher                 // at least
)

// figure is one number of a measure.
type figure struct {
	name string
	way  judged
	goal float64 // bound of the ratio Ottla / Kafka
}

// seen are a run's numbers by their names.
type seen map[string]float64

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
	figures    []figure
}

// measures are in the order they run. The goals are those of equal promises
// (durability=replicated: acknowledged from the memory of the replicas in sync,
// which is all that Kafka ever promises), and of a promise that Kafka does not give
// (fsync on every replica in sync before the answer).
var measures = []measure{
	{name: "replicated", durability: "replicated", partitions: 8, figures: []figure{
		{figMBs, higher, 1}, {figPerGB, lower, 0.5}, {figP99, reported, 0}}},
	{name: "replicated-1", durability: "replicated", partitions: 1, figures: []figure{
		{figMBs, reported, 0}, {figPerGB, reported, 0}, {figP99, reported, 0}}},
	{name: "latency", durability: "replicated", partitions: 3, endToEnd: true, figures: []figure{
		{figP50, lower, 0.5}, {figP99, lower, 0.5}, {figPerRec, reported, 0}}},
	{name: "fsync", durability: "fsync", partitions: 8, disk: true, figures: []figure{
		{figPerGB, lower, 0.6}, {figMBs, reported, 0}, {figP99, reported, 0}}},
	{name: "fsync-latency", durability: "fsync", partitions: 3, endToEnd: true, figures: []figure{
		{figP99, lower, 1}, {figP50, reported, 0}, {figPerRec, reported, 0}}},
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
func (m measure) run(ctx context.Context, s *side, topic string) (outcome, error) {
	t, err := s.create(ctx, topic, m.partitions, m.durability)
	if err != nil {
		return outcome{}, fmt.Errorf("create topic %s on %s: %w", topic, s.name, err)
	}
	var out outcome
	if m.endToEnd {
		out, err = endToEnd(ctx, s, t, time.Duration(*seconds)*time.Second)
	} else {
		out, err = produce(ctx, s, t, int64(*gb*1e9), time.Duration(*seconds)*time.Second)
	}
	if err != nil {
		return outcome{}, fmt.Errorf("%s on %s: %w", m.name, s.name, err)
	}
	return out, s.remove(ctx, topic)
}

// outcome is what a run brought.
type outcome struct {
	seen   seen
	others float64 // cores that neither side nor the load took
}

// line tells an outcome in one line.
func (o outcome) line(m measure) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-14s", m.name)
	for _, f := range m.figures {
		fmt.Fprintf(&b, "  %s %.3f", f.name, o.seen[f.name])
	}
	fmt.Fprintf(&b, "  (others %.2f cores)", o.others)
	return b.String()
}
