package metadata

import (
	"math/rand"
	"reflect"
	"slices"
	"testing"

	"ottla/internal/uuid"
)

// What Diff tells between two images of one history is what the steps between
// them told, taken together.
func TestDiffIsTheSumOfTheSteps(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewSource(int64(seed)))
		var id byte
		before := Empty()
		for n := range 30 {
			before = stepRandomly(t, rng, before, &id, n, nil)
		}
		after, sum := before, newSum()
		for n := range rng.Intn(40) {
			after = stepRandomly(t, rng, after, &id, 30+n, sum)
		}
		sum.agrees(t, seed, before, after, Diff(before, after))
		if d := Diff(after, after); len(d.Created)+len(d.Deleted)+len(d.Changed)+len(d.Configs)+len(d.Brokers) > 0 || d.Features {
			t.Fatalf("seed %d: an image differs from itself: %+v", seed, d)
		}
	}
}

func stepRandomly(t *testing.T, rng *rand.Rand, img *Image, id *byte, n int, sum *sumOfSteps) *Image {
	t.Helper()
	next, d, err := img.With(int64(n), 1, randomRecord(rng, img, id))
	if err != nil {
		return img // a record that does not fit
	}
	if sum != nil {
		sum.add(d)
	}
	return next
}

// sumOfSteps is what some steps touched.
type sumOfSteps struct {
	topics  map[uuid.UUID]bool
	parts   map[partitionKey]bool
	configs map[ConfigChange]bool
	brokers map[int32]bool
}

func newSum() *sumOfSteps {
	return &sumOfSteps{map[uuid.UUID]bool{}, map[partitionKey]bool{}, map[ConfigChange]bool{}, map[int32]bool{}}
}

func (s *sumOfSteps) add(d *Delta) {
	for _, t := range slices.Concat(d.Created, d.Deleted) {
		s.topics[t.ID] = true
	}
	for _, p := range d.Changed {
		s.parts[partitionKey{p.Topic.ID, p.Index}] = true
	}
	for _, c := range d.Configs {
		s.configs[c] = true
	}
	for _, b := range d.Brokers {
		s.brokers[b] = true
	}
}

// agrees: nothing is told that no step touched, and whoever acts on the
// difference ends with what the later image has.
func (s *sumOfSteps) agrees(t *testing.T, seed uint64, before, after *Image, d *Delta) {
	t.Helper()
	topics := map[uuid.UUID]bool{}
	for is := range before.Topics() {
		topics[is.ID] = true
	}
	for _, was := range d.Deleted {
		if !topics[was.ID] || !s.topics[was.ID] {
			t.Fatalf("seed %d: topic %s was deleted and is not of before", seed, was.Name)
		}
		delete(topics, was.ID)
	}
	for _, is := range d.Created {
		if topics[is.ID] || !s.topics[is.ID] {
			t.Fatalf("seed %d: topic %s was created and is of before", seed, is.Name)
		}
		topics[is.ID] = true
	}
	if len(topics) != after.TopicCount() {
		t.Fatalf("seed %d: the difference leads to %d topics, want %d", seed, len(topics), after.TopicCount())
	}
	parts := map[partitionKey]*Partition{}
	for is := range before.Topics() {
		for _, p := range is.Partitions {
			parts[partitionKey{is.ID, p.Index}] = p
		}
	}
	for _, p := range d.Changed {
		key := partitionKey{p.Topic.ID, p.Index}
		if !s.parts[key] {
			t.Fatalf("seed %d: partition %v is told and was not touched", seed, key)
		}
		parts[key] = p
	}
	for is := range after.Topics() {
		for _, p := range is.Partitions {
			if before.TopicByID(is.ID) != nil && !samePartition(parts[partitionKey{is.ID, p.Index}], p) {
				t.Fatalf("seed %d: partition %d of %s differs and is not told", seed, p.Index, is.Name)
			}
		}
	}
	s.othersAgree(t, seed, before, after, d)
}

func (s *sumOfSteps) othersAgree(t *testing.T, seed uint64, before, after *Image, d *Delta) {
	t.Helper()
	for _, b := range d.Brokers {
		if !s.brokers[b] {
			t.Fatalf("seed %d: broker %d is told and was not touched", seed, b)
		}
	}
	for is := range after.Brokers() {
		if !slices.Contains(d.Brokers, is.ID) && !reflect.DeepEqual(before.Broker(is.ID), is) {
			t.Fatalf("seed %d: broker %d differs and is not told", seed, is.ID)
		}
	}
	for _, c := range d.Configs {
		if !s.configs[c] && !s.topicNamed(before, after, c.Name) {
			t.Fatalf("seed %d: configs of %+v are told and were not touched", seed, c)
		}
	}
	for r := range after.configs.all() {
		if !slices.Contains(d.Configs, ConfigChange(r)) && !reflect.DeepEqual(before.Config(r.Type, r.Name), after.Config(r.Type, r.Name)) {
			t.Fatalf("seed %d: configs of %+v differ and are not told", seed, r)
		}
	}
}

// topicNamed: a topic's configs go with it.
func (s *sumOfSteps) topicNamed(before, after *Image, name string) bool {
	was := before.TopicByName(name)
	return was != nil && after.TopicByID(was.ID) == nil
}
