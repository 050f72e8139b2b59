package rest

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"ottla/internal/event/name"
	"ottla/internal/event/queue"
	"ottla/internal/event/schedule"
)

// DeadLetters is a queue that others give their dead letters to.
type DeadLetters struct {
	Queue string `json:"queue"`
	Topic string `json:"topic,omitempty"`
	// Sources are the queues, "schedule GROUP/NAME", "bus NAME", "rule BUS/NAME" and
	// "sns NAME".
	Sources []string `json:"sources"`
	// Reasons counts why the first thousand are there, where that was asked for.
	Reasons map[string]int `json:"reasons,omitempty"`
	// Counts are the queue's; nil where it does not exist any more.
	Counts *Counts `json:"counts,omitempty"`
}

// AllDeadLetters lists them, by name.
type AllDeadLetters struct {
	DeadLetters []DeadLetters `json:"dead_letters"`
}

// deadSources are queues for dead letters, and who names them.
type deadSources map[queue.Ref][]string

func (s deadSources) add(ref queue.Ref, source string) {
	if !slices.Contains(s[ref], source) { // targets of a rule may have one queue
		s[ref] = append(s[ref], source)
	}
}

// letterQueue is the queue that a field for dead letters names, by name or ARN.
func letterQueue(r *http.Request, text string) queue.Ref {
	text = strings.TrimPrefix(text, "queue:")
	if full, err := name.ParseARN(text); err == nil {
		return queue.RefOf(full)
	}
	return placed(r, text)
}

// listDeadLetters tells where dead letters go, and how many are there.
func (d *door) listDeadLetters(w http.ResponseWriter, r *http.Request) error {
	at := placed(r, "")
	sources := deadSources{}
	for after := ""; ; {
		found, next, err := d.Queues.List(r.Context(), at, after, maxPage)
		if err != nil {
			return err
		}
		for _, q := range found {
			if q.DeadLetter != nil {
				sources.add(queue.RefOf(q.DeadLetter.Queue.Full()), q.Name)
			}
		}
		if after = next; after == "" {
			break
		}
	}
	for _, more := range []func(*http.Request, deadSources) error{d.scheduleSources, d.busSources, d.snsSources} {
		if err := more(r, sources); err != nil {
			return err
		}
	}
	out := AllDeadLetters{DeadLetters: []DeadLetters{}}
	refs := slices.SortedFunc(maps.Keys(sources), func(a, b queue.Ref) int { return strings.Compare(a.Full().Key(), b.Full().Key()) })
	for _, ref := range refs {
		one := DeadLetters{Queue: ref.Name, Sources: sources[ref]}
		if err := d.countDead(r, ref, &one); err != nil {
			return err
		}
		out.DeadLetters = append(out.DeadLetters, one)
	}
	answer(w, http.StatusOK, out)
	return nil
}

// scheduleSources adds the schedules whose runs go to queues when they are given up.
func (d *door) scheduleSources(r *http.Request, into deadSources) error {
	at := placed(r, "")
	for after := ""; d.Schedules != nil; {
		found, next, err := d.Schedules.List(r.Context(), schedule.ListOptions{Account: at.Account, Region: at.Region, After: after, Most: maxPage})
		if err != nil {
			return err
		}
		for i := range found {
			if s := &found[i]; s.DeadLetters != "" {
				into.add(letterQueue(r, s.DeadLetters), "schedule "+s.Group+"/"+s.Name)
			}
		}
		if after = next; after == "" {
			break
		}
	}
	return nil
}

// busSources adds the buses and rules whose events go to queues when they are given
// up.
func (d *door) busSources(r *http.Request, into deadSources) error {
	if d.Buses == nil {
		return nil
	}
	for after := ""; ; {
		found, next, err := d.Buses.List(r.Context(), busRef(r, ""), after, maxPage)
		if err != nil {
			return err
		}
		for i := range found {
			if b := &found[i]; b.DeadLetters != "" {
				into.add(letterQueue(r, b.DeadLetters), "bus "+b.Name)
			}
		}
		if after = next; after == "" {
			break
		}
	}
	rules, err := d.Buses.AllRules(r.Context(), busRef(r, ""))
	if err != nil {
		return err
	}
	for i := range rules {
		x := &rules[i]
		for j := range x.Targets {
			if letters := x.Targets[j].DeadLetters; letters != "" {
				into.add(letterQueue(r, letters), "rule "+x.Bus+"/"+x.RuleRef.Name)
			}
		}
	}
	return nil
}

// snsSources adds the SNS topics that have subscriptions with a redrive policy.
func (d *door) snsSources(r *http.Request, into deadSources) error {
	for after := ""; d.SNS != nil; {
		found, next, err := d.SNS.Subscriptions(r.Context(), snsRef(r, ""), false, after, maxPage)
		if err != nil {
			return err
		}
		for i := range found {
			if ref := found[i].DeadLetters(); ref.Name != "" {
				into.add(queue.RefOf(ref), "sns "+found[i].TopicRef().Name)
			}
		}
		if after = next; after == "" {
			break
		}
	}
	return nil
}

func (d *door) countDead(r *http.Request, ref queue.Ref, into *DeadLetters) error {
	q, err := d.Queues.Get(r.Context(), ref)
	if errors.Is(err, queue.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	into.Topic = q.Topic
	s, err := d.Queues.Stats(r.Context(), ref)
	if err != nil {
		return err
	}
	into.Counts = countsOf(s)
	if r.URL.Query().Get("reasons") != "" {
		into.Reasons, err = d.reasonsOf(r, ref)
	}
	return err
}

func countsOf(s queue.Stats) *Counts {
	return &Counts{Waiting: s.Waiting, InFlight: s.InFlight, Delayed: s.Delayed, Dead: s.Dead, OldestMs: s.OldestMs}
}
