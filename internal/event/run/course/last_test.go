package course_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ottla/internal/event/plan"
	"ottla/internal/event/run/course"
)

// What Take remembers of the rules that it took up last changes nothing: one that looks
// at every rule comes to the same.
func TestWhatWasTakenUpBeforeIsTakenAsOneThatLooks(t *testing.T) {
	for seed := range uint64(60) {
		if err := takeOften(rand.New(rand.NewPCG(seed, 1))); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func takeOften(rng *rand.Rand) error {
	var knows, looks course.State
	for _, s := range []*course.State{&knows, &looks} {
		s.Rules, s.Branches, s.Replays = map[string]course.Rule{}, map[course.Name]course.Branch{}, map[string]course.Replay{}
	}
	var rules []*plan.Rule
	made, topic := 0, "one"
	for range 60 {
		for range 1 + rng.IntN(3) {
			at := 0
			if len(rules) > 0 {
				at = rng.IntN(len(rules))
			}
			switch what := rng.IntN(8); {
			case what < 4 || len(rules) == 0:
				made++
				from := make([]int64, rng.IntN(3))
				for i := range from {
					from[i] = int64(rng.IntN(40))
				}
				rules = append(rules, rule(fmt.Sprint("r", made), 1, from...))
			case what == 4: // as a bus does it: the last one gets its place
				rules[at] = rules[len(rules)-1]
				rules = rules[:len(rules)-1]
			case what == 5:
				of := *rules[at]
				of.Version++
				of.Paused = !of.Paused
				rules[at] = &of
			default:
				of := *rules[at]
				of.Version++
				of.Targets = append(slices.Clone(of.Targets), &plan.Target{Key: of.ID + "/more", ID: "more", From: []int64{int64(rng.IntN(40))}})
				if len(of.Targets) > 1 && of.Targets[len(of.Targets)-2].ID == "more" {
					of.Targets = nil
				}
				rules[at] = &of
			}
		}
		ill := map[string]string{}
		if rng.IntN(5) == 0 && len(rules) > 0 {
			for _, g := range rules[rng.IntN(len(rules))].Targets {
				ill[g.Key] = "ill"
			}
		}
		if rng.IntN(30) == 0 {
			topic = "other" + topic
		}
		src := source(slices.Clone(rules)...)
		looks.Forget()
		got, want := knows.Take(seat, src, topic, ill, 1, 20), looks.Take(seat, src, topic, ill, 1, 20)
		for _, notes := range [][]course.Note{got.Notes, want.Notes} { // of a topic that was made anew they are in any order
			slices.SortStableFunc(notes, func(a, b course.Note) int { return strings.Compare(a.Key, b.Key) })
		}
		if !reflect.DeepEqual(got, want) {
			return fmt.Errorf("it takes up %s, notes %v; want %s, %v", told(got), got.Notes, told(want), want.Notes)
		}
		looks.Forget()
		for _, n := range slices.SortedFunc(maps.Keys(knows.Branches), func(a, b course.Name) int { return strings.Compare(a.Target, b.Target) }) {
			if rng.IntN(2) == 0 && slices.Contains(got.Run, n) {
				if got, want := knows.Rejoin(seat, n), looks.Rejoin(seat, n); !reflect.DeepEqual(got, want) {
					return fmt.Errorf("%v comes back by %v, want %v", n, got, want)
				}
				back(got.Table, src, &knows, n)
			}
		}
		on := int64(rng.IntN(3))
		knows.Main.At += on
		looks.Main.At += on
	}
	return nil
}

// back puts a target into the table that has come back, as the pass does.
func back(table course.Table, src *plan.Source, s *course.State, n course.Name) {
	for i, r := range src.Rules {
		for k, g := range r.Targets {
			if g.Key == n.Target {
				table[i][k] = s.Rules[r.Ref.Key()].Targets[g.ID]
			}
		}
	}
}

// BenchmarkTake is one rule more of a hundred thousand.
func BenchmarkTake(b *testing.B) {
	s := course.State{Rules: map[string]course.Rule{}, Branches: map[course.Name]course.Branch{}, Replays: map[string]course.Replay{}}
	var rules []*plan.Rule
	for i := range 100_000 {
		rules = append(rules, rule(fmt.Sprint("r", i), 1, 0))
	}
	s.Take(seat, source(rules...), "one", nil, 1, 0)
	for i := 0; b.Loop(); i++ {
		of := *rules[i%len(rules)]
		of.Version++
		rules[i%len(rules)] = &of
		s.Take(seat, source(slices.Clone(rules)...), "one", nil, 1, 0)
	}
}
