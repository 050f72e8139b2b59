package lookback

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"ottla/internal/event/delivery"
	"ottla/internal/event/letter"
	"ottla/internal/event/name"
	"ottla/internal/event/outbound"
	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
	"ottla/internal/event/run"
)

// Bounds of what is looked for beside buses: pages of a queue, and letters of one.
const (
	mostPages   = 5
	mostLetters = 100
)

// aMinute allows for a clock that stamps events a little late.
const aMinute = 60_000

// beside adds the calls that were made of the event, and its dead letters.
func (t *trace) beside(ctx context.Context) error {
	since, calls := t.s.o.Now().UnixMilli(), map[string]bool{} // by the event's id
	queues := map[name.Ref][]string{}
	for _, f := range t.found {
		since = min(since, f.at.putMs)
		for _, x := range f.targets {
			calls[f.event.ID] = calls[f.event.ID] || x.plan.To.Kind == plan.Call
			for _, where := range f.letters {
				if x.dlq != (name.Ref{}) && !slices.Contains(queues[x.dlq], where) {
					queues[x.dlq] = append(queues[x.dlq], where)
				}
			}
		}
		if f.SNS == "" && (len(f.Rules) == 0 || slices.ContainsFunc(f.Rules, func(r Rule) bool { return r.Changed }) ||
			slices.ContainsFunc(f.Others, func(r Other) bool { return r.Changed })) {
			calls[f.event.ID] = true
		}
	}
	// A letter and its calls are written in one transaction: in this order, calls of a
	// letter that is told are as good as always told too.
	if err := t.letters(ctx, queues); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(calls)) {
		if !calls[id] {
			continue
		}
		if err := t.unread(ctx, "calls", t.calls(ctx, id, since-aMinute)); err != nil {
			return err
		}
	}
	for _, f := range t.found {
		for _, x := range f.targets {
			x.settle(t.s.o.Now().UnixMilli())
		}
	}
	return nil
}

// calls gives the calls of the event to their targets.
func (t *trace) calls(ctx context.Context, id string, since int64) error {
	all, err := t.s.o.Attempts(ctx, delivery.Query{Event: id, SinceMs: max(since, 0), Most: delivery.MostFound})
	if err != nil {
		return err
	}
	t.out.Cut = t.out.Cut || len(all) == delivery.MostFound
	for i := range all {
		a := Attempt{AtMs: all[i].AtMs, TookMs: all[i].TookMs, Number: all[i].Number, Delivery: all[i].Delivery, OK: all[i].OK, Status: all[i].Status, Code: all[i].Code, Why: all[i].Why}
		x := t.called(&all[i])
		if x == nil {
			a.Target = all[i].Target
			t.out.Former = append(t.out.Former, a)
			continue
		}
		a.Replay = a.Delivery != x.of.DeliveryID(x.plan)
		x.told.Attempts = append(x.told.Attempts, a)
	}
	return nil
}

// called is the target that a call was of: of a target that has the event more than
// once, the place that the call was for, or the first.
func (t *trace) called(a *delivery.Attempt) (first *target) {
	for _, f := range t.found {
		for _, x := range f.targets {
			switch {
			case x.plan.Key != a.Target:
			case x.of.DeliveryID(x.plan) == a.Delivery:
				return x
			case first == nil:
				first = x
			}
		}
	}
	return first
}

// letters gives the dead letters of the event to their targets; queues are told with the
// conditions that they fit.
func (t *trace) letters(ctx context.Context, queues map[name.Ref][]string) error {
	for _, ref := range slices.SortedFunc(maps.Keys(queues), func(a, b name.Ref) int { return strings.Compare(a.Key(), b.Key()) }) {
		for _, where := range queues[ref] {
			if err := t.lettersIn(ctx, ref, where); err != nil {
				return err
			}
		}
	}
	return nil
}

// lettersIn is letters for one queue and condition.
func (t *trace) lettersIn(ctx context.Context, ref name.Ref, where string) error {
	after := ""
	for range mostPages {
		found, next, err := t.s.o.Browse(ctx, queue.RefOf(ref), queue.BrowseOptions{Where: []string{where}, Max: mostLetters, After: after})
		if errors.Is(err, queue.ErrNotFound) || errors.Is(err, queue.ErrInvalid) {
			break // it is gone, or the id has what no condition has
		}
		if err != nil {
			if err := t.unread(ctx, "dead letters in "+ref.Name, err); err != nil {
				return err
			}
			break
		}
		for i := range found {
			t.give(ref, found[i].Letter)
		}
		if after = next; next == "" {
			break
		}
	}
	t.out.Cut = t.out.Cut || after != ""
	return nil
}

// give gives a letter to the target that it is of.
func (t *trace) give(in name.Ref, l *letter.Letter) {
	says := map[string]string{}
	for _, h := range l.Headers {
		says[h.Key] = string(h.Value)
	}
	for _, f := range t.found {
		for _, x := range f.targets {
			if x.dlq == in && x.wrote(says) {
				x.told.Letters = append(x.told.Letters, Letter{Queue: in.Name, Letter: l.Name(), AtMs: l.Time.UnixMilli(), Code: says["ERROR_CODE"], Why: says["ERROR_MESSAGE"]})
				return
			}
		}
	}
}

// wrote tells whether a letter is of a target: those of calls name the delivery, others
// the rule and where the event was to go.
func (x *target) wrote(says map[string]string) bool {
	if id := says["DELIVERY_ID"]; id != "" {
		return id == x.of.DeliveryID(x.plan)
	}
	return says["RULE_ARN"] == x.of.Rule.Ref.ARN() && says["TARGET_ARN"] == run.TargetARN(x.plan)
}

// settle says where a target is once its calls and letters are known.
func (x *target) settle(nowMs int64) {
	called := x.told.State == Queued || x.told.State == Disabled
	if n := len(x.told.Letters); n > 0 && (called || x.told.State == Sent || x.told.State == GivenUp) {
		l := x.told.Letters[n-1]
		x.say(Dead, l.Code+": "+l.Why)
		return
	}
	if !called {
		return
	}
	var first, last *Attempt
	for i := range x.told.Attempts {
		a := &x.told.Attempts[i]
		if a.Replay {
			continue
		}
		if first == nil {
			first = a
		}
		last = a
		if a.OK {
			x.say(Delivered, "")
			return
		}
	}
	switch r := x.plan.Retry; {
	case last == nil:
	case refused(last), r.Most >= 0 && last.Number > r.Most, r.MaxAgeMs > 0 && nowMs-first.AtMs > r.MaxAgeMs:
		x.say(GivenUp, last.Code+": "+last.Why)
	default:
		x.say(Failing, last.Code+": "+last.Why)
	}
}

// refused tells a call that is not made again: see outbound.Answer.Judge.
func refused(a *Attempt) bool {
	return a.Code == "ADDRESS_REFUSED" || a.Status > 0 && outbound.Answer{Status: a.Status}.Judge() == outbound.Refused
}
