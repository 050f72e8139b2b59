package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"ottla/internal/cli/fail"
	"ottla/internal/cli/native"
	"ottla/internal/event/name"
	"ottla/internal/gateway/rest"
)

// Events are queues, their dead letters and schedules, as a node tells of them
// over HTTP.
type Events struct {
	Queues    []rest.Queue
	Again     map[string]int32 // of queues without dead letters: how often a message was taken that is not done, at most
	Dead      []rest.DeadLetters
	Fresh     map[string]int // of queues for dead letters: letters that came within a day, at most maxFresh
	Schedules []rest.Schedule
	// Buses and SNS are the names that there are, of the default place; nil where no
	// schedule goes to one.
	Buses, SNS []string
}

// Bounds of what is asked.
const (
	maxLooked = 200  // queues that are looked into
	maxFresh  = 1000 // letters of a queue that are counted
)

// events asks the node; one that is of an earlier release, or refuses, has none.
func (f *Facts) events(ctx context.Context, s Sources) {
	if s.HTTP == "" {
		f.Missing["events"] = "the node's HTTP address is not known: give --http HOST:PORT"
		return
	}
	e := &Events{Again: map[string]int32{}, Fresh: map[string]int{}}
	c := native.New(s.HTTP, s.Timeout)
	ask := func(path string, query url.Values, into any) error {
		ctx, cancel := context.WithTimeout(ctx, s.Timeout)
		defer cancel()
		return c.Do(ctx, "ask for "+path, http.MethodGet, path, query, nil, into)
	}
	if err := e.gather(ask); err != nil {
		f.Missing["events"] = err.Error()
		return
	}
	f.Events = e
}

func (e *Events) gather(ask func(path string, query url.Values, into any) error) error {
	var queues rest.Queues
	if err := ask("/q", url.Values{"max": {"1000"}}, &queues); err != nil {
		return err
	}
	e.Queues = queues.Queues
	looked := 0
	for i := range e.Queues {
		q := &e.Queues[i]
		if looked++; q.DeadLetter != nil || looked > maxLooked {
			continue
		}
		var x rest.Explained
		if err := ask(native.Path("q", q.Name, "explain"), nil, &x); err == nil {
			e.Again[q.Name] = x.MostTaken
		} else if fail.CodeOf(err) != fail.NotFound { // it was deleted meanwhile
			return err
		}
	}
	var dead rest.AllDeadLetters
	if err := ask("/dlq", url.Values{"reasons": {"true"}}, &dead); err != nil {
		return err
	}
	e.Dead = dead.DeadLetters
	for i := range e.Dead {
		d := &e.Dead[i]
		if d.Counts == nil || d.Counts.Waiting == 0 || i >= maxLooked {
			continue
		}
		var fresh rest.Letters
		if err := ask(native.Path("q", d.Queue, "messages"), url.Values{"where": {"newer=24h"}, "max": {fmt.Sprint(maxFresh)}}, &fresh); err == nil {
			e.Fresh[d.Queue] = len(fresh.Letters)
		} else if fail.CodeOf(err) != fail.NotFound {
			return err
		}
	}
	var schedules rest.Schedules
	if err := ask("/schedule", url.Values{"max": {"1000"}}, &schedules); err != nil {
		return err
	}
	e.Schedules = schedules.Schedules
	return e.places(ask)
}

// places asks for the buses and SNS topics, where schedules go to any.
func (e *Events) places(ask func(path string, query url.Values, into any) error) error {
	if slices.ContainsFunc(e.Schedules, func(s rest.Schedule) bool { return s.Target.Bus != "" }) {
		var buses rest.Buses
		if err := ask("/bus", url.Values{"max": {"1000"}}, &buses); err != nil {
			return err
		}
		for i := range buses.Buses {
			e.Buses = append(e.Buses, buses.Buses[i].Name)
		}
	}
	if slices.ContainsFunc(e.Schedules, func(s rest.Schedule) bool { return s.Target.SNS != "" }) {
		var topics rest.SNSTopics
		if err := ask("/sns", url.Values{"max": {"1000"}}, &topics); err != nil {
			return err
		}
		for i := range topics.Topics {
			e.SNS = append(e.SNS, topics.Topics[i].Name)
		}
	}
	return nil
}

// noEvents is the finding where nothing is known of them.
func (f *Facts) noEvents() []Finding {
	if f.Events != nil {
		return nil
	}
	return []Finding{skipped("queues and schedules are not told: %s", f.Missing["events"])}
}

// oftenTaken is how often a message is taken before that is worth a word.
const oftenTaken = 5

// takenAgain looks for queues without dead letters whose messages come back again
// and again.
func takenAgain(f *Facts) []Finding {
	if none := f.noEvents(); none != nil {
		return none
	}
	var found []Finding
	for i := range f.Events.Queues {
		q := &f.Events.Queues[i]
		if n := f.Events.Again[q.Name]; n >= oftenTaken {
			found = append(found, Finding{Status: Warn, Evidence: fmt.Sprintf("queue %s has no dead letters, and a message of it was taken %d times", q.Name, n),
				Fix: "ottla queue explain " + q.Name + " tells which; ottla queue alter " + q.Name + " --dead-letters QUEUE --max-receives 5 puts such aside"})
		}
	}
	if len(found) == 0 {
		return []Finding{well("%d queues", len(f.Events.Queues))}
	}
	return found
}

