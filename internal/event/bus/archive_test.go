package bus_test

import (
	"context"
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/bus"
	"ottla/internal/event/commit"
	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// retention is how long a topic keeps records, in ms.
func (r *rig) retention(topic string) string {
	r.Helper()
	all, err := kadm.NewClient(r.kafka).DescribeTopicConfigs(r.ctx, topic)
	r.must(err)
	for _, c := range all[0].Configs {
		if c.Key == "retention.ms" && c.Value != nil {
			return *c.Value
		}
	}
	r.Fatalf("%s has no retention", topic)
	return ""
}

func TestAnArchiveWithoutAPatternKeepsTheBusesEvents(t *testing.T) {
	r := newRig(t)
	_, err := r.buses.Create(r.ctx, shop(), bus.Spec{RetentionMs: 3600_000})
	r.must(err)
	if got := r.retention("shop"); got != "3600000" {
		t.Errorf("the bus keeps events for %s", got)
	}
	_, err = r.buses.CreateArchive(r.ctx, bus.NamedRef{Name: "day"}, bus.ArchiveSpec{Bus: shop(), RetentionMs: 86_400_000})
	r.must(err)
	if got := r.retention("shop"); got != "86400000" {
		t.Errorf("with an archive: %s", got)
	}
	_, err = r.buses.CreateArchive(r.ctx, bus.NamedRef{Name: "all"}, bus.ArchiveSpec{Bus: shop()})
	r.must(err)
	if got := r.retention("shop"); got != "-1" {
		t.Errorf("with one for ever: %s", got)
	}
	if _, err := r.buses.CreateArchive(r.ctx, bus.NamedRef{Name: "all"}, bus.ArchiveSpec{Bus: shop()}); !errors.Is(err, bus.ErrExists) {
		t.Errorf("made twice: %v", err)
	}
	if err := r.buses.Delete(r.ctx, shop(), false); !errors.Is(err, bus.ErrInUse) {
		t.Errorf("a bus with archives was deleted: %v", err)
	}
	r.must(r.buses.DeleteArchive(r.ctx, bus.NamedRef{Name: "all"}))
	_, err = r.buses.Update(r.ctx, shop(), func(s *bus.Spec) error { s.RetentionMs = 7200_000; return nil })
	r.must(err)
	if got := r.retention("shop"); got != "86400000" {
		t.Errorf("the bus's own is shorter: %s", got)
	}
	r.must(r.buses.DeleteArchive(r.ctx, bus.NamedRef{Name: "day"}))
	if got := r.retention("shop"); got != "7200000" {
		t.Errorf("without archives: %s", got)
	}
}

// listing objects let something happen after they were listed.
type listing struct {
	bus.Objects
	after func(name.Kind)
}

func (l listing) List(ctx context.Context, begin name.Ref, after string, most int) ([]object.Object, string, error) {
	out, next, err := l.Objects.List(ctx, begin, after, most)
	l.after(begin.Kind)
	return out, next, err
}

// An archive is made at another node while this one changes how long a bus keeps events,
// and has looked already which archives there are: the archive keeps its events.
func TestWhoChangesTheRetentionSeesTheArchivesOfOthers(t *testing.T) {
	r := newRig(t)
	_, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
	r.must(err)
	made := false
	o := r.o
	o.Objects = listing{r.o.Objects, func(of name.Kind) {
		if of == name.Archive && !made {
			made = true
			_, err := r.buses.CreateArchive(r.ctx, bus.NamedRef{Name: "month"}, bus.ArchiveSpec{Bus: shop(), RetentionMs: 30 * 86_400_000})
			r.must(err)
		}
	}}
	late := bus.New(o)
	defer late.Close()
	_, err = late.Update(r.ctx, shop(), func(s *bus.Spec) error { s.RetentionMs = 3600_000; return nil })
	r.must(err)
	if got := r.retention("shop"); !made || got != "2592000000" {
		t.Errorf("it keeps events for %s; made %v", got, made)
	}
}

func TestAnArchiveWithAPatternHasARuleOfItsOwn(t *testing.T) {
	r := newRig(t)
	ref := bus.NamedRef{Name: "paid"}
	a, err := r.buses.CreateArchive(r.ctx, ref, bus.ArchiveSpec{Pattern: `{"type":["Paid"]}`, RetentionMs: 86_400_000})
	if err != nil || a.Topic != "archive.us-east-1.paid" || r.retention(a.Topic) != "86400000" {
		t.Fatalf("%+v, %v", a, err)
	}
	rule := bus.Ref{}.Rule("Events-Archive-paid")
	if got := r.matched(r.source(bus.Ref{}), event("a", "Paid", `{}`)); len(got) != 1 || got[0] != rule.Name {
		t.Errorf("what takes it: %v", got)
	}
	if err := r.buses.DeleteRule(r.ctx, rule, true); !errors.Is(err, bus.ErrManaged) {
		t.Errorf("its rule was deleted: %v", err)
	}
	if _, err := r.buses.DisableRule(r.ctx, rule); !errors.Is(err, bus.ErrManaged) {
		t.Errorf("its rule was disabled: %v", err)
	}
	if _, _, err := r.buses.PutRule(r.ctx, bus.Ref{}.Rule("Events-Archive-mine"), func(s *bus.RuleSpec) error { s.Pattern = `{"a":[1]}`; return nil }); !errors.Is(err, bus.ErrInvalid) {
		t.Errorf("a rule is called as those of archives: %v", err)
	}
	_, err = r.buses.UpdateArchive(r.ctx, ref, func(s *bus.ArchiveSpec) error { s.Pattern, s.RetentionMs = `{"type":["Sent"]}`, 0; return nil })
	r.must(err)
	if got := r.matched(r.source(bus.Ref{}), event("a", "Sent", `{}`)); len(got) != 1 || r.retention(a.Topic) != "-1" {
		t.Errorf("changed: %v, %s", got, r.retention(a.Topic))
	}
	if _, err := r.buses.UpdateArchive(r.ctx, ref, func(s *bus.ArchiveSpec) error { s.Pattern = ""; return nil }); !errors.Is(err, bus.ErrInvalid) {
		t.Errorf("it lost its pattern: %v", err)
	}
	r.must(r.buses.DeleteArchive(r.ctx, ref))
	if _, err := r.buses.Rule(r.ctx, rule); !errors.Is(err, bus.ErrNotFound) || r.o.Partitions(a.Topic) != 0 {
		t.Errorf("left of it: %v, %d partitions", err, r.o.Partitions(a.Topic))
	}
}

func TestArchivesAreWeighed(t *testing.T) {
	r := newRig(t)
	_, err := r.buses.Create(r.ctx, shop(), bus.Spec{Partitions: 2})
	r.must(err)
	all, err := r.buses.CreateArchive(r.ctx, bus.NamedRef{Name: "all"}, bus.ArchiveSpec{Bus: shop()})
	r.must(err)
	paid, err := r.buses.CreateArchive(r.ctx, bus.NamedRef{Name: "paid"}, bus.ArchiveSpec{Bus: shop(), Pattern: `{"type":["Paid"]}`})
	r.must(err)
	lost := all
	lost.Bus.Name = "gone"
	weigh := func() []bus.Weight {
		t.Helper()
		got, err := r.buses.Weigh(r.ctx, []bus.Archive{all, paid, lost})
		r.must(err)
		return got
	}
	for i, w := range weigh() {
		if w.Events != 0 || w.Bytes != 0 {
			t.Errorf("without events %d has %+v", i, w)
		}
	}
	// A transaction leaves a mark behind what it wrote, which is no event.
	c, err := r.o.Client(kgo.TransactionalID("copies"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	r.must(err)
	defer c.Close()
	for range 3 {
		r.must(c.BeginTransaction())
		copied := &kgo.Record{Topic: paid.Topic, Value: []byte("{}")}
		r.must(c.ProduceSync(r.ctx, copied).FirstErr())
		r.must(commit.Commit(r.ctx, c, copied))
	}
	r.put(shop(), "app", "Placed", `{}`)
	if got := weigh(); got[0].Events != 1 || !got[0].Exact || got[0].Bytes < 50 || got[1].Events != 3 || !got[1].Exact || got[1].Bytes < 150 || got[2].Events != 0 {
		t.Errorf("with some events: %+v", got)
	}
	entries := make([]bus.Entry, 1001)
	for range 10 {
		for i := range entries {
			entries[i] = bus.Entry{Bus: shop(), Event: event("app", "Placed", `{}`)}
		}
		for _, x := range r.buses.Put(r.ctx, entries) {
			r.must(x.Err)
		}
	}
	if got := weigh()[0]; got.Events != 10_011 || got.Exact {
		t.Errorf("with more than are counted: %+v", got)
	}
	// What cannot be told of one is no matter of the others.
	_, err = kadm.NewClient(r.kafka).DeleteTopic(r.ctx, paid.Topic)
	r.must(err)
	got, err := r.buses.Weigh(r.ctx, []bus.Archive{paid, all, lost})
	if err == nil || len(got) != 3 || !got[0].Unknown || got[1].Unknown || got[1].Events != 10_011 || got[2].Unknown {
		t.Errorf("with one whose topic is gone: %+v, %v", got, err)
	}
}
