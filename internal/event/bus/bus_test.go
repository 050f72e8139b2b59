package bus_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/bus"
	"ottla/internal/event/object"
)

func shop() bus.Ref { return bus.Ref{Name: "shop"} }

func TestABusesLife(t *testing.T) {
	r := newRig(t)
	all, next, err := r.buses.List(r.ctx, bus.Ref{}, "", 10)
	if err != nil || len(all) != 1 || all[0].Name != bus.Default || next != "" {
		t.Fatalf("at first: %+v, %q, %v", all, next, err)
	}
	b, err := r.buses.Create(r.ctx, shop(), bus.Spec{Description: "orders", Partitions: 3})
	if err != nil || b.Topic != "shop" || b.Adopted || r.o.Partitions("shop") != 3 {
		t.Fatalf("created: %+v, %v", b, err)
	}
	if _, err := r.buses.Create(r.ctx, shop(), bus.Spec{}); !errors.Is(err, bus.ErrExists) {
		t.Errorf("made twice: %v", err)
	}
	b, err = r.buses.Update(r.ctx, shop(), func(s *bus.Spec) error { s.RetentionMs = -1; return nil })
	if err != nil || b.RetentionMs != -1 || b.Description != "orders" {
		t.Errorf("changed: %+v, %v", b, err)
	}
	all, _, err = r.buses.List(r.ctx, bus.Ref{}, "", 10)
	if err != nil || len(all) != 2 || all[0].Name != bus.Default || all[1].Name != "shop" {
		t.Errorf("both: %+v, %v", all, err)
	}
	r.rule(shop().Rule("all"), `{"source":[{"prefix":""}]}`)
	if err := r.buses.Delete(r.ctx, shop(), false); !errors.Is(err, bus.ErrInUse) {
		t.Errorf("deleted with a rule: %v", err)
	}
	r.must(r.buses.Delete(r.ctx, shop(), true))
	if _, err := r.buses.Get(r.ctx, shop()); !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("after it was deleted: %v", err)
	}
	if n := r.o.Partitions("shop"); n != 0 {
		t.Errorf("its topic has %d partitions", n)
	}
	if err := r.buses.Delete(r.ctx, bus.Ref{}, true); !errors.Is(err, bus.ErrInvalid) {
		t.Errorf("the default bus was deleted: %v", err)
	}
}

func TestABusAdoptsATopic(t *testing.T) {
	r := newRig(t)
	r.topic("orders")
	b, err := r.buses.Create(r.ctx, shop(), bus.Spec{Topic: "orders"})
	if err != nil || !b.Adopted || b.Topic != "orders" {
		t.Fatalf("%+v, %v", b, err)
	}
	if _, err := r.buses.Create(r.ctx, bus.Ref{Name: "other"}, bus.Spec{Topic: "orders"}); !errors.Is(err, bus.ErrInvalid) {
		t.Errorf("two buses have one topic: %v", err)
	}
	if other, err := r.buses.Create(r.ctx, bus.Ref{Name: "orders"}, bus.Spec{}); err != nil || other.Topic != "bus.us-east-1.orders" {
		t.Errorf("a bus whose name is another's topic: %+v, %v", other, err)
	}
	r.must(r.buses.Delete(r.ctx, shop(), false))
	if r.o.Partitions("orders") != 1 {
		t.Error("the topic went with the bus that adopted it")
	}
}

// A bus that is called as a topic of the cluster's own has another topic.
func TestABusHasNoTopicOfTheClustersOwn(t *testing.T) {
	r := newRig(t)
	_, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
	r.must(err)
	own := bus.Ref{Name: object.Topic}
	if r.o.Partitions(own.Name) == 0 {
		t.Fatalf("there is no topic %s", own.Name)
	}
	b, err := r.buses.Create(r.ctx, own, bus.Spec{})
	if err != nil || b.Adopted || b.Topic != "bus.us-east-1."+object.Topic {
		t.Errorf("%+v, %v", b, err)
	}
	if got := r.put(own, "app", "OrderPlaced", `{}`); got.Topic != b.Topic {
		t.Errorf("its events lie in %s", got.Topic)
	}
}

