package server

import (
	"slices"
	"testing"
	"time"

	"ottla/internal/metadata"
)

func TestMembersReportTheLessOftenTheMoreThereAre(t *testing.T) {
	var p pace
	total := 0
	for _, c := range []struct {
		come int
		want time.Duration
	}{{1, 300 * time.Millisecond}, {149, 300 * time.Millisecond}, {150, 600 * time.Millisecond}, {700, 2 * time.Second}, {10_000, 5 * time.Second}, {-10_999, 300 * time.Millisecond}} {
		p.count(c.come)
		total += c.come
		if got := p.interval(); got != c.want {
			t.Errorf("%d members report every %v, want %v", total, got, c.want)
		}
	}
}

func TestNewsOfTopicsAreToldOnceAndNoneIsLost(t *testing.T) {
	var n topicNews
	topic := func(name string) *metadata.Topic { return &metadata.Topic{Name: name} }
	if n.add(&metadata.Delta{Features: true}) {
		t.Error("there is nothing to tell")
	}
	if !n.add(&metadata.Delta{Created: []*metadata.Topic{topic("b")}, Deleted: []*metadata.Topic{topic("a")}}) {
		t.Error("nobody tells the first news")
	}
	if n.add(&metadata.Delta{Changed: []*metadata.Partition{{Topic: topic("c")}, {Topic: topic("c")}}}) {
		t.Error("a second one began to tell")
	}
	if got := n.take(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("told %q, want what came meanwhile too", got)
	}
	if got := n.take(); len(got) != 0 {
		t.Errorf("told %q again", got)
	}
	if !n.add(&metadata.Delta{Created: []*metadata.Topic{topic("d")}}) {
		t.Error("news that came after the last were told are told by nobody")
	}
}
