package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/event/bus"
	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/object/hook"
	"ottla/internal/event/queue"
	"ottla/internal/event/schedule"
	"ottla/internal/event/sns"
)

// other makes buses of another node, of whose writing the test hears.
func (r *rig) other(before func(o object.Object, gone bool) error) *bus.Service {
	r.Helper()
	o := r.o
	o.Objects = hook.Objects{Store: r.node.Objects(), Before: before}
	s := bus.New(o)
	r.Cleanup(s.Close)
	return s
}

// killed lets something be done by a node that is killed before its first write, then
// anew by one that is killed before its second, and so on until one has done it all. After
// each, then looks at what is there.
func (r *rig) killed(begin func(), do func(*bus.Service) error, then func(cuts int)) {
	r.Helper()
	for cuts := 0; ; cuts++ {
		begin()
		writes := 0
		err := do(r.other(func(object.Object, bool) error {
			if writes++; writes > cuts {
				return hook.ErrCut
			}
			return nil
		}))
		if err != nil && !errors.Is(err, hook.ErrCut) {
			r.Fatalf("killed before write %d: %v", cuts+1, err)
		}
		then(cuts)
		if err == nil {
			if cuts < 2 {
				r.Errorf("only %d writes", cuts)
			}
			return
		}
	}
}

// noneOf tells that nothing is left of the bus and of what belongs to it.
func (r *rig) noneOf(topics ...string) {
	r.Helper()
	for _, topic := range topics {
		if n := r.o.Partitions(topic); n != 0 {
			r.Errorf("the topic %s is left, with %d partitions", topic, n)
		}
	}
	rules, _, err := r.buses.Rules(r.ctx, shop(), "", "", 10)
	r.must(err)
	if len(rules) > 0 {
		r.Errorf("rules are left: %+v", rules)
	}
}

const paidTopic = "archive.us-east-1.paid"

func paid() bus.NamedRef { return bus.NamedRef{Name: "paid"} }

// full makes a bus that has all that a bus may have.
func (r *rig) full() {
	r.Helper()
	_, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
	r.must(err)
	r.rule(shop().Rule("all"), `{"source":["app"]}`)
	_, err = r.buses.CreateArchive(r.ctx, paid(), bus.ArchiveSpec{Bus: shop(), Pattern: `{"detail-type":["Paid"]}`})
	r.must(err)
	r.put(shop(), "app", "Paid", `{}`)
	_, err = r.buses.StartReplay(r.ctx, bus.NamedRef{Name: "again"}, bus.ReplaySpec{Bus: shop()})
	r.must(err)
}

// A node is killed while it deletes a bus: before the first write nothing has happened,
// later there is no bus any more. Who deletes it again, or makes it, ends that.
func TestABusWhoseDeletionWasCutOffLeavesNothing(t *testing.T) {
	r := newRig(t)
	r.rule(bus.Ref{}.Rule("to"), `{"source":["app"]}`)
	begin := func() { r.full() }
	do := func(s *bus.Service) error { return s.Delete(r.ctx, shop(), true) }
	r.killed(begin, do, func(cuts int) {
		_, err := r.buses.Get(r.ctx, shop())
		if err != nil && !errors.Is(err, bus.ErrNotFound) {
			t.Errorf("%d writes: %v", cuts, err)
		}
		if gone := err != nil; gone {
			if got := r.buses.Put(r.ctx, []bus.Entry{{Bus: shop(), Event: event("app", "Paid", `{}`)}}); !errors.Is(got[0].Err, bus.ErrNotFound) {
				t.Errorf("%d writes: an event was put into a bus that is deleted: %v", cuts, got[0].Err)
			}
		}
		if gone := err != nil; gone {
			_, errs, err := r.buses.PutTargets(r.ctx, bus.Ref{}.Rule("to"), []bus.Target{{ID: "t", To: "bus:shop"}})
			if err != nil || !errors.Is(errs[0], bus.ErrInvalid) {
				t.Errorf("%d writes: it is a target: %v, %v", cuts, errs, err)
			}
		}
		if gone := err != nil; gone && cuts%2 == 0 {
			b, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
			if err != nil || b.Adopted {
				t.Errorf("%d writes: made again: %+v, %v", cuts, b, err)
			}
			if got := r.put(shop(), "app", "Paid", `{}`); got.Offset != 0 {
				t.Errorf("%d writes: the first event of the new bus lies at %d", cuts, got.Offset)
			}
			if src := r.source(shop()); len(src.Rules)+len(src.Replays) != 0 {
				t.Errorf("%d writes: the new bus has rules or replays of the old one: %+v", cuts, src)
			}
		}
		if err := r.buses.Delete(r.ctx, shop(), true); err != nil && !errors.Is(err, bus.ErrNotFound) {
			t.Errorf("%d writes: deleted again: %v", cuts, err)
		}
		r.noneOf("shop", paidTopic)
		if err := r.buses.DeleteReplay(r.ctx, bus.NamedRef{Name: "again"}); err != nil {
			t.Errorf("%d writes: %v", cuts, err)
		}
	})
}

