package cluster

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"
)

// share is which of the seeds are run: all, but under the race detector, which makes
// each seven times as dear (100 s of a processor in all), every fourth. There is one
// goroutine at work nearly all of the time, so it has little to find here, and what the
// seeds are for is found without it.
func share(n int) (run bool) { return !raced || n%4 == 0 }

// TestSeedsThatFoundSomethingAreWell: testdata/seeds has a line for each: the seed,
// and what it found. Sizes and faults are drawn from the seed, so a change of what a
// seed draws makes another simulation of it; it is a simulation all the same.
func TestSeedsThatFoundSomethingAreWell(t *testing.T) {
	file, err := os.Open("testdata/seeds")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	n := 0
	for in := bufio.NewScanner(file); in.Scan(); {
		line := in.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		number, what, _ := strings.Cut(line, " ")
		seed, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			t.Fatalf("testdata/seeds: %q: %v", line, err)
		}
		if share(n) {
			check(t, seed, what)
		}
		n++
	}
	if n == 0 {
		t.Error("testdata/seeds has no seed")
	}
}

func check(t *testing.T, seed uint64, what string) {
	t.Helper()
	if r := Simulate(seed, nil); r.Failure != "" {
		t.Errorf("seed %d (%s): %s\n%s\noptions %+v", seed, what, r.Failure, strings.Join(r.Tail, "\n"), r.Options)
	}
}

// TestTheSameSeedIsTheSameTwice: the traces are equal, to the last operation of
// each disk.
func TestTheSameSeedIsTheSameTwice(t *testing.T) {
	for seed := range uint64(4) {
		if !share(int(seed)) {
			continue
		}
		a, b := Simulate(seed, nil), Simulate(seed, nil)
		if a.Hash != b.Hash || a.Steps != b.Steps || a.Steps < 1000 {
			t.Errorf("seed %d: %x after %d events, then %x after %d", seed, a.Hash, a.Steps, b.Hash, b.Steps)
		}
	}
}

// TestWhatIsBrokenIsFound: each sabotage is seen by the rules within some seeds.
func TestWhatIsBrokenIsFound(t *testing.T) {
	for s, says := range map[Sabotage]string{
		LyingSyncs: "", EarlyAnswers: "", LostMarkers: "after the faults", ForgetfulGroups: "", DirtyReads: "",
	} {
		found := ""
		for seed := uint64(1); seed <= 30 && found == ""; seed++ {
			found = SimulateBroken(seed, s, nil).Failure
		}
		if found == "" || !strings.Contains(found, says) {
			t.Errorf("%s: found %q", s, found)
		}
		first, _, _ := strings.Cut(found, "\n")
		t.Logf("%s: %s", s, first)
	}
}
