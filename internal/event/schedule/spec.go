package schedule

import (
	"encoding/json"
	"fmt"
	"time"

	"ottla/internal/event/object"
	"ottla/internal/event/schedule/course"
)

// Spec is what a schedule is told to be. It is stored as JSON, and doors take it
// so: names of fields stay. Times are milliseconds since 1970.
type Spec struct {
	// Expression is at(…), rate(…), cron(…), or a crontab's five or six fields:
	// see package cron.
	Expression string `json:"expression"`
	// Zone is the time zone that the expression means, by its IANA name; "" is
	// UTC.
	Zone string `json:"zone,omitempty"`
	// StartMs and EndMs bound its runs; 0 is no bound. A rate counts from
	// StartMs, else from when the schedule was made or changed.
	StartMs int64 `json:"start_ms,omitempty"`
	EndMs   int64 `json:"end_ms,omitempty"`
	// WindowMs lets a run begin at any moment of a window behind its time.
	WindowMs int64 `json:"window_ms,omitempty"`
	Paused   bool  `json:"paused,omitempty"`
	// Missed is what happens to runs whose time passed while no node was there:
	// all (also ""), last or none.
	Missed course.Missed `json:"missed,omitempty"`
	// DeleteAfter deletes the schedule when it has no run any more.
	DeleteAfter bool   `json:"delete_after,omitempty"`
	Description string `json:"description,omitempty"`
	Target      Target `json:"target"`
	Retry       Retry  `json:"retry"`
	// DeadLetters is the queue for runs that were given up, by name or ARN; ""
	// for none.
	DeadLetters string `json:"dead_letters,omitempty"`
	// Extra is what a door keeps with a schedule and nobody else reads.
	Extra json.RawMessage `json:"extra,omitempty"`
	// MadeBy names the request that made it, for doors whose requests may come twice;
	// see Create.
	MadeBy string `json:"made_by,omitempty"`
	// SinceMs is since when the timing is as it is. The Service sets it.
	SinceMs int64 `json:"since_ms,omitempty"`
}

// Target is where runs go: one of Topic, Queue, Bus, SNS, Function and URL. All but a
// topic and a URL are told by a name, in the schedule's account and region, or an ARN.
type Target struct {
	Topic string `json:"topic,omitempty"`
	Queue string `json:"queue,omitempty"`
	// Bus is an event bus: a run is an event of it, with Input as its detail.
	Bus string `json:"bus,omitempty"`
	// SNS is an SNS topic, to which a run is published.
	SNS string `json:"sns,omitempty"`
	// Function is one that the server's file declares, called with Input.
	Function string `json:"function,omitempty"`
	URL      string `json:"url,omitempty"`
	// Type and Source are those of a bus's event, which EventBridge calls detail-type
	// and source; a schedule has those that records of topics have where it says none.
	Type   string `json:"type,omitempty"`
	Source string `json:"source,omitempty"`
	// Key is the record's key, an event's partition key, and a message's group in a
	// FIFO queue or SNS topic.
	Key string `json:"key,omitempty"`
	// Method of an HTTP call; "" is POST.
	Method string `json:"method,omitempty"`
	// Headers of the record (a bus's too, beside the event), of the HTTP call, or
	// string attributes of the message.
	Headers map[string]string `json:"headers,omitempty"`
	// Input is what is delivered. <aws.scheduler.scheduled-time> and the other
	// keywords of EventBridge Scheduler in it are replaced.
	Input string `json:"input,omitempty"`
}

// Retry bounds the attempts of a run; AWS's values are the defaults.
type Retry struct {
	// Retries are attempts after the first, 0 to 185; nil is 185.
	Retries *int `json:"retries,omitempty"`
	// MaxAgeMs is since the first attempt, 60 000 to 86 400 000; 0 is the latter.
	MaxAgeMs int64 `json:"max_age_ms,omitempty"`
}

// Bounds and defaults, AWS's where it has them.
const (
	MostRetries    = 185
	LeastAgeMs     = 60_000
	MostAgeMs      = 86_400_000
	MostWindowMs   = 1440 * 60_000
	MostInput      = 256 << 10
	mostHeaders    = 50
	mostHeader     = 8 << 10 // name and value
	mostText       = 512     // of a description
	mostExtra      = 64 << 10
	mostMaker      = 200 // of MadeBy
	mostKey        = 1024
	mostURL        = 2048
	mostType       = 128 // characters, and mostSource, of a bus's event
	mostSource     = 256
	pastGraceMs    = 60_000  // at() may be so long ago when it is told
	mostNamesAtOne = 1000    // of a page
	mostPage       = 4 << 20 // bytes of one, beside its first
)

// Schedule is a schedule as it is.
type Schedule struct {
	Ref
	Spec
	ID                string // another for each that ever had the name
	Version           int64
	Created, Modified time.Time
}

// scheduleOf reads an object.
func scheduleOf(o object.Object) (Schedule, error) {
	s := Schedule{Ref: RefOf(o.Ref), ID: o.ID, Version: o.Version, Created: o.Created, Modified: o.Modified}
	if err := json.Unmarshal(o.Spec, &s.Spec); err != nil {
		return s, fmt.Errorf("read the definition of %s: %w", o.Ref, err)
	}
	return s, nil
}

// timing is what package course wants to know of it.
func (s Schedule) timing() (course.Timing, error) {
	t, err := s.Spec.timing()
	t.Seed = uint64(hash(s.ID))<<32 | uint64(hash(s.Name))
	return t, err
}

func (s Spec) timing() (course.Timing, error) {
	e, err := s.expression()
	if err != nil {
		return course.Timing{}, err
	}
	t := course.Timing{
		Expression: e, SinceMs: s.SinceMs, StartMs: s.StartMs, EndMs: s.EndMs, WindowMs: s.WindowMs, Paused: s.Paused,
		Missed: s.Missed, Retry: course.Retry{Most: MostRetries, MaxAgeMs: s.Retry.MaxAgeMs},
	}
	if s.Retry.Retries != nil {
		t.Retry.Most = *s.Retry.Retries
	}
	if t.Retry.MaxAgeMs == 0 {
		t.Retry.MaxAgeMs = MostAgeMs
	}
	if t.Missed == "" {
		t.Missed = course.All
	}
	return t, nil
}

// sameTiming tells whether two specs have their runs at the same times.
func sameTiming(a, b Spec) bool {
	return a.Expression == b.Expression && a.Zone == b.Zone && a.StartMs == b.StartMs && a.EndMs == b.EndMs
}

// Runs are the runs from a moment on that a spec has, at most n, without the
// window; none when it is paused.
func (s Spec) Runs(from time.Time, n int) ([]time.Time, error) {
	t, err := s.timing()
	if err != nil || t.Paused {
		return nil, err
	}
	var out []time.Time
	for at := from.UnixMilli() - 1; len(out) < n; {
		next, ok := course.After(t, at)
		if !ok {
			break
		}
		out = append(out, time.UnixMilli(next).In(t.Expression.Zone()))
		at = next
	}
	return out, nil
}