// The same of an archive, with what it kept.
func TestAnArchiveWhoseDeletionWasCutOffLeavesNothing(t *testing.T) {
	r := newRig(t)
	_, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
	r.must(err)
	spec := bus.ArchiveSpec{Bus: shop(), Pattern: `{"detail-type":["Paid"]}`}
	begin := func() {
		_, err := r.buses.CreateArchive(r.ctx, paid(), spec)
		r.must(err)
	}
	do := func(s *bus.Service) error { return s.DeleteArchive(r.ctx, paid()) }
	r.killed(begin, do, func(cuts int) {
		_, err := r.buses.Archive(r.ctx, paid())
		if err == nil != (cuts == 0) {
			t.Errorf("%d writes: %v", cuts, err)
		}
		if _, err := r.buses.StartReplay(r.ctx, bus.NamedRef{Name: "again"}, bus.ReplaySpec{Bus: shop(), Archive: "paid"}); cuts > 0 && !errors.Is(err, bus.ErrNotFound) {
			t.Errorf("%d writes: a replay of it: %v", cuts, err)
		}
		if err := r.buses.DeleteArchive(r.ctx, paid()); err != nil && !errors.Is(err, bus.ErrNotFound) {
			t.Errorf("%d writes: deleted again: %v", cuts, err)
		}
		r.noneOf(paidTopic)
	})
}

// A node is killed while it makes an archive: there is none, until somebody makes it; a bus
// that is deleted takes with it what is left.
func TestAnArchiveWhoseMakingWasCutOffIsNone(t *testing.T) {
	r := newRig(t)
	spec := bus.ArchiveSpec{Bus: shop(), Pattern: `{"detail-type":["Paid"]}`}
	begin := func() {
		_, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
		r.must(err)
	}
	do := func(s *bus.Service) error {
		_, err := s.CreateArchive(r.ctx, paid(), spec)
		return err
	}
	r.killed(begin, do, func(cuts int) {
		all, _, err := r.buses.Archives(r.ctx, bus.NamedRef{}, "", 10)
		r.must(err)
		done := len(all) == 1
		if cuts%2 == 0 && !done {
			a, err := r.buses.CreateArchive(r.ctx, paid(), spec)
			if err != nil || a.Topic != paidTopic {
				t.Errorf("%d writes: made anew: %+v, %v", cuts, a, err)
			}
			r.must(r.buses.DeleteArchive(r.ctx, paid()))
			r.noneOf(paidTopic)
		}
		r.must(r.buses.Delete(r.ctx, shop(), true))
		r.noneOf("shop", paidTopic)
	})
}

// asked objects let something happen before the first of a kind is read.
type asked struct {
	bus.Objects
	kind name.Kind
	then func()
}

