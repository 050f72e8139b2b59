package group

import (
	"testing"
	"time"

	"ottla/internal/coordinator"
)

// What stands in the log goes by the command's Wall, time-outs by now: a wall
// clock that is moved expires offsets and no member.
func TestOffsetsGoByTheWallAndSessionsByNow(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	wall := now.Add(100 * 24 * time.Hour)
	m := New(Defaults())
	step := func(wall time.Time, body any) coordinator.Output {
		t.Helper()
		out, err := m.Step(now, coordinator.Command{Token: 1, Wall: wall, Body: body})
		if err != nil {
			t.Fatalf("%T: %v", body, err)
		}
		for _, r := range out.Records {
			m.Apply(r)
		}
		if out.Accepted != nil {
			out.Accepted()
		}
		return out
	}
	commit := Commit{Group: "g", Generation: -1, RetentionMs: -1, Topics: []CommitTopic{{Name: "t", Partitions: []CommitPartition{{Index: 0, Offset: 5, LeaderEpoch: -1}}}}}
	step(wall, commit)
	if at := m.groups["g"].offsets["t"][0].CommitMs; at != wall.UnixMilli() {
		t.Errorf("the commit is dated %d, want the wall's %d", at, wall.UnixMilli())
	}
	for _, c := range []struct {
		after time.Duration
		left  bool
	}{{0, true}, {7*24*time.Hour - time.Millisecond, true}, {7 * 24 * time.Hour, false}} {
		out := step(wall.Add(c.after), Sweep{})
		if len(out.Replies) != 1 || out.Replies[0].Body != false {
			t.Errorf("after %v the sweep answers %+v, want that it is done", c.after, out.Replies)
		}
		if m.groups["g"] != nil != c.left {
			t.Errorf("after %v the group is there: %v, want %v", c.after, !c.left, c.left)
		}
		for _, timer := range out.Timers {
			if timer.At != now.Add(Defaults().RetentionCheck) {
				t.Errorf("the next check is at %v, want it by the clock of time-outs", timer.At)
			}
		}
	}
}

func TestASweepTellsWhenThereIsMore(t *testing.T) {
	w, m := time.UnixMilli(0).Add(1000*time.Hour), New(Defaults())
	for p := range int32(fullAt + 10) {
		out, err := m.Step(w, coordinator.Command{Token: 1, Body: Commit{Group: "g", Generation: -1, RetentionMs: 0,
			Topics: []CommitTopic{{Name: "t", Partitions: []CommitPartition{{Index: p, LeaderEpoch: -1}}}}}})
		if err != nil {
			t.Fatal(err)
		}
		m.Apply(out.Records[0])
	}
	for _, more := range []bool{true, false} {
		out, err := m.Step(w, coordinator.Command{Token: 1, Body: Sweep{}})
		if err != nil || len(out.Replies) != 1 || out.Replies[0].Body != more {
			t.Fatalf("the sweep answers %+v, %v, want %v", out.Replies, err, more)
		}
		for _, r := range out.Records {
			m.Apply(r)
		}
	}
	if len(m.groups) != 0 {
		t.Errorf("%d groups are left", len(m.groups))
	}
}
