package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"ottla/test/simulation/cluster"
)

// enough is from how many seeds on everything must have happened.
const enough = 400

// mostShown bounds the failures that are told in full.
const mostShown = 3

// tally adds up what seeds say.
type tally struct {
	mu            sync.Mutex // guards all below
	seeds, twice  int
	failed, steps int
	simulated     time.Duration
	hits          map[string]int
	different     []uint64 // seeds that were not the same twice
}

func newTally() *tally { return &tally{hits: map[string]int{}} }

func (t *tally) add(r *report, twice bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seeds++
	t.steps += r.Steps
	t.simulated += r.Time
	for k, n := range r.Hits {
		t.hits[k] += n
	}
	if twice {
		t.twice++
		if r.Second != r.Hash {
			t.different = append(t.different, r.Seed)
		}
	}
	if r.Failure != "" {
		if t.failed++; t.failed <= mostShown {
			printFailure(&r.Result)
		}
	}
}

// verdict tells what is not well.
func (t *tally) verdict() error {
	var errs []error
	if t.failed > 0 {
		errs = append(errs, fmt.Errorf("%d of %d seeds failed", t.failed, t.seeds))
	}
	if len(t.different) > 0 {
		errs = append(errs, fmt.Errorf("seeds %v are not the same when they are run twice: something hangs on the order of a map, on the time or on chance", t.different))
	}
	if t.seeds >= enough {
		for _, name := range cluster.Wanted {
			if t.hits[name] == 0 {
				errs = append(errs, fmt.Errorf("never hit in %d seeds: %s", t.seeds, name))
			}
		}
	}
	return errors.Join(errs...)
}

func printHits(hits map[string]int) {
	for _, name := range slices.Sorted(maps.Keys(hits)) {
		fmt.Printf("%9d  %s\n", hits[name], name)
	}
}