func (a *asked) Get(ctx context.Context, ref name.Ref) (object.Object, error) {
	if then := a.then; then != nil && ref.Kind == a.kind {
		a.then = nil
		then()
	}
	return a.Objects.Get(ctx, ref)
}

// An archive is deleted while another node changes it: no rule is left that nobody could
// delete any more.
func TestAnArchiveThatIsDeletedWhileItIsChangedLeavesNoRule(t *testing.T) {
	r := newRig(t)
	_, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
	r.must(err)
	_, err = r.buses.CreateArchive(r.ctx, paid(), bus.ArchiveSpec{Bus: shop(), Pattern: `{"detail-type":["Paid"]}`})
	r.must(err)
	o := r.o
	o.Objects = &asked{r.o.Objects, name.Rule, func() { r.must(r.buses.DeleteArchive(r.ctx, paid())) }}
	late := bus.New(o)
	defer late.Close()
	_, err = late.UpdateArchive(r.ctx, paid(), func(s *bus.ArchiveSpec) error { s.Pattern = `{"detail-type":["Sent"]}`; return nil })
	if !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("changed: %v", err)
	}
	r.noneOf(paidTopic)
	if err := r.buses.Delete(r.ctx, shop(), false); err != nil {
		t.Errorf("the bus: %v", err)
	}
}

// Somebody deletes what another node has noted that it makes, and whose topic is not there
// yet: the topic that is made then is nobody's.
func TestWhatIsDeletedWhileItIsMadeLeavesNoTopic(t *testing.T) {
	r := newRig(t)
	late := func(kind name.Kind, then func()) *bus.Service {
		o := r.o
		o.Objects = hook.Objects{Store: r.node.Objects(), After: hook.Then(kind, then)}
		s := bus.New(o)
		t.Cleanup(s.Close)
		return s
	}
	_, err := late(name.Bus, func() { r.must(r.buses.Delete(r.ctx, shop(), false)) }).Create(r.ctx, shop(), bus.Spec{})
	if !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("a bus that was deleted meanwhile: %v", err)
	}
	r.noneOf("shop")
	if b, err := r.buses.Create(r.ctx, shop(), bus.Spec{}); err != nil || b.Adopted {
		t.Errorf("made anew: %+v, %v", b, err)
	}

	spec := bus.ArchiveSpec{Bus: shop(), Pattern: `{"detail-type":["Paid"]}`}
	if _, err = late(name.Archive, func() { r.must(r.buses.DeleteArchive(r.ctx, paid())) }).CreateArchive(r.ctx, paid(), spec); err != nil {
		t.Errorf("an archive that was deleted meanwhile is made after that: %v", err)
	}
	r.must(r.buses.DeleteArchive(r.ctx, paid()))
	r.noneOf(paidTopic)
	r.must(r.buses.Delete(r.ctx, shop(), false))
}

// A topic is made by somebody else after it was looked for, and before the bus makes it: it
// keeps events as long as he wants.
func TestATopicThatIsMadeMeanwhileKeepsItsRetention(t *testing.T) {
	r := newRig(t)
	o := r.o
	o.Objects = hook.Objects{Store: r.node.Objects(), After: hook.Then(name.Bus, func() {
		keep := "9999999999"
		_, err := kadm.NewClient(r.kafka).CreateTopic(r.ctx, 1, -1, map[string]*string{"retention.ms": &keep}, "shop")
		r.must(err)
	})}
	late := bus.New(o)
	defer late.Close()
	b, err := late.Create(r.ctx, shop(), bus.Spec{})
	if err != nil || !b.Adopted {
		t.Fatalf("%+v, %v", b, err)
	}
	_, err = r.buses.CreateArchive(r.ctx, bus.NamedRef{Name: "day"}, bus.ArchiveSpec{Bus: shop(), RetentionMs: 86_400_000})
	r.must(err)
	if got := r.retention("shop"); got != "9999999999" {
		t.Errorf("with an archive of a day it keeps events for %s", got)
	}
}

