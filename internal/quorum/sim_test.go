package quorum

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	simSeeds = flag.Int("quorum.seeds", 60, "seeds of the simulation to run")
	simFrom  = flag.Uint64("quorum.from", 1, "the first of them")
	simTrace = flag.Bool("quorum.trace", false, "print what happens")
)

// Runs a simulation for each seed, then asks that every kind of fault was met.
// To see one again: -run TestSimulation -quorum.from SEED -quorum.seeds 1 -quorum.trace
func TestSimulation(t *testing.T) {
	total := map[string]int{}
	var virtual int64
	var failed []uint64
	for i := range uint64(*simSeeds) {
		seed := *simFrom + i
		res := simulate(t, seed, tracer())
		if res.failure != "" {
			t.Errorf("seed %d: %s", seed, res.failure)
			if failed = append(failed, seed); len(failed) >= 10 {
				break
			}
		}
		for what, n := range res.hits {
			total[what] += n
		}
		virtual += res.ms
	}
	if len(failed) > 0 {
		t.Fatalf("seeds that failed: %v", failed)
	}
	t.Logf("%d seeds, %v simulated", *simSeeds, time.Duration(virtual)*time.Millisecond)
	for _, what := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%8d %s", total[what], what)
	}
	if *simSeeds < 60 {
		return
	}
	for _, what := range simFaults {
		if total[what] == 0 {
			t.Errorf("never met: %s", what)
		}
	}
}

// simFaults are what a run of many seeds has to meet.
var simFaults = []string{
	"loss", "duplicate", "delay", "reorder", "cut", "split", "isolation", "one-way", "bridge", "flapping",
	"power cut", "power cut of all", "kill", "clean stop", "io error", "failed member", "full disk", "pause", "clock jump",
	"leadership handed on", "leader said to have ended", "leader", "snapshot", "snapshot installed", "wipe", "rot", "damaged log refused",
	"change add", "change promote", "change demote", "change remove", "change update",
	"undecided", "refused for certain after a while",
	"disk: crash lost pages", "disk: crash lost names", "disk: disk full", "disk: sync failed",
}

func tracer() func(string) {
	if !*simTrace {
		return nil
	}
	return func(line string) { fmt.Println(line) }
}

// The same seed twice is the same to the byte.
func TestSimulationIsDeterministic(t *testing.T) {
	for _, seed := range []uint64{3, 17, 4711} {
		a, b := simulate(t, seed, nil), simulate(t, seed, nil)
		if a.hash != b.hash {
			t.Errorf("seed %d gave trace %x and then %x", seed, a.hash, b.hash)
		}
	}
}

// Seeds that once found something; see the file for what.
func TestSeedsThatFoundBugs(t *testing.T) {
	text, err := os.ReadFile("testdata/seeds")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		number, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if number == "" || number == "#" {
			continue
		}
		seed, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		for _, res := range []simResult{simulateWorld(t, seed, nil, func(*world) {}), simulate(t, seed, nil)} {
			if res.failure != "" {
				t.Errorf("seed %d: %s", seed, res.failure)
			}
		}
	}
}