func TestEventsThatWerePutAreRecords(t *testing.T) {
	r := newRig(t)
	got := r.put(bus.Ref{}, "app.shop", "OrderPlaced", `{"id":1}`)
	if got.Topic != "default" || got.Offset != 0 || got.ID == "" {
		t.Errorf("%+v", got)
	}
	r.kafka.AddConsumePartitions(map[string]map[int32]kgo.Offset{"default": {0: kgo.NewOffset().AtStart()}})
	rec := r.kafka.PollRecords(r.ctx, 1).Records()[0]
	headers := map[string]string{}
	for _, h := range rec.Headers {
		headers[h.Key] = string(h.Value)
	}
	if string(rec.Value) != `{"id":1}` || headers["ce_id"] != got.ID || headers["ce_source"] != "app.shop" || headers["ce_type"] != "OrderPlaced" || headers["ce_time"] == "" {
		t.Errorf("%s with %v", rec.Value, headers)
	}
	results := r.buses.Put(r.ctx, []bus.Entry{
		{Bus: bus.Ref{Name: "none"}, Event: event("a", "b", `{}`)}, {Event: event("", "b", `{}`)},
		{Event: event("a", "b", fmt.Sprintf(`%q`, make([]byte, bus.MaxEventBytes)))}, {Event: event("a", "b", `{}`)},
	})
	for i, want := range []error{bus.ErrNotFound, bus.ErrInvalid, bus.ErrTooLarge, nil} {
		if !errors.Is(results[i].Err, want) {
			t.Errorf("entry %d: %v, want %v", i, results[i].Err, want)
		}
	}
}

// A topic refuses a batch that is larger than it takes, whole.
func TestEventsThatFitArePutHoweverManyComeAtOnce(t *testing.T) {
	r := newRig(t, func(o *bus.Options) {
		o.MostBytes = func(topic string) int {
			if topic == "narrow" {
				return 100_000
			}
			return bus.MaxEventBytes + 128<<10
		}
	})
	most := "100000"
	made, err := kadm.NewClient(r.kafka).CreateTopic(r.ctx, 1, -1, map[string]*string{"max.message.bytes": &most}, "narrow")
	r.must(err)
	r.must(made.Err)
	_, err = r.buses.Create(r.ctx, bus.Ref{Name: "narrow"}, bus.Spec{})
	r.must(err)
	large := func(to string, size int) bus.Entry {
		return bus.Entry{Bus: bus.Ref{Name: to}, Event: event("app", "Large", `"`+strings.Repeat("x", size)+`"`)}
	}
	for to, size := range map[string]int{bus.Default: 500 << 10, "narrow": 50_000} {
		var entries []bus.Entry
		for range 8 {
			entries = append(entries, large(to, size))
		}
		for i, got := range r.buses.Put(r.ctx, entries) {
			if got.Err != nil || got.Offset != int64(i) {
				t.Errorf("event %d of bus %s: at %d, %v", i, to, got.Offset, got.Err)
			}
		}
	}
	if got := r.buses.Put(r.ctx, []bus.Entry{large("narrow", 100_000)}); !errors.Is(got[0].Err, bus.ErrTooLarge) {
		t.Errorf("an event that the topic does not take: %v", got[0].Err)
	}
}

// The client that puts has known the topic of the bus that was deleted.
func TestABusThatIsMadeAgainTakesEvents(t *testing.T) {
	r := newRig(t)
	for i := range 3 {
		_, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
		r.must(err)
		if got := r.put(shop(), "app", "OrderPlaced", `{}`); got.Offset != 0 {
			t.Errorf("the first event of bus %d lies at %d", i, got.Offset)
		}
		r.must(r.buses.Delete(r.ctx, shop(), false))
	}
}