// The same, and the bus is never made to its end: whoever deletes or makes what is left of it
// lets that topic be.
func TestATopicThatIsMadeMeanwhileStays(t *testing.T) {
	spec := bus.ArchiveSpec{Bus: shop(), Pattern: `{"detail-type":["Paid"]}`}
	for kind, topic := range map[name.Kind]string{name.Bus: "shop", name.Archive: paidTopic} {
		for _, anew := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, anew %v", kind, anew), func(t *testing.T) {
				r := newRig(t)
				if kind == name.Archive {
					_, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
					r.must(err)
				}
				o := r.o
				o.Objects = hook.CutAfter(r.node.Objects(), kind, func() { r.topic(topic) })
				late := bus.New(o)
				defer late.Close()
				create := func(s *bus.Service) (adopted bool, err error) {
					if kind == name.Archive {
						_, err = s.CreateArchive(r.ctx, paid(), spec)
						return false, err
					}
					b, err := s.Create(r.ctx, shop(), bus.Spec{})
					return b.Adopted, err
				}
				if _, err := create(late); err == nil {
					t.Error("it was made to its end")
				}
				if anew {
					adopted, err := create(r.buses)
					if refused := errors.Is(err, bus.ErrInvalid); refused != (kind == name.Archive) || !refused && err != nil || adopted != (kind == name.Bus) {
						t.Errorf("made: adopted %v, %v", adopted, err)
					}
				}
				var err error
				if kind == name.Archive {
					err = r.buses.DeleteArchive(r.ctx, paid())
				} else {
					err = r.buses.Delete(r.ctx, shop(), true)
				}
				if err != nil && !errors.Is(err, bus.ErrNotFound) {
					t.Errorf("deleted: %v", err)
				}
				if r.o.Partitions(topic) == 0 {
					t.Error("the topic that somebody else made is gone")
				}
			})
		}
	}
}

func TestAnArchiveTakesNoTopicThatIsAnothers(t *testing.T) {
	r := newRig(t)
	r.topic(paidTopic)
	_, err := r.buses.CreateArchive(r.ctx, paid(), bus.ArchiveSpec{Pattern: `{"detail-type":["Paid"]}`})
	if !errors.Is(err, bus.ErrInvalid) {
		t.Errorf("%v", err)
	}
	if err := r.buses.DeleteArchive(r.ctx, paid()); !errors.Is(err, bus.ErrNotFound) || r.o.Partitions(paidTopic) != 1 {
		t.Errorf("something is left of it, or the topic is gone: %v", err)
	}
}

// Another node deletes the bus and makes it anew while this one deletes it: what was made
// stays, with its topic and its events.
func TestABusThatIsMadeAnewIsNotDeletedByWhoDeletesTheOldOne(t *testing.T) {
	for _, kind := range []name.Kind{name.Rule, name.Bus} { // the moments before the topic goes, and after
		t.Run(string(kind), func(t *testing.T) {
			r := newRig(t)
			r.full()
			old, err := r.buses.Get(r.ctx, shop())
			r.must(err)
			ending := old.Version + 1
			late := r.other(hook.Once(kind, true, func() {
				r.must(r.buses.Delete(r.ctx, shop(), true))
				b, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
				r.must(err)
				r.put(shop(), "app", "Paid", `{}`)
				for b.Version < ending { // the version that the late one is to remove
					b, err = r.buses.Update(r.ctx, shop(), func(*bus.Spec) error { return nil })
					r.must(err)
				}
			}))
			if err := late.Delete(r.ctx, shop(), true); err != nil {
				t.Errorf("the late one: %v", err)
			}
			b, err := r.buses.Get(r.ctx, shop())
			if err != nil || r.o.Partitions(b.Topic) != 1 {
				t.Fatalf("%+v, %v, %d partitions", b, err, r.o.Partitions(b.Topic))
			}
			if got := r.put(shop(), "app", "Paid", `{}`); got.Offset != 1 {
				t.Errorf("its second event lies at %d", got.Offset)
			}
		})
	}
}

