//go:build linux

package main

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"
)

// puppet is a member that only counts.
type puppet struct {
	ended              chan struct{}
	left, died, silent int
}

func (p *puppet) done() <-chan struct{} { return p.ended }
func (p *puppet) leave()                { p.left++ }
func (p *puppet) die()                  { p.died++ }
func (p *puppet) silence(_ context.Context, d time.Duration) error {
	if d > sessionTimeout {
		p.silent++
	}
	return nil
}

func puppets(n int) (*crowd, []*puppet) {
	c := &crowd{}
	var all []*puppet
	for i := range n {
		p := &puppet{ended: make(chan struct{})}
		all = append(all, p)
		c.places = append(c.places, &place{number: i, process: i%2 == 0, who: p})
	}
	return c, all
}

func newDriver(seed uint64, crowds ...*crowd) *driver {
	return &driver{crowds: crowds, r: rand.New(rand.NewPCG(seed, 0)), hits: map[string]int{}}
}

func TestADeckHasEachKindAndTheSeedItsOrder(t *testing.T) {
	names := func(seed uint64) (out []string) {
		for _, k := range newDriver(seed).deck() {
			out = append(out, k.name)
		}
		return out
	}
	count := map[string]int{}
	for _, n := range names(7) {
		count[n]++
	}
	for _, k := range kinds {
		if count[k.name] != k.often {
			t.Errorf("%s: %d cards, want %d", k.name, count[k.name], k.often)
		}
	}
	same, other := true, true
	for i, n := range names(7) {
		same = same && n == names(7)[i]
		other = other && n == names(8)[i]
	}
	if !same || other {
		t.Errorf("one seed, one order: %v; another seed, the same: %v", same, other)
	}
}

func TestAStrikeMeetsAMemberOfTheRightKind(t *testing.T) {
	for seed := range uint64(20) {
		c, all := puppets(4)
		d := newDriver(seed, c)
		for _, k := range kinds {
			if !k.broker {
				d.strike(t.Context(), k)
				d.wg.Wait()
			}
		}
		total := 0
		for i, p := range all {
			if process := i%2 == 0; process && p.silent > 1 || !process && p.silent > 1 {
				t.Errorf("seed %d: member %d was silenced %d times", seed, i, p.silent)
			}
			total += p.left + p.died + p.silent
		}
		if total != 6 {
			t.Errorf("seed %d: %d members were met, want 6", seed, total)
		}
		if got := d.missing(); len(got) != 1 || got[0] != "broker killed" {
			t.Errorf("seed %d: missing %v", seed, got)
		}
	}
}

func TestABusyOrEmptyPlaceIsPassedBy(t *testing.T) {
	c, all := puppets(6)
	if who := c.places[0].take(); who != all[0] {
		t.Fatal("a free member was not given")
	}
	c.places[2].set(nil)
	d := newDriver(1, c)
	for range 10 {
		d.strike(t.Context(), kinds[0])
		d.wg.Wait()
	}
	if all[0].died != 0 || all[2].died != 0 || all[4].died != 10 {
		t.Errorf("busy %d, absent %d, free %d", all[0].died, all[2].died, all[4].died)
	}
	c.places[4].set(nil)
	d.strike(t.Context(), kinds[0])
	if d.hits["process killed"] != 10 {
		t.Errorf("%d hits were counted, want those 10 that met somebody", d.hits["process killed"])
	}
	c.places[0].give()
	if c.places[0].take() == nil {
		t.Error("a place that was given back is busy")
	}
}

func TestAMemberThatEndsByItselfIsNotExpectedTo(t *testing.T) {
	p := &puppet{ended: make(chan struct{})}
	at := &place{who: p}
	if at.expected(p) {
		t.Error("nobody has touched it")
	}
	at.take()
	if !at.expected(p) {
		t.Error("something is being done to it")
	}
	at.give()
	if at.expected(p) {
		t.Error("it has lived through what was done to it")
	}
	at.take()
	close(p.ended)
	at.give()
	if !at.expected(p) {
		t.Error("it was made to end")
	}
}

func TestProtocolsAreChosenByName(t *testing.T) {
	got, err := chooseProtocols("cooperative, classic")
	if err != nil || len(got) != 2 || got[0].name != "cooperative" || got[1].name != "classic" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := chooseProtocols("paxos"); err == nil {
		t.Error("a protocol that nobody speaks was chosen")
	}
}
