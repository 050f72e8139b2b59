package cluster

import (
	"fmt"
	"os"
	"strconv"
	"testing"
)

func TestSeed(t *testing.T) {
	seed, _ := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	n, _ := strconv.Atoi(os.Getenv("N"))
	n = max(n, 1)
	for i := range n {
		var trace func(string)
		if os.Getenv("TRACE") != "" {
			trace = func(l string) { fmt.Println(l) }
		}
		r := Simulate(seed+uint64(i), trace)
		t.Logf("seed %d: %x, %d steps, %v: %s", r.Seed, r.Hash, r.Steps, r.Time, r.Failure)
		if r.Failure != "" {
			if trace == nil {
				for _, l := range r.Tail {
					t.Log(l)
				}
			}
			t.Fatalf("%+v", r.Options)
		}
		if os.Getenv("HITS") != "" {
			t.Log(r.Hits)
		}
	}
}