// A rule is put while somebody deletes a bus without force, which he finds out after he
// noted that it ends. Whoever else deletes or makes the bus in that moment, or when he was
// killed in it, leaves the bus and what it has.
func TestABusThatIsUsedAfterAllStays(t *testing.T) {
	for what, c := range map[string]struct {
		do   func(*rig) error
		want error
	}{
		"deleted":     {func(r *rig) error { return r.buses.Delete(r.ctx, shop(), false) }, bus.ErrInUse},
		"made":        {func(r *rig) error { _, err := r.buses.Create(r.ctx, shop(), bus.Spec{}); return err }, bus.ErrExists},
		"left for it": {nil, nil},
	} {
		for _, killed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, killed %v", what, killed), func(t *testing.T) {
				r := newRig(t)
				_, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
				r.must(err)
				r.put(shop(), "app", "Paid", `{}`)
				writes := 0
				late := r.other(func(o object.Object, _ bool) error {
					if o.Ref.Kind != name.Bus {
						return nil
					}
					switch writes++; {
					case writes == 1:
						r.rule(shop().Rule("late"), `{"source":["app"]}`)
					case writes == 2 && killed:
						return hook.ErrCut
					case writes == 2 && c.do != nil:
						if err := c.do(r); !errors.Is(err, c.want) {
							t.Errorf("meanwhile: %v", err)
						}
					}
					return nil
				})
				err = late.Delete(r.ctx, shop(), false)
				if killed != errors.Is(err, hook.ErrCut) || !killed && !errors.Is(err, bus.ErrInUse) {
					t.Errorf("deleted: %v", err)
				}
				if killed && c.do != nil {
					if err := c.do(r); !errors.Is(err, c.want) {
						t.Errorf("afterwards: %v", err)
					}
				}
				if killed && c.do == nil {
					return // it is for the next one who deletes or makes it
				}
				if got := r.put(shop(), "app", "Paid", `{}`); got.Offset != 1 {
					t.Errorf("its second event lies at %d", got.Offset)
				}
				if src := r.source(shop()); len(src.Rules) != 1 {
					t.Errorf("its rules are %+v", src.Rules)
				}
				r.must(r.buses.Delete(r.ctx, shop(), true))
				r.noneOf("shop")
			})
		}
	}
}

// Who ends a bus ends none that somebody takes back in the same moment.
func TestABusWhoseEndIsTakenBackIsNotCleared(t *testing.T) {
	r := newRig(t)
	_, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
	r.must(err)
	// The first is killed when it has noted that the bus ends.
	writes := 0
	cut := r.other(func(o object.Object, _ bool) error {
		if writes++; writes > 1 {
			return hook.ErrCut
		}
		return nil
	})
	if err := cut.Delete(r.ctx, shop(), false); !errors.Is(err, hook.ErrCut) {
		t.Fatalf("killed: %v", err)
	}
	// The second is about to end it when another does, and makes it anew.
	late := r.other(hook.Once(name.Bus, false, func() {
		_, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
		r.must(err)
		r.rule(shop().Rule("new"), `{"source":["app"]}`)
	}))
	if err := late.Delete(r.ctx, shop(), false); err != nil {
		t.Errorf("the late one: %v", err)
	}
	if src := r.source(shop()); len(src.Rules) != 1 || r.o.Partitions("shop") != 1 {
		t.Errorf("the new bus has the rules %+v and %d partitions", src.Rules, r.o.Partitions("shop"))
	}
}

