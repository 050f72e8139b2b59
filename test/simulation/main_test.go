package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"ottla/test/simulation/cluster"
)

// TestAChildRunsWhatItIsTold: one report for each order, in their order; a seed that
// is run twice tells both hashes.
func TestAChildRunsWhatItIsTold(t *testing.T) {
	var in, out bytes.Buffer
	enc := json.NewEncoder(&in)
	for _, o := range []order{{Seed: 7}, {Seed: 4, Twice: true}} {
		if err := enc.Encode(o); err != nil {
			t.Fatal(err)
		}
	}
	if err := serve(&in, &out); err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(&out)
	var first, second report
	for _, r := range []*report{&first, &second} {
		if err := dec.Decode(r); err != nil {
			t.Fatal(err)
		}
		if r.Failure != "" || r.Hash == 0 || r.Hits["start"] == 0 {
			t.Errorf("seed %d: %s, hash %x, %d starts", r.Seed, r.Failure, r.Hash, r.Hits["start"])
		}
	}
	if first.Seed != 7 || first.Second != 0 || second.Seed != 4 || second.Second != second.Hash {
		t.Errorf("seed %d with %x, seed %d with %x and %x", first.Seed, first.Second, second.Seed, second.Hash, second.Second)
	}
}

func TestAnOrderThatIsNoneIsRefused(t *testing.T) {
	if err := serve(strings.NewReader("{"), new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "order") {
		t.Errorf("got %v", err)
	}
}

// TestARunIsHeldToWhatItMustHaveMet: by name, from 400 seeds on.
func TestARunIsHeldToWhatItMustHaveMet(t *testing.T) {
	all := map[string]int{}
	for _, name := range cluster.Wanted {
		all[name] = 1
	}
	add := func(n int, change func(*report)) *tally {
		a := newTally()
		for i := range n {
			r := report{Result: cluster.Result{Seed: uint64(i), Hash: 5, Hits: all}, Second: 5}
			if i == 0 {
				change(&r)
			}
			a.add(&r, true)
		}
		return a
	}
	for what, c := range map[string]struct {
		seeds  int
		change func(*report)
		want   string
	}{
		"all is well":      {enough, func(*report) {}, ""},
		"two hashes":       {3, func(r *report) { r.Second = 6 }, "seeds [0] are not the same"},
		"a failure":        {3, func(r *report) { r.Failure = "lost" }, "1 of 3 seeds failed"},
		"few seeds":        {1, func(r *report) { r.Hits = nil }, ""},
		"nothing happened": {enough, func(*report) { clear(all) }, "never hit in 400 seeds: power cut of all"},
	} {
		got := add(c.seeds, c.change).verdict()
		if c.want == "" && got != nil || c.want != "" && (got == nil || !strings.Contains(got.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", what, got, c.want)
		}
		for _, name := range cluster.Wanted {
			all[name] = 1
		}
	}
}
