package bus_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"ottla/internal/event/bus"
	"ottla/internal/event/plan"
)

// watched gathers what is published.
type watched struct {
	mu   sync.Mutex // guards last
	last map[string]*plan.Source
}

func (w *watched) tell(src *plan.Source) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last[src.Ref.Name] = src
}

func (w *watched) of(name string) *plan.Source {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last[name]
}

func TestWhatIsAnsweredIsPublished(t *testing.T) {
	r := newRig(t)
	w := &watched{last: map[string]*plan.Source{}}
	defer r.buses.Watch(w.tell)()
	_, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
	r.must(err)
	first := w.of("shop")
	if first == nil || first.Topic != "shop" || len(first.Rules) != 0 {
		t.Fatalf("a new bus: %+v", first)
	}
	for i := range 20 {
		r.rule(shop().Rule(fmt.Sprint("r", i)), fmt.Sprintf(`{"source":["s%d","all"]}`, i))
		src := w.of("shop")
		if len(src.Rules) != i+1 || !slices.Equal(r.matched(src, event(fmt.Sprint("s", i), "t", `{}`)), []string{fmt.Sprint("r", i)}) {
			t.Fatalf("rule %d is answered, and not published", i)
		}
	}
	if len(first.Rules) != 0 {
		t.Error("a Source that was published was changed")
	}
	for _, i := range []int{0, 7, 19, 18} { // the last one takes the place of one that goes
		r.must(r.buses.DeleteRule(r.ctx, shop().Rule(fmt.Sprint("r", i)), false))
	}
	got := r.matched(w.of("shop"), event("all", "t", `{}`))
	slices.Sort(got)
	want := []string{"r1", "r10", "r11", "r12", "r13", "r14", "r15", "r16", "r17", "r2", "r3", "r4", "r5", "r6", "r8", "r9"}
	if !slices.Equal(got, want) {
		t.Errorf("left are %v, want %v", got, want)
	}
	r.must(r.buses.Delete(r.ctx, shop(), true))
	if src := w.of("shop"); src.Topic != "" || len(src.Rules) != 0 {
		t.Errorf("a bus that was deleted: %+v", src)
	}
	if all := r.buses.Sources(); len(all) != 0 {
		t.Errorf("left are %d sources", len(all))
	}
}

func TestAnotherNodePublishesTheSame(t *testing.T) {
	r := newRig(t)
	r.rule(bus.Ref{}.Rule("x"), `{"source":["a"]}`, bus.Target{ID: "t", To: "https://nowhere.invalid"})
	first := r.source(bus.Ref{})
	r.buses.Close()
	r.open()
	r.must(r.buses.Current(r.ctx))
	second := r.source(bus.Ref{})
	a, b := first.Rules[0].Targets[0], second.Rules[0].Targets[0]
	if first.ID != second.ID || a.Key != b.Key || !slices.Equal(a.From, b.From) {
		t.Errorf("%+v and %+v", a, b)
	}
}

// What is made under the name of a bus later is another bus.
func TestAReplayEndsWithWhatItReads(t *testing.T) {
	r := newRig(t)
	_, err := r.buses.Create(r.ctx, shop(), bus.Spec{})
	r.must(err)
	_, err = r.buses.CreateArchive(r.ctx, bus.NamedRef{Name: "paid"}, bus.ArchiveSpec{Bus: shop(), Pattern: `{"type":["Paid"]}`})
	r.must(err)
	r.put(shop(), "a", "t", `1`)
	whole, paid := bus.NamedRef{Name: "whole"}, bus.NamedRef{Name: "of-paid"}
	_, err = r.buses.StartReplay(r.ctx, whole, bus.ReplaySpec{Bus: shop()})
	r.must(err)
	_, err = r.buses.StartReplay(r.ctx, paid, bus.ReplaySpec{Bus: shop(), Archive: "paid"})
	r.must(err)
	states := func() (out []string) {
		for _, ref := range []bus.NamedRef{whole, paid} {
			x, err := r.buses.Replay(r.ctx, ref)
			r.must(err)
			out = append(out, x.State)
		}
		return out
	}
	r.must(r.buses.DeleteArchive(r.ctx, bus.NamedRef{Name: "paid"}))
	if got := states(); !slices.Equal(got, []string{bus.Running, bus.Cancelled}) {
		t.Errorf("without the archive they are %v", got)
	}
	r.must(r.buses.Delete(r.ctx, shop(), false))
	if got := states(); !slices.Equal(got, []string{bus.Cancelled, bus.Cancelled}) {
		t.Errorf("without the bus they are %v", got)
	}
	_, err = r.buses.Create(r.ctx, shop(), bus.Spec{})
	r.must(err)
	if src := r.source(shop()); len(src.Replays) != 0 {
		t.Errorf("the next bus has replays: %+v", src.Replays)
	}
}

func TestAReplayIsPublishedUntilItIsOver(t *testing.T) {
	r := newRig(t)
	for i := range 3 {
		r.put(bus.Ref{}, "a", "t", fmt.Sprint(i))
	}
	r.rule(bus.Ref{}.Rule("x"), `{"source":["a"]}`, bus.Target{ID: "t", To: "https://nowhere.invalid"}, bus.Target{ID: "u", To: "https://nowhere.invalid"})
	r.rule(bus.Ref{}.Rule("y"), `{"source":["a"]}`, bus.Target{ID: "t", To: "https://nowhere.invalid"})
	ref := bus.NamedRef{Name: "again"}
	_, err := r.buses.StartReplay(r.ctx, ref, bus.ReplaySpec{Target: "x/u"})
	r.must(err)
	src := r.source(bus.Ref{})
	if len(src.Replays) != 1 {
		t.Fatalf("%d replays", len(src.Replays))
	}
	p := src.Replays[0]
	if p.Topic != "default" || !slices.Equal(p.From, []int64{0}) || !slices.Equal(p.To, []int64{3}) || p.Only != nil {
		t.Errorf("%+v", p)
	}
	var wanted []string
	for _, rule := range src.Rules {
		for _, target := range rule.Targets {
			if p.Wants(rule, target) {
				wanted = append(wanted, rule.Ref.Name+"/"+target.ID)
			}
		}
	}
	if !slices.Equal(wanted, []string{"default/x/u"}) {
		t.Errorf("it is for %v", wanted)
	}
	got, err := r.buses.PauseReplay(r.ctx, ref)
	if err != nil || got.State != bus.Paused || !r.source(bus.Ref{}).Replays[0].Paused {
		t.Errorf("paused: %+v, %v", got, err)
	}
	got, err = r.buses.CancelReplay(r.ctx, ref)
	if err != nil || got.State != bus.Cancelled || len(r.source(bus.Ref{}).Replays) != 0 {
		t.Errorf("cancelled: %+v, %v", got, err)
	}
}