func TestARulesLife(t *testing.T) {
	r := newRig(t)
	ref := bus.Ref{}.Rule("orders")
	if _, err := r.buses.UpdateRule(r.ctx, ref, func(*bus.RuleSpec) error { return nil }); !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("a rule that is not there was changed: %v", err)
	}
	r.put(bus.Ref{}, "app", "Before", `{}`)
	rule := r.rule(ref, `{"source":["app"]}`)
	if !slices.Equal(rule.From, []int64{1}) {
		t.Errorf("it holds from %v, want from behind what was put before", rule.From)
	}
	r.put(bus.Ref{}, "app", "Between", `{}`)
	r.topic("jobs")
	rule = r.rule(ref, `{"source":["app"]}`, bus.Target{ID: "jobs", To: "topic:jobs"})
	if !slices.Equal(rule.From, []int64{1}) || !slices.Equal(rule.Targets[0].From, []int64{2}) {
		t.Errorf("rule from %v, target from %v", rule.From, rule.Targets[0].From)
	}
	again := r.rule(ref, `{"source":["other"]}`, bus.Target{ID: "jobs", To: "topic:jobs", Key: "$.id"})
	if !slices.Equal(again.Targets[0].From, []int64{2}) || again.ID != rule.ID || again.Version <= rule.Version {
		t.Errorf("changed: %+v", again)
	}
	r.put(bus.Ref{}, "app", "After", `{}`)
	_, err := r.buses.DisableRule(r.ctx, ref)
	r.must(err)
	if got := r.matched(r.source(bus.Ref{}), event("other", "t", `{}`)); got != nil {
		t.Errorf("a disabled rule runs: %v", got)
	}
	rule, err = r.buses.EnableRule(r.ctx, ref)
	if err != nil || !slices.Equal(rule.From, []int64{3}) || !slices.Equal(rule.Targets[0].From, []int64{3}) {
		t.Errorf("enabled again: %+v, %v", rule, err)
	}
	if err := r.buses.DeleteRule(r.ctx, ref, false); !errors.Is(err, bus.ErrInUse) {
		t.Errorf("deleted with a target: %v", err)
	}
	_, errs, err := r.buses.RemoveTargets(r.ctx, ref, []string{"jobs", "none"})
	if err != nil || errs[0] != nil || !errors.Is(errs[1], bus.ErrNotFound) {
		t.Errorf("removed: %v, %v", errs, err)
	}
	r.must(r.buses.DeleteRule(r.ctx, ref, false))
	if src := r.source(bus.Ref{}); len(src.Rules) != 0 {
		t.Errorf("a deleted rule runs: %+v", src.Rules)
	}
}

// What was known of offsets of an adopted topic is void when that is made anew.
func TestATargetBeginsWhereATopicThatWasMadeAnewEnds(t *testing.T) {
	r := newRig(t)
	r.topic("orders")
	_, err := r.buses.Create(r.ctx, bus.Ref{Name: "orders"}, bus.Spec{})
	r.must(err)
	for range 3 {
		r.put(bus.Ref{Name: "orders"}, "app", "Before", `{}`)
	}
	ref := bus.Ref{Name: "orders"}.Rule("all")
	if rule := r.rule(ref, `{"source":["app"]}`); !slices.Equal(rule.From, []int64{3}) {
		t.Fatalf("it holds from %v", rule.From)
	}
	gone, err := kadm.NewClient(r.kafka).DeleteTopic(r.ctx, "orders")
	r.must(err)
	r.must(gone.Err)
	r.topic("orders")
	rule := r.rule(ref, `{"source":["app"]}`, bus.Target{ID: "a", To: "https://target.invalid"})
	if got := r.source(bus.Ref{Name: "orders"}).Rules[0].Targets[0].From; !slices.Equal(rule.From, []int64{0}) || !slices.Equal(got, []int64{0}) {
		t.Errorf("the rule holds from %v, its target from %v", rule.From, got)
	}
}

func TestRulesOfOneBusAreListed(t *testing.T) {
	r := newRig(t)
	for _, b := range []string{"a", "a/b"} {
		_, err := r.buses.Create(r.ctx, bus.Ref{Name: b}, bus.Spec{})
		r.must(err)
		for _, n := range []string{"x1", "x2", "y"} {
			r.rule(bus.Ref{Name: b}.Rule(n), `{"source":["`+b+`"]}`)
		}
	}
	names := func(rules []bus.Rule) (out []string) {
		for _, x := range rules {
			out = append(out, x.Bus+":"+x.Name)
		}
		return out
	}
	all, next, err := r.buses.Rules(r.ctx, bus.Ref{Name: "a"}, "x", "", 1)
	if err != nil || !slices.Equal(names(all), []string{"a:x1"}) || next != "x1" {
		t.Errorf("the first: %v, %q, %v", names(all), next, err)
	}
	all, next, err = r.buses.Rules(r.ctx, bus.Ref{Name: "a"}, "x", next, 10)
	if err != nil || !slices.Equal(names(all), []string{"a:x2"}) || next != "" {
		t.Errorf("the rest: %v, %q, %v", names(all), next, err)
	}
	all, _, err = r.buses.Rules(r.ctx, bus.Ref{Name: "a"}, "", "", 100)
	if err != nil || len(all) != 3 {
		t.Errorf("all of a: %v, %v", names(all), err)
	}
	if got := r.matched(r.source(bus.Ref{Name: "a/b"}), event("a/b", "t", `{}`)); !slices.Equal(got, []string{"x1", "x2", "y"}) {
		t.Errorf("rules of a/b that match: %v", got)
	}
}