// deadLetters looks for queues for dead letters that are gone, and that grow.
func deadLetters(f *Facts) []Finding {
	if none := f.noEvents(); none != nil {
		return none
	}
	var found []Finding
	for i := range f.Events.Dead {
		d := &f.Events.Dead[i]
		switch n := f.Events.Fresh[d.Queue]; {
		case d.Counts == nil:
			found = append(found, Finding{Status: Fail, Evidence: fmt.Sprintf("the queue %s, which takes the dead letters of %s, is not there", d.Queue, few(d.Sources)),
				Fix: "ottla queue create " + d.Queue})
		case n > 0:
			more := ""
			if n == maxFresh {
				more = " or more"
			}
			found = append(found, Finding{Status: Warn, Evidence: fmt.Sprintf("%d%s dead letters of %s came into %s within a day, and %d wait there%s", n, more, few(d.Sources), d.Queue, d.Counts.Waiting, mostly(d.Reasons)),
				Fix: "ottla dlq show " + d.Queue + " --where newer=24h, then ottla dlq redrive " + d.Queue})
		}
	}
	if len(found) == 0 {
		return []Finding{well("none came within a day")}
	}
	return found
}

// mostly says the commonest reason.
func mostly(reasons map[string]int) string {
	best := ""
	for reason, n := range reasons {
		if m := reasons[best]; n > m || n == m && reason < best {
			best = reason
		}
	}
	if best == "" {
		return ""
	}
	return " (" + best + ")"
}

// lateTimers looks at how late timers were since the node began.
func lateTimers(f *Facts) []Finding {
	if why, missing := f.Missing["process"]; missing {
		return []Finding{skipped("%s", why)}
	}
	const within = "ottla_timers_lateness_seconds"
	all, intime := f.Process[within+"_count"], f.Process[within+`_bucket{le="5"}`]
	due, failed := f.Process[`ottla_timers_pending{state="due"}`], f.Process["ottla_timers_failed_total"]
	var found []Finding
	if late := all - intime; late > 0 {
		found = append(found, Finding{Status: Warn, Evidence: fmt.Sprintf("%.0f of %.0f timers since the node began were more than 5 s late", late, all),
			Fix: "a node was away, or has too much to do: see ottla_timers_lateness_seconds, and \"ottla doctor --only D03,D09\""})
	}
	if due >= 1000 {
		found = append(found, Finding{Status: Warn, Evidence: fmt.Sprintf("%.0f timers are due and not appended yet", due),
			Fix: "see ottla_timers_batches_failed_total and the node's log: the topics that they are for may have no leader"})
	}
	if failed > 0 {
		found = append(found, Finding{Status: Warn, Evidence: fmt.Sprintf("%.0f timers were given up since the node began: their topic is gone, or takes their record not", failed),
			Fix: "the node's log names them"})
	}
	if len(found) == 0 {
		return []Finding{well("%.0f timers since the node began, none more than 5 s late", all)}
	}
	return found
}

// schedules looks for targets that are gone, and for runs that were given up.
func schedules(f *Facts) []Finding {
	if none := f.noEvents(); none != nil {
		return none
	}
	var found []Finding
	for i := range f.Events.Schedules {
		s := &f.Events.Schedules[i]
		if gone := f.goneTarget(s); gone != "" && !s.Paused {
			found = append(found, Finding{Status: Fail, Evidence: fmt.Sprintf("schedule %s/%s: %s is not there: its runs fail", s.Group, s.Name, gone),
				Fix: "make it anew, or ottla schedule pause " + s.Name + ofGroup(s.Group)})
		}
		if s.DeadLetters != "" && !f.hasQueue(s.DeadLetters) {
			found = append(found, Finding{Status: Warn, Evidence: fmt.Sprintf("schedule %s/%s: the queue %s for runs that are given up is not there", s.Group, s.Name, s.DeadLetters),
				Fix: "ottla queue create " + s.DeadLetters})
		}
	}
	if n := f.Process["ottla_schedule_runs_failed_total"]; n > 0 {
		found = append(found, Finding{Status: Warn, Evidence: fmt.Sprintf("%.0f runs of schedules were given up since the node began", n),
			Fix: "the node's log names them and says why; ottla dlq list shows those that are kept"})
	}
	if len(found) == 0 {
		return []Finding{well("%d schedules", len(f.Events.Schedules))}
	}
	return found
}

// ofGroup is the flag of a schedule's group, where it needs one.
func ofGroup(group string) string {
	if group == "default" {
		return ""
	}
	return " --group " + group
}

// goneTarget says what of a schedule's target is not there; "" when all is.
func (f *Facts) goneTarget(s *rest.Schedule) string {
	switch {
	case s.Target.Topic != "" && len(f.Metadata.Topics) > 0 && !f.Metadata.Topics.Has(s.Target.Topic):
		return "the topic " + s.Target.Topic
	case s.Target.Queue != "" && !f.hasQueue(s.Target.Queue):
		return "the queue " + s.Target.Queue
	case s.Target.Bus != "" && !among(f.Events.Buses, s.Target.Bus):
		return "the bus " + s.Target.Bus
	case s.Target.SNS != "" && !among(f.Events.SNS, s.Target.SNS):
		return "the SNS topic " + s.Target.SNS
	}
	return ""
}

// hasQueue tells whether a queue is there.
func (f *Facts) hasQueue(called string) bool {
	var names []string
	for i := range f.Events.Queues {
		names = append(names, f.Events.Queues[i].Name)
	}
	return among(names, called)
}

// mostNames is how many of a kind are asked for; where there are as many, others may be.
const mostNames = 1000

// among tells whether an object is one of those of a kind that are there, by its name or
// ARN; of those of other places nothing is known.
func among(names []string, called string) bool {
	if strings.HasPrefix(called, "arn:") {
		r, err := name.ParseARN(called)
		if err != nil || !r.Home() {
			return true
		}
		called = r.Name
	}
	return len(names) >= mostNames || slices.Contains(names, called)
}