// What is put while the bus goes is refused: nothing is left without a bus.
func TestNothingIsPutUnderABusThatGoes(t *testing.T) {
	for what, c := range map[string]struct {
		kind name.Kind
		do   func(*rig, *bus.Service) error
	}{
		"rule": {name.Rule, func(r *rig, s *bus.Service) error {
			_, _, err := s.PutRule(r.ctx, shop().Rule("late"), func(s *bus.RuleSpec) error { s.Pattern = `{"source":["app"]}`; return nil })
			return err
		}},
		"archive": {name.Archive, func(r *rig, s *bus.Service) error {
			_, err := s.CreateArchive(r.ctx, bus.NamedRef{Name: "late"}, bus.ArchiveSpec{Bus: shop()})
			return err
		}},
		"replay": {name.Replay, func(r *rig, s *bus.Service) error {
			_, err := s.StartReplay(r.ctx, bus.NamedRef{Name: "late"}, bus.ReplaySpec{Bus: shop()})
			return err
		}},
	} {
		for _, anew := range []bool{false, true} {
			t.Run(what, func(t *testing.T) {
				r := newRig(t)
				old, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
				r.must(err)
				r.put(shop(), "app", "Paid", `{}`)
				s := r.other(hook.Once(c.kind, false, func() {
					r.must(r.buses.Delete(r.ctx, shop(), false))
					if anew {
						_, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
						r.must(err)
					}
				}))
				if err := c.do(r, s); anew != (err == nil) || err != nil && !errors.Is(err, bus.ErrNotFound) {
					t.Errorf("put while the bus went, anew %v: %v", anew, err)
				}
				if !anew {
					all, _, err := r.o.Objects.List(r.ctx, name.Ref{Kind: c.kind}, "", 10)
					if err != nil || len(all) != 0 {
						t.Errorf("left: %+v, %v", all, err)
					}
					return
				}
				if b, err := r.buses.Get(r.ctx, shop()); err != nil || b.ID == old.ID {
					t.Errorf("the new bus: %+v, %v", b, err)
				}
				for _, rule := range r.source(shop()).Rules {
					if rule.From[0] != 0 {
						t.Errorf("the rule of the new bus holds from %v", rule.From)
					}
				}
			})
		}
	}
}

// A bus, a queue and an SNS topic of one name are made at the same moment, while none sees
// the others: each has a topic of its own.
func TestOneTopicIsOfOneObject(t *testing.T) {
	r := newRig(t)
	var q queue.Queue
	var topic sns.Topic
	late := r.other(hook.Once(name.Bus, false, func() {
		var err error
		q, _, err = r.node.Queues().Create(r.ctx, queue.Ref{Name: "shop"}, queue.DefaultSpec())
		r.must(err)
		topic, err = r.node.SNS().Create(r.ctx, name.Of(name.SNS, "shop"), sns.TopicSpec{})
		r.must(err)
	}))
	b, err := late.Create(r.ctx, shop(), bus.Spec{})
	r.must(err)
	if q.Topic != "shop" || topic.TopicSpec.Topic != "sns.us-east-1.shop" || b.Topic != "bus.us-east-1.shop" || q.Adopted || topic.Adopted || b.Adopted {
		t.Errorf("the queue has %s, the SNS topic %s, the bus %s", q.Topic, topic.TopicSpec.Topic, b.Topic)
	}
	// Both names of a topic are taken: there is none for it.
	_, err = r.buses.Create(r.ctx, bus.Ref{Region: "eu", Name: "a/b"}, bus.Spec{})
	r.must(err)
	if b, err := r.buses.Create(r.ctx, bus.Ref{Region: "eu", Name: "a.b"}, bus.Spec{}); !errors.Is(err, bus.ErrInvalid) {
		t.Errorf("another has its topic: %+v, %v", b, err)
	}
	if _, err := r.buses.Get(r.ctx, bus.Ref{Region: "eu", Name: "a.b"}); !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("there is one all the same: %v", err)
	}
}

