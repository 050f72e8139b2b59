package known

import (
	"regexp"
	"testing"
)

func TestEveryDifferenceSaysWhatAndWhy(t *testing.T) {
	for i, list := range [][]Difference{Answers, Lines, Native, Cluster} {
		for _, d := range list {
			if d.Where == "" || d.What == "" || d.Reason == "" {
				t.Errorf("%+v: where, what and reason must all be said", d)
			}
			if answers := i == 0; answers != (d.Part != "") {
				t.Errorf("%+v: answers name their part, lines do not", d)
			}
			for _, pattern := range []string{d.Where, d.Kafka, d.Ottla} {
				if _, err := regexp.Compile(pattern); err != nil {
					t.Errorf("%+v: %v", d, err)
				}
			}
		}
	}
}

func TestADifferenceExcusesOnlyWhatItNames(t *testing.T) {
	l := NewList([]Difference{{Where: `a/.*`, Kafka: "1", What: "w", Reason: "r"}, {Where: `b`, Ottla: "2|3", What: "w", Reason: "r"}})
	for _, c := range []struct {
		where, kafka, ottla string
		want                bool
	}{
		{"a/x", "1", "2", true},
		{"a/x", "12", "2", false}, // patterns match the whole
		{"a", "1", "2", false},
		{"b", "x", "3", true},
		{"b", "x", "4", false},
		{"b/x", "x", "3", false},
	} {
		if got := l.Find(c.where, c.kafka, c.ottla) != nil; got != c.want {
			t.Errorf("Find(%q, %q, %q) = %v, want %v", c.where, c.kafka, c.ottla, got, c.want)
		}
	}
	if got := l.Uses(); got[0] != 1 || got[1] != 1 {
		t.Errorf("uses are %v, want one each", got)
	}
	if got := l.Unused(); len(got) != 0 {
		t.Errorf("unused are %v, want none", got)
	}
}
