package queue_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/queue"
	"ottla/internal/record"
	"ottla/internal/share/store"
)

// Whoever buries is told which letters are written, those too that were written
// since he began: that their records are archived may not have been stored.
func TestAMorgueKnowsWhatItBuriedLast(t *testing.T) {
	r := start(t)
	topics, err := r.admin().CreateTopics(r.ctx, 1, 1, nil, "orders", "dead")
	r.must(err)
	key := store.Key{Group: "queue.orders", TopicID: [16]byte(topics["orders"].ID)}
	open := func(opts ...kgo.Opt) (*kgo.Client, error) {
		return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(r.s.KafkaAddr())}, opts...)...)
	}
	of := func(store.Key) (string, bool) { return "orders", true }
	most := func(string) int { return 1 << 20 }
	m := queue.NewMorgue(open, of, most)
	defer func() { m.Close() }()
	buried := func(want ...int64) {
		t.Helper()
		got, err := m.Buried(r.ctx, key, 3)
		r.must(err)
		if have := slices.Sorted(maps.Keys(got)); !slices.Equal(have, want) {
			t.Errorf("buried are %v, want %v", have, want)
		}
	}
	bury := func(offsets ...int64) {
		t.Helper()
		b := record.NewBuilder()
		for range offsets {
			b.Add(r.clock.ms.Load(), nil, []byte("a letter"))
		}
		r.must(m.Bury(r.ctx, key, 3, "dead", 0, offsets, [][]byte{b.Build(0)}))
	}
	buried()
	bury(4, 5, 9)
	buried(4, 5, 9)
	bury(10)
	buried(10)
	again := key
	again.TopicID[0]++ // the topic is made anew, and what is committed for its name is still there
	if got, err := m.Buried(r.ctx, again, 3); err != nil || len(got) > 0 {
		t.Errorf("of another topic of the name, buried are %v, %v", got, err)
	}
	if got, err := m.Buried(r.ctx, key, 4); err != nil || len(got) > 0 {
		t.Errorf("once the state was reset, buried are %v, %v", got, err)
	}
	m.Close() // as a node ends
	m = queue.NewMorgue(open, of, most)
	buried(10)
	bury(12)
	buried(12)
}
