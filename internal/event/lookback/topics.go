package lookback

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/bus"
	"ottla/internal/event/name"
	stored "ottla/internal/event/place"
	"ottla/internal/event/plan"
	"ottla/internal/event/run"
	"ottla/internal/event/sns"
	"ottla/internal/event/sns/notice"
)

// publish notes that a target published the event by SNS.
func (t *trace) publish(x *target) {
	if t.s.o.Topics == nil {
		return
	}
	of := t.topics[x.plan.To.Ref]
	if of == nil {
		of = map[string]*target{}
		t.topics[x.plan.To.Ref] = of
	}
	of[sns.MessageID(x.plan, x.of)] = x
}

// published looks into SNS topics for what rules published of the event; where it is on
// no bus, for a message of its id.
func (t *trace) published(ctx context.Context) error {
	if t.s.o.Topics == nil {
		return nil
	}
	if len(t.found) == 0 && t.q.Bus.Name == "" {
		if err := t.anywhere(ctx); err != nil {
			return err
		}
	}
	if len(t.topics) == 0 {
		return nil
	}
	if err := t.unread(ctx, "SNS topics", t.s.o.Topics.Current(ctx)); err != nil {
		return err
	}
	for _, ref := range sortedRefs(t.topics) {
		if err := t.lookAtTopic(ctx, ref, t.topics[ref]); err != nil {
			return err
		}
	}
	return nil
}

// anywhere has all SNS topics of the place looked into.
func (t *trace) anywhere(ctx context.Context) error {
	at := t.q.Bus.Full()
	for after := ""; ; {
		page, next, err := t.s.o.Topics.List(ctx, name.Ref{Kind: name.SNS, Account: at.Account, Region: at.Region}, after, pageOfBuses)
		if err != nil {
			return t.unread(ctx, "SNS topics", err)
		}
		for i := range page {
			t.topics[page[i].Ref] = map[string]*target{t.q.ID: nil}
		}
		if after = next; next == "" {
			return nil
		}
	}
}

func sortedRefs[V any](m map[name.Ref]V) (all []name.Ref) {
	for ref := range m {
		all = append(all, ref)
	}
	slices.SortFunc(all, func(a, b name.Ref) int { return strings.Compare(a.Key(), b.Key()) })
	return all
}

// lookAtTopic looks into an SNS topic for messages of some ids, by who published them.
func (t *trace) lookAtTopic(ctx context.Context, ref name.Ref, ids map[string]*target) error {
	topic, there := t.s.o.Topics.TopicOf(ref)
	if !there {
		return nil
	}
	src := &plan.Source{Ref: ref, Topic: topic}
	if all, i := t.s.o.Topics.Sources(), 0; len(all) > 0 {
		if i = slices.IndexFunc(all, func(s *plan.Source) bool { return s.Ref == ref }); i >= 0 {
			src = all[i]
		}
	}
	var here []*found
	var raws []*plan.Raw
	err := t.s.records(ctx, topic, t.w, func(at place, r *kgo.Record) {
		raw := &plan.Raw{Key: r.Key, Value: r.Value, Headers: stored.Headers(r), TimeMs: at.putMs}
		m := notice.Read(raw)
		by, wanted := ids[m.ID]
		switch {
		case !wanted:
		case len(t.found)+len(here) >= mostFound:
			t.out.Cut = true
		default:
			here, raws = append(here, t.message(ref, at, r, m.ID, by)), append(raws, raw)
		}
	})
	if err := t.unread(ctx, "SNS topic "+ref.Name, err); err != nil || len(here) == 0 {
		return err
	}
	subs, _, err := t.s.o.Topics.Subscriptions(ctx, ref, true, "", 1<<30)
	if err != nil {
		return t.unread(ctx, "subscriptions of SNS topic "+ref.Name, err)
	}
	var cursors []run.Cursor
	if t.s.o.Cursors != nil && src.ID != "" {
		if cursors, err = t.s.o.Cursors(ctx, src); err != nil {
			return unavailable("how far "+ref.String()+" is", err)
		}
	}
	for i, f := range here {
		t.distribute(f, raws[i], src, subs, cursors)
	}
	t.found = append(t.found, here...)
	return nil
}

// message is what an SNS topic has of the event.
func (t *trace) message(ref name.Ref, at place, r *kgo.Record, id string, by *target) *found {
	f := &found{at: at, event: stored.Event(r), publisher: by, Found: Found{
		SNS: ref.Name, Message: id, Topic: at.topic, Partition: at.partition, Offset: at.offset, PutMs: at.putMs, Rules: []Rule{},
	}}
	// Notifications name the message; raw ones are what the rule sent, the event mostly.
	if f.letters = []string{"body.MessageId=" + id}; by != nil {
		f.From, f.Hops = by.from.Bus, by.from.Hops+1
		f.letters = append(f.letters, "body.id="+t.q.ID)
	}
	return f
}

// distribute tells which subscriptions take a message, and where they are with it.
func (t *trace) distribute(f *found, raw *plan.Raw, src *plan.Source, subs []sns.Subscription, cursors []run.Cursor) {
	var doc []byte
	var fits []int
	if src.Document != nil {
		doc = src.Document(nil, raw)
		fits, _ = src.Match(nil, doc) // what cannot be matched is nobody's
	}
	at, cursor := indexes(src), cursorOf(cursors, f.at.partition)
	for i := range subs {
		s := &subs[i]
		_, called, _ := name.Split(s.Ref.Name)
		changed := s.Modified.UnixMilli() > f.at.putMs
		k, known := at[s.Ref]
		if !known || !slices.Contains(fits, k) {
			if len(f.Others) < mostOthers {
				f.Others = append(f.Others, Other{called, changed, whyNotTo(s, known, doc)})
			}
			continue
		}
		g := src.Rules[k].Targets[0]
		f.Rules = append(f.Rules, Rule{Name: called, ModifiedMs: s.Modified.UnixMilli(), Changed: changed, Targets: []Target{{ID: s.Protocol, To: s.Endpoint, State: Unknown}}})
		x := &target{plan: g, told: &f.Rules[len(f.Rules)-1].Targets[0], dlq: g.DeadLetters, from: f}
		x.of = &plan.Event{Event: f.event, Doc: doc, Raw: raw, Source: src, Rule: src.Rules[k], Topic: f.at.topic, Partition: f.at.partition, Offset: f.at.offset}
		x.stand(cursor, &bus.Rule{}, &bus.Target{})
		switch x.told.State {
		case Late:
			x.say(Late, "the subscription came after the message")
		case Unknown:
			x.say(Unknown, "no node has run the topic yet")
		}
		f.targets = append(f.targets, x)
	}
}

// whyNotTo says why a subscription does not take a message.
func whyNotTo(s *sns.Subscription, known bool, doc []byte) string {
	switch {
	case s.Pending:
		return "nobody has confirmed it yet"
	case !known:
		return "this node does not run it yet"
	}
	p, err := notice.ParseFilter(s.Scope(), s.Attributes[sns.FilterPolicy])
	if err != nil || p == nil {
		return "its filter policy cannot be read"
	}
	x, err := p.Explain(doc)
	if err != nil {
		return "the message cannot be matched: " + err.Error()
	}
	_, field, _ := strings.Cut(x.Path, ".") // the first part is where the document has it
	of := "attribute"
	if s.Scope() == notice.ScopeBody {
		of = "the body's"
	}
	got := "nothing"
	if len(x.Got) > 0 {
		got = strings.Join(x.Got, ", ")
	}
	return fmt.Sprintf("its filter policy wants %s %s to be %s; got %s", of, field, strings.Join(x.Wanted, ", "), got)
}
