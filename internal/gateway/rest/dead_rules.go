package rest

import (
	"net/http"
	"slices"
	"strings"

	"ottla/internal/event/name"
	"ottla/internal/event/queue"
)

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
