package timer

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The partition of a key is the one that Kafka's clients choose.
func TestAKeyGoesWhereProducersPutIt(t *testing.T) {
	by := kgo.StickyKeyPartitioner(nil).ForTopic("t")
	for _, key := range []string{"", "a", "ab", "abc", "abcd", "order-17", "a longer key with some words", "\xff\xfe\x80\x7f\x00"} {
		for _, n := range []int{1, 2, 3, 7, 50} {
			want := by.Partition(&kgo.Record{Key: []byte(key)}, n)
			if got := partitionOf(spreadOf(-1, []byte(key), hashOf("x")), int32(n)); int(got) != want {
				t.Errorf("%q of %d partitions: %d, want %d", key, n, got, want)
			}
		}
	}
}

func TestWithoutAKeyTheTimersOwnKeySpreads(t *testing.T) {
	seen := map[int32]int{}
	for i := range 300 {
		seen[partitionOf(spreadOf(-1, nil, hashOf(string(rune('a'+i)))), 3)]++
	}
	for p := range int32(3) {
		if seen[p] < 60 {
			t.Errorf("partition %d has %d of 300", p, seen[p])
		}
	}
	if got := partitionOf(spreadOf(2, []byte("k"), hashOf("x")), 3); got != 2 {
		t.Errorf("a partition that is named became %d", got)
	}
}

func TestSequencesBeginAgainAfterTheLargest(t *testing.T) {
	if got := after(1<<31-1, 1); got != 0 {
		t.Errorf("after the largest comes %d", got)
	}
	if got := after(5, 3); got != 8 {
		t.Errorf("5 and 3 records make %d", got)
	}
}
