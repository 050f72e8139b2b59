package queues

import (
	"strings"
	"testing"

	"ottla/internal/event/queue"
	"ottla/internal/gateway/rest"
)

func behind(at int64) *int64 { return &at }

func TestWhatHoldsMessagesIsSaidInWords(t *testing.T) {
	for what, c := range map[string]struct {
		counts rest.Counts
		part   rest.ExplainedPart
		most   int32
		want   []string // of the notes in order, what each must have
	}{
		"nothing": {want: []string{"nothing is in the queue"}},
		"free":    {counts: rest.Counts{Waiting: 2}, want: []string{"2 messages can be taken now"}},
		"in flight": {
			counts: rest.Counts{InFlight: 3}, part: rest.ExplainedPart{NowMs: 1000, Holds: []rest.Hold{
				{First: 1, Last: 2, Condition: "in_flight", UntilMs: 31_000, Taken: 1}, {First: 5, Last: 5, Condition: "in_flight", UntilMs: 3_500, Taken: 4},
			}}, want: []string{"3 messages of partition 0 are in flight: the one at offset 5 is free again in 2.5s (taken 4 times)"}},
		"a share consumer": {
			counts: rest.Counts{InFlight: 1}, part: rest.ExplainedPart{NowMs: 1000, More: true, Holds: []rest.Hold{{First: 1, Last: 1, Condition: "in_flight", UntilMs: 900, Member: "m-1"}}},
			want: []string{"at least 1 message of partition 0 is in flight: the one at offset 1 is free again now, held by the share consumer m-1"}},
		"delayed": {
			counts: rest.Counts{Delayed: 1}, part: rest.ExplainedPart{Partition: 2, Holds: []rest.Hold{{First: 7, Last: 7, Condition: "delayed", UntilMs: 150}}},
			want: []string{"1 message of partition 2 is delayed: the one at offset 7 can be taken in 150ms"}},
		"groups": {
			counts: rest.Counts{Waiting: 4, InFlight: 1}, part: rest.ExplainedPart{Holds: []rest.Hold{
				{First: 0, Last: 0, Condition: "in_flight", UntilMs: 60_000, Group: "a"}, {First: 1, Last: 2, Condition: "behind", Behind: behind(0), Group: "a"},
				{First: 4, Last: 4, Condition: "behind", Behind: behind(3), Group: "b"},
			}},
			want: []string{"1 message can be taken now", "the one at offset 0", `2 messages of group "a" wait for the one at offset 0, which is in flight: it is free again in 1m0s`,
				`1 message of group "b" waits for the one at offset 3, which can be taken`}},
		"many groups": {
			counts: rest.Counts{Waiting: 6}, part: rest.ExplainedPart{Holds: []rest.Hold{
				{First: 0, Last: 0, Condition: "dying"}, {First: 1, Last: 1, Condition: "behind", Behind: behind(0)}, {First: 12, Last: 12, Condition: "delayed", UntilMs: 10},
				{First: 2, Last: 2, Condition: "behind", Behind: behind(12)}, {First: 3, Last: 3, Condition: "behind", Behind: behind(13)},
				{First: 4, Last: 4, Condition: "behind", Behind: behind(14)}, {First: 5, Last: 5, Condition: "behind", Behind: behind(15)}, {First: 6, Last: 6, Condition: "behind", Behind: behind(16)},
			}},
			want: []string{"is delayed", "which was given up", "which is delayed: it can be taken in 10ms", "offset 13", "offset 14", "offset 15", "1 other groups stand still, too", "1 message was given up in partition 0"}},
		"trouble": {
			counts: rest.Counts{Waiting: 1}, part: rest.ExplainedPart{Leader: -1, Locked: 5, MostLocked: 5, Uncommitted: 9}, most: 7,
			want: []string{"can be taken now", "partition 0 has no leader", "no more may be", "9 offsets of partition 0 wait for the end of a transaction", "taken 7 times, and the queue has no dead letters"}},
	} {
		x := &rest.Explained{Queue: rest.Queue{Name: "q", Spec: queue.Spec{Topic: "q"}, Counts: &c.counts}, MostTaken: c.most, Partitions: []rest.ExplainedPart{c.part}}
		got := Verdict(x)
		for i, want := range c.want {
			if i >= len(got) || !strings.Contains(got[i].Text, want) {
				t.Errorf("%s: note %d lacks %q: %+v", what, i, want, got)
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %d notes, want %d: %+v", what, len(got), len(c.want), got)
		}
	}
	if got := Verdict(&rest.Explained{MostTaken: 9, Queue: rest.Queue{Spec: queue.Spec{DeadLetter: &queue.DeadLetter{}}}}); len(got) != 1 {
		t.Errorf("with dead letters nothing is to be done: %+v", got)
	}
}
