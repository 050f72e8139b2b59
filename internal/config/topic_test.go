package config

import (
	"fmt"
	"testing"
)

// manyTopics has overrides for every other topic.
func manyTopics(n int) (fakeDynamic, []string) {
	d := fakeDynamic{ScopeTopic: {}, ScopeBroker: {"": {"log.roll.ms": "5000"}}}
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("topic-%d", i)
		if i%2 == 0 {
			d[ScopeTopic][names[i]] = map[string]string{"retention.ms": fmt.Sprint(i), "segment.bytes": "2000000"}
		}
	}
	return d, names
}

func TestEveryTopicGetsItsOwnSettings(t *testing.T) {
	v := viewOf(t, nil)
	d, names := manyTopics(100)
	for i, name := range names {
		got := v.TopicConfig(d, name)
		want := int64(604800000)
		if i%2 == 0 {
			want = int64(i)
		}
		if got.RetentionMs != want || got.SegmentMs != 5000 {
			t.Errorf("%s: got retention %d and roll %d, want %d and 5000", name, got.RetentionMs, got.SegmentMs, want)
		}
		for _, def := range All(ScopeTopic) {
			if shown := v.Topic(d, name, def.Name); def.Name == "retention.ms" && shown.Value != fmt.Sprint(want) {
				t.Errorf("%s: shown as %s, heeded as %d", name, shown.Value, want)
			}
		}
	}
}

func TestResolvingATopicWithoutOverridesAllocatesNothing(t *testing.T) {
	v := viewOf(t, nil)
	d, names := manyTopics(2)
	if n := testing.AllocsPerRun(100, func() { v.TopicConfig(d, names[1]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkTopicConfigOf5000Topics(b *testing.B) {
	v := &View{NodeID: 1}
	d, names := manyTopics(5000)
	b.ReportAllocs()
	for b.Loop() {
		for _, name := range names {
			v.TopicConfig(d, name)
		}
	}
}
