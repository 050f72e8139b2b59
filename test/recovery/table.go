//go:build linux

package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// figure is one row: what was measured, how often, and what it should be.
type figure struct {
	part string // of the run, as -only names it
	what string
	goal float64 // 0: it is only told
	unit string
	got  []float64
}

// ms is the unit of times.
const ms = "ms"

// figures are all rows, in the order of the table. A name is what the trials
// call a row.
type figures struct {
	names []string
	rows  map[string]*figure
}

func newFigures() *figures {
	f := &figures{rows: map[string]*figure{}}
	add := func(name, part, what string, goal float64, unit string) {
		f.names = append(f.names, name)
		f.rows[name] = &figure{part: part, what: what, goal: goal, unit: unit}
	}
	add("kill direct", "kill", "writes again after kill -9 of the leader, direct", 0, ms)
	add("kill client", "kill", "… client", 3000, ms)
	add("kill follower", "kill", "writes again after kill -9 of a follower, direct", 0, ms)
	add("kill both direct", "kill", "writes again, the leader's node led the metadata too, direct", 0, ms)
	add("kill both client", "kill", "… client", 3000, ms)
	add("kill alter", "kill", "a setting can be changed after the controller's kill -9", 3000, ms)
	add("kill create", "kill", "a topic can be made and serves after the controller's kill -9", 3000, ms)
	add("kill classic", "kill", "a classic group consumes and commits after its coordinator's kill -9", 5000, ms)
	add("kill consumer", "kill", "a consumer group consumes and commits after its coordinator's kill -9", 5000, ms)
	add("patient default", "patient", "writes again after kill -9 of the leader, client with its defaults", 0, ms)
	add("patient classic", "patient", "… a classic group, client with its defaults", 0, ms)
	add("stop direct", "stop", "writes again after a graceful stop of the leader, direct", 0, ms)
	add("stop client", "stop", "… client", 500, ms)
	add("stop default", "stop", "… client, its defaults", 0, ms)
	add("stop alter", "stop", "a setting can be changed after a graceful stop of the controller", 0, ms)
	add("roll client", "stop", "longest gap of writes in a rolling restart, a node, client", 2000, ms)
	add("roll whole", "stop", "a node is stopped, started and in sync again", 0, ms)
	add("freeze direct", "freeze", "writes again after SIGSTOP of the leader, direct", 0, ms)
	add("freeze both", "freeze", "… the leader's node led the metadata too", 0, ms)
	add("cut direct", "cut", "writes again after the leader's node is cut off from the others, direct", 0, ms)
	add("cut client", "cut", "… client", 0, ms)
	add("cut classic", "cut", "a classic group whose coordinator is cut off reads all and commits again", 0, ms)
	add("cut consumer", "cut", "… a consumer group", 0, ms)
	add("cut classic default", "cut", "… a classic group, client with its defaults", 0, ms)
	add("many made", "many", "10,000 partition replicas are made and each has taken a write", 10_000, ms)
	add("many cpu", "many", "all three nodes at rest with them", 5, "% of a core")
	add("many asks", "many", "requests between two nodes at rest", 20, "a second")
	add("many memory", "many", "memory of a node with them", 0, "MB")
	add("many led", "many", "a node that led 1,000 and more is killed: all led elsewhere", 3000, ms)
	add("many written", "many", "… and each has taken a write", 0, ms)
	return f
}

// time adds a time to a row.
func (f *figures) time(name string, d time.Duration) {
	f.add(name, float64(d)/float64(time.Millisecond))
}

func (f *figures) add(name string, v float64) {
	row := f.rows[name]
	row.got = append(row.got, v)
}

// quantile of the values: the smallest that so many of them do not exceed.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(int(math.Ceil(q*float64(len(sorted)))), 1)-1]
}

// missed tells whether the goal is missed at the 99th percentile.
func (r *figure) missed() bool { return r.goal > 0 && quantile(r.got, 0.99) > r.goal }

// print writes the table and tells which rows missed their goal.
func (f *figures) print(w io.Writer) (missed []string) {
	line := strings.Repeat("-", 3)
	fmt.Fprintf(w, "| what | trials | median | p99 | longest | goal | unit |\n|%s|--:|--:|--:|--:|--:|%s|\n", line, line)
	for _, name := range f.names {
		r := f.rows[name]
		if len(r.got) == 0 {
			continue
		}
		goal := "–"
		if r.goal > 0 {
			goal = "≤ " + number(r.goal)
		}
		late := ""
		if r.missed() {
			missed = append(missed, name)
			late = " missed"
		}
		fmt.Fprintf(w, "| %s | %d | %s | %s | %s | %s%s | %s |\n", r.what, len(r.got),
			number(quantile(r.got, 0.5)), number(quantile(r.got, 0.99)), number(quantile(r.got, 1)), goal, late, r.unit)
	}
	return missed
}

// number has three digits at least, as far as they say something.
func number(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
