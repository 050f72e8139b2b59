package main

import (
	"strings"
	"testing"
	"time"
)

func history() ([]sent, []came) {
	at := time.UnixMilli(1_000_000)
	var line []sent
	var topic []came
	for _, id := range []string{"a", "b", "c", "d"} {
		line = append(line, sent{id, at})
		topic = append(topic, came{id, at.Add(3 * time.Millisecond)})
		at = at.Add(time.Second)
	}
	return line, topic
}

func TestJudgeFindsNothingWrongInAGoodHistory(t *testing.T) {
	v := judge(history())
	if v.err() != nil || v.stored != 4 || v.percentile(0.99) != 3*time.Millisecond {
		t.Errorf("%v: %v", v.err(), v)
	}
}

func TestJudgeFindsEachPlantedFault(t *testing.T) {
	for name, plant := range map[string]func([]sent, []came) ([]sent, []came){
		"1 lost":         func(l []sent, c []came) ([]sent, []came) { return l, c[1:] },
		"1 twice":        func(l []sent, c []came) ([]sent, []came) { return l, append(c, c[2]) },
		"1 never stored": func(l []sent, c []came) ([]sent, []came) { return l[1:], c },
		"1 early": func(l []sent, c []came) ([]sent, []came) {
			c[0].dated = l[0].due.Add(-time.Millisecond)
			return l, c
		},
	} {
		v := judge(plant(history()))
		if err := v.err(); err == nil || !strings.Contains(err.Error(), name) || len(v.examples) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestJudgeOfNothing(t *testing.T) {
	if v := judge(nil, nil); v.err() != nil || v.percentile(1) != 0 {
		t.Errorf("%v", v)
	}
}

func TestJudgeFindsWhatIsWrongWithRuns(t *testing.T) {
	at := time.UnixMilli(1_000_000)
	want := map[string]time.Time{"a": at, "b": at.Add(time.Second)}
	good := func() []ran { return []ran{{"a", at.Add(time.Millisecond)}, {"b", at.Add(1005 * time.Millisecond)}} }
	if v := judgeRuns(want, good()); v.err() != nil || v.stored != 2 || v.percentile(1) != 5*time.Millisecond {
		t.Errorf("a good history: %v: %v", v.err(), v)
	}
	for name, came := range map[string][]ran{
		"1 lost":         good()[:1],
		"1 twice":        append(good(), good()[0]),
		"1 never stored": append(good(), ran{"c", at}),
		"1 early":        {{"a", at.Add(-time.Millisecond)}, good()[1]},
	} {
		v := judgeRuns(want, came)
		if err := v.err(); err == nil || !strings.Contains(err.Error(), name) || len(v.examples) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
