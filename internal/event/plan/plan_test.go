package plan_test

import (
	"testing"

	"ottla/internal/event/plan"
)

// A replay that is made again under the name of another is another: what its targets get
// was not seen before.
func TestADeliveryOfAnotherReplayIsAnother(t *testing.T) {
	target := &plan.Target{Key: "rule/x#1/t"}
	id := func(replay, of string) string {
		e := plan.Event{Topic: "b", Partition: 1, Offset: 7, Replay: replay, ReplayID: of}
		return e.DeliveryID(target)
	}
	if live, first, second := id("", ""), id("again", "1"), id("again", "2"); live == first || first == second {
		t.Errorf("deliveries are %s live, and %s and %s in replays", live, first, second)
	}
}

func TestAttemptsTakeAsLongAsTheirWaits(t *testing.T) {
	for _, c := range []struct {
		retry plan.Retry
		want  int64
	}{
		{plan.Retry{}, 0},
		{plan.Retry{Most: -1}, 0},
		{plan.Retry{Most: 3}, 7000},
		{plan.Retry{Most: 11}, 511_000 + 2*480_000},
		{plan.Retry{Most: 4, WaitsMs: []int64{10, 200}}, 610},
	} {
		if got := c.retry.SpanMs(); got != c.want {
			t.Errorf("%+v: %d ms, want %d", c.retry, got, c.want)
		}
	}
}