// A rule with a schedule that is not written to its end leaves no schedule that puts
// events; one that two change at the same moment runs as the rule says.
func TestAScheduleIsThatOfItsRule(t *testing.T) {
	r := newRig(t, func(o *bus.Options) {})
	r.o.Schedules = r.node.Schedules()
	r.buses.Close()
	r.open()
	_, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
	r.must(err)
	put := func(s *bus.Service, schedule string) error {
		_, _, err := s.PutRule(r.ctx, shop().Rule("tick"), func(s *bus.RuleSpec) error { s.Schedule = schedule; return nil })
		return err
	}
	schedules := func() (out []string) {
		all, _, err := r.o.Objects.List(r.ctx, name.Ref{Kind: name.Schedule}, "", 10)
		r.must(err)
		for _, o := range all {
			out = append(out, string(o.Spec))
		}
		return out
	}
	for _, no := range []string{"rate(1 parsec)", "at(2030-01-01T00:00:00)"} {
		if err := put(r.buses, no); !errors.Is(err, bus.ErrInvalid) {
			t.Errorf("%s: %v", no, err)
		}
	}
	cut := r.other(func(object.Object, bool) error { return hook.ErrCut })
	if err := put(cut, "rate(1 hour)"); !errors.Is(err, hook.ErrCut) || len(schedules()) != 0 {
		t.Errorf("a rule that was not written: %v, with schedules %v", err, schedules())
	}
	both := r.other(hook.Once(name.Rule, false, func() { r.must(put(r.buses, "rate(2 hours)")) }))
	r.must(put(both, "rate(3 hours)"))
	rule, err := r.buses.Rule(r.ctx, shop().Rule("tick"))
	r.must(err)
	if got := schedules(); len(got) != 1 || rule.Schedule != "rate(3 hours)" || !strings.Contains(got[0], rule.Schedule) {
		t.Errorf("the rule says %s, its schedule is %v", rule.Schedule, got)
	}
	if err := cut.DeleteRule(r.ctx, rule.RuleRef, true); !errors.Is(err, hook.ErrCut) || len(schedules()) != 1 {
		t.Errorf("a rule that was not deleted: %v, with schedules %v", err, schedules())
	}
	r.must(r.buses.DeleteRule(r.ctx, rule.RuleRef, true))
	if got := schedules(); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

// Whoever puts or deletes a rule with a schedule is killed between the two objects: another
// node, or he when he is back, brings them together.
func TestARuleThatLacksItsScheduleIsMadeWhole(t *testing.T) {
	r := newRig(t)
	r.o.Schedules, r.o.WholeAfter = r.node.Schedules(), time.Millisecond
	_, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
	r.must(err)
	tick := shop().Rule("tick")
	cut := r.o
	cut.Schedules = killed{r.o.Schedules}
	late := bus.New(cut)
	defer late.Close()
	put := func(schedule string) {
		t.Helper()
		_, _, err := late.PutRule(r.ctx, tick, func(s *bus.RuleSpec) error { s.Schedule = schedule; return nil })
		if !errors.Is(err, bus.ErrUnavailable) {
			t.Errorf("killed: %v", err)
		}
	}
	has := func(want string) {
		t.Helper()
		for {
			all, _, err := r.o.Objects.List(r.ctx, name.Ref{Kind: name.Schedule}, "", 10)
			r.must(err)
			if want == "" && len(all) == 0 || want != "" && len(all) == 1 && strings.Contains(string(all[0].Spec), want) {
				return
			}
			select {
			case <-r.ctx.Done():
				t.Fatalf("want %q, has %v", want, all)
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	put("rate(1 hour)")
	r.buses.Close()
	r.open() // it begins with what is there
	has("rate(1 hour)")
	put("rate(2 hours)")
	has("rate(2 hours)")
	rule, err := r.buses.Rule(r.ctx, tick)
	r.must(err)
	r.must(r.o.Objects.Remove(r.ctx, object.Object{Ref: tick.Full(), ID: rule.ID, Version: rule.Version}))
	has("")
}

// killed are the schedules of a node that does not come to write them any more.
type killed struct{ bus.Schedules }

func (killed) CreateGroup(context.Context, schedule.GroupRef, map[string]string) (schedule.Group, error) {
	return schedule.Group{}, errors.New("it was killed")
}
