package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// sent is a record of the line.
type sent struct {
	id  string
	due time.Time
}

// came is a record of the topic that the line delivers to.
type came struct {
	id    string
	dated time.Time
}

// verdict is what became of all timers.
type verdict struct {
	stored, lost, doubled, foreign, early int
	examples                              []string
	late                                  []time.Duration // sorted: how long after its time each was dated
}

// mostExamples bounds what is told of broken promises.
const mostExamples = 5

func (v *verdict) note(count *int, format string, args ...any) {
	*count++
	if len(v.examples) < mostExamples {
		v.examples = append(v.examples, fmt.Sprintf(format, args...))
	}
}

// judge compares the line with what came out of it.
func judge(line []sent, topic []came) *verdict {
	v := &verdict{stored: len(line)}
	at := map[string]came{}
	for _, c := range topic {
		if first, twice := at[c.id]; twice {
			v.note(&v.doubled, "%s came twice, dated %v and %v", c.id, first.dated, c.dated)
		}
		at[c.id] = c
	}
	for _, s := range line {
		c, ok := at[s.id]
		switch {
		case !ok:
			v.note(&v.lost, "%s, due at %v, never came", s.id, s.due)
			continue
		case c.dated.Before(s.due):
			v.note(&v.early, "%s came at %v, before its time %v", s.id, c.dated, s.due)
		}
		v.late = append(v.late, c.dated.Sub(s.due))
		delete(at, s.id)
	}
	for id := range at {
		v.note(&v.foreign, "%s came, and was never stored", id)
	}
	slices.SortFunc(v.late, cmp.Compare)
	return v
}

// percentile is how late the given share of all was at most.
func (v *verdict) percentile(p float64) time.Duration {
	return percentile(v.late, p)
}

// String is the verdict in words.
func (v *verdict) String() string {
	return fmt.Sprintf("%d stored, %d lost, %d twice, %d never stored, %d early; dated after their time by p50 %v, p99 %v, at most %v",
		v.stored, v.lost, v.doubled, v.foreign, v.early, v.percentile(0.5), v.percentile(0.99), v.percentile(1))
}

// err is nil when every promise was kept.
func (v *verdict) err() error {
	if v.lost+v.doubled+v.foreign+v.early == 0 {
		return nil
	}
	errs := []error{errors.New("a promise is broken: " + v.String())}
	for _, e := range v.examples {
		errs = append(errs, errors.New(e))
	}
	return errors.Join(errs...)
}
