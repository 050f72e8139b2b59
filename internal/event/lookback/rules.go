package lookback

import (
	"fmt"
	"slices"
	"strings"

	"ottla/internal/event/bus"
	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/run"
	"ottla/internal/event/run/course"
)

// mostOthers bounds the rules that do not take an event and are told.
const mostOthers = 100

// indexes are those of rules in a source.
func indexes(src *plan.Source) map[name.Ref]int {
	out := make(map[name.Ref]int, len(src.Rules))
	for i, r := range src.Rules {
		out[r.Ref] = i
	}
	return out
}

// judge tells which rules take an event, and where their targets are.
func (t *trace) judge(f *found, src *plan.Source, index map[name.Ref]int, rules []bus.Rule, cursors []run.Cursor) {
	doc := f.event.AppendDocument(nil)
	fits, err := src.Match(nil, doc)
	if err != nil {
		return // it became a dead letter of the bus: no rule can take it
	}
	cursor := cursorOf(cursors, f.at.partition)
	for i := range rules {
		r := &rules[i]
		at, known := index[r.RuleRef.Full()]
		changed := r.Modified.UnixMilli() > f.at.putMs
		if !known || !slices.Contains(fits, at) {
			if len(f.Others) < mostOthers {
				f.Others = append(f.Others, Other{r.RuleRef.Name, changed, whyNot(r, doc)})
			}
			continue
		}
		f.Rules = append(f.Rules, Rule{Name: r.RuleRef.Name, ModifiedMs: r.Modified.UnixMilli(), Changed: changed, Targets: make([]Target, len(r.Targets))})
		told := &f.Rules[len(f.Rules)-1]
		for k := range r.Targets {
			g := planOf(src.Rules[at], r.Targets[k].ID)
			told.Targets[k] = Target{ID: r.Targets[k].ID, To: r.Targets[k].To, State: Unknown}
			if g == nil {
				continue // this node does not know of it yet
			}
			x := &target{plan: g, told: &told.Targets[k], dlq: g.DeadLetters, from: f}
			x.of = &plan.Event{Event: f.event, Doc: doc, Source: src, Rule: src.Rules[at], Topic: f.at.topic, Partition: f.at.partition, Offset: f.at.offset}
			if x.dlq == (name.Ref{}) {
				x.dlq = src.DeadLetters
			}
			x.stand(cursor, r, &r.Targets[k])
			f.targets = append(f.targets, x)
			switch {
			case g.To.Kind == plan.Bus:
				t.enter(bus.RefOf(g.To.Ref))
			case g.To.Kind == plan.SNS && x.told.State == Sent:
				t.publish(x)
			}
		}
	}
}

// whyNot says why a rule does not take an event.
func whyNot(r *bus.Rule, doc []byte) string {
	if r.Pattern == "" {
		return "it takes the runs of its schedule alone"
	}
	p, err := bus.ParsePattern(r.Pattern)
	if err != nil {
		return err.Error()
	}
	x, err := p.Explain(doc)
	switch {
	case err != nil:
		return err.Error()
	case x.Matched && r.Disabled:
		return "it is disabled"
	case x.Matched:
		return "it fits, and this node does not run the rule yet"
	}
	first, _, _ := strings.Cut(x.String(), "\n")
	return first
}

func cursorOf(all []run.Cursor, partition int32) run.Cursor {
	for _, c := range all {
		if c.Partition == partition {
			return c
		}
	}
	return run.Cursor{Partition: partition}
}

func planOf(r *plan.Rule, id string) *plan.Target {
	for _, g := range r.Targets {
		if g.ID == id {
			return g
		}
	}
	return nil
}

// stand tells where a target is by the cursor of its partition.
func (x *target) stand(c run.Cursor, r *bus.Rule, t *bus.Target) {
	offset, at := x.of.Offset, c.At
	b, apart := c.Branches[course.Name{Target: x.plan.Key}]
	if apart {
		at = b.At
	}
	began := from(x.plan.From, c.Partition)
	if taken, ok := c.Rules[x.of.Rule.Ref.Key()]; ok && taken.ID == x.of.Rule.ID {
		began = max(began, taken.Targets[x.plan.ID])
	}
	switch {
	case offset < began:
		x.say(Late, "the rule or the target came after the event, or was enabled after it")
	case !c.Known && !apart:
		x.say(Unknown, "no node has run the bus yet")
	case offset < at:
		x.passed(t)
	case r.Paused:
		x.say(Paused, "the rule is paused")
	case apart && b.Attempts > 0 && b.At == offset:
		x.say(Failing, fmt.Sprintf("tried %s: %s", times(b.Attempts), b.Why))
	case apart && b.Attempts > 0:
		x.say(Waiting, fmt.Sprintf("%d events are before it, and the first is not taken: %s", offset-b.At, b.Why))
	default:
		x.say(Waiting, fmt.Sprintf("%d events are before it", offset-at))
	}
}

// passed tells of a target whose cursor is beyond the event.
func (x *target) passed(t *bus.Target) {
	_, err := x.plan.Render(x.of)
	switch {
	case err != nil:
		x.say(GivenUp, "the transform fails: "+err.Error())
	case x.plan.To.Kind != plan.Call:
		x.say(Sent, "")
	case t.Disabled != "":
		x.say(Disabled, t.Disabled)
	default:
		x.say(Queued, "no call is noted")
	}
}

func (x *target) say(state, why string) { x.told.State, x.told.Why = state, why }

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
