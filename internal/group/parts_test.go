package group

import (
	"fmt"
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/group/schema"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// What has more tombstones than a batch should hold goes in parts.

// committed is a world with a group of so many offsets in topic t.
func committed(t *testing.T, partitions int32) *world {
	t.Helper()
	w := newWorld(t, Defaults())
	c := Commit{Group: "g", Generation: -1, RetentionMs: -1}
	topic := CommitTopic{Name: "t", ID: uuid.UUID{1}}
	for p := range partitions {
		topic.Partitions = append(topic.Partitions, CommitPartition{Index: p, Offset: int64(p), LeaderEpoch: -1})
	}
	c.Topics = []CommitTopic{topic}
	if _, _, err := w.do(c); err != nil {
		t.Fatal(err)
	}
	return w
}

// settle fires what is due now and counts the most records of one turn.
func (w *world) settle() (turns, most int) {
	for {
		out, ok := w.fire(w.now)
		if !ok {
			return turns, most
		}
		turns, most = turns+1, max(most, len(out.Records))
	}
}

func TestALargeGroupIsDeletedInPartsAndItsCallerHearsOnce(t *testing.T) {
	w := committed(t, 2500)
	token, out, err := w.do(Delete{Group: "g"})
	if err != nil || len(out.Replies) != 0 || len(out.Records) != fullAt {
		t.Fatalf("the first part has %d records and %d replies, %v", len(out.Records), len(out.Replies), err)
	}
	turns, most := w.settle()
	if turns != 2 || most != fullAt || w.parked[token] || len(w.m.groups) != 0 {
		t.Errorf("%d more turns of up to %d records; waits %v; groups %q", turns, most, w.parked[token], w.m.ids())
	}
	w.sameAfterReplay()
}

func TestALargeDeletionEndsWhenSomeoneJoinsMeanwhile(t *testing.T) {
	w := committed(t, 1500)
	token, _, err := w.do(Delete{Group: "g"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.do(Join{Group: "g", SessionMs: 10000, RebalanceMs: 10000, ProtocolType: "consumer", Protocols: []Protocol{{Name: "range"}}}); err != nil {
		t.Fatal(err)
	}
	out, _ := w.fire(w.now)
	if len(out.Replies) != 1 || out.Replies[0].Token != token || wire.CodeOf(out.Replies[0].Err) != wire.NonEmptyGroup {
		t.Errorf("the caller heard %+v", out.Replies)
	}
	if n := len(w.m.groups["g"].offsets["t"]); n != 500 {
		t.Errorf("%d offsets are left, want 500", n)
	}
}

func TestOffsetsOfALargeTopicGoInParts(t *testing.T) {
	w := committed(t, 2500)
	if _, out, err := w.do(TopicsDeleted{[]DeletedTopic{{"t", uuid.UUID{1}}}}); err != nil || len(out.Records) != fullAt || len(out.Replies) != 1 {
		t.Fatalf("%d records, %d replies, %v", len(out.Records), len(out.Replies), err)
	}
	if turns, most := w.settle(); turns != 2 || most != fullAt || len(w.m.groups) != 0 {
		t.Errorf("%d more turns of up to %d records, groups %q", turns, most, w.m.ids())
	}
}

func TestALargeExpiryGoesInParts(t *testing.T) {
	w := committed(t, 2500)
	w.now = w.now.Add(8 * 24 * time.Hour)
	for turns := 1; ; turns++ {
		out, ok := w.fire(w.now)
		if !ok {
			t.Fatal("the look for expired offsets ended before they were gone")
		}
		if len(out.Records) > fullAt+1 {
			t.Errorf("a turn wrote %d records", len(out.Records))
		}
		if len(w.m.groups) == 0 {
			if turns != 3 {
				t.Errorf("%d turns, want 3", turns)
			}
			break
		}
	}
	w.sameAfterReplay()
}

func TestAJoinThatTheLogCannotHoldIsRefused(t *testing.T) {
	long := string(make([]byte, maxText+1))
	good := Join{Group: "g", SessionMs: 10000, ProtocolType: "consumer", Protocols: []Protocol{{Name: "range"}}}
	tests := map[string]struct {
		change func(*Join)
		want   wire.Code
	}{
		"group":    {func(c *Join) { c.Group = long }, wire.InvalidGroupID},
		"instance": {func(c *Join) { c.InstanceID = &long }, wire.InvalidRequest},
		"client":   {func(c *Join) { c.ClientID = long }, wire.InvalidRequest},
		"type":     {func(c *Join) { c.ProtocolType = long }, wire.InvalidRequest},
		"protocol": {func(c *Join) { c.Protocols = []Protocol{{Name: long}} }, wire.InvalidRequest},
	}
	for name, tc := range tests {
		w, c := newWorld(t, Defaults()), good
		tc.change(&c)
		if _, _, err := w.do(c); wire.CodeOf(err) != tc.want {
			t.Errorf("long %s: %v, want %v", name, err, tc.want)
		}
	}
	w := newWorld(t, Defaults())
	if _, _, err := w.do(Commit{Group: long, Generation: -1}); wire.CodeOf(err) != wire.InvalidGroupID {
		t.Errorf("long group: %v", err)
	}
	if _, _, err := w.do("what"); wire.CodeOf(err) != wire.UnknownServerError {
		t.Errorf("a command of another's: %v", err)
	}
}

func TestTextsAreMeasuredAsJavaDoes(t *testing.T) {
	for _, tc := range []struct {
		text  string
		limit int
		want  bool
	}{
		{"abcd", 4, false}, {"abcde", 4, true}, {"éééé", 4, false}, {"ééééé", 4, true},
		{"😀😀", 4, false}, {"😀😀x", 4, true}, {"", 0, false},
	} {
		if got := tooLong(tc.text, tc.limit); got != tc.want {
			t.Errorf("%q against %d: %v", tc.text, tc.limit, got)
		}
	}
}

func TestALargeGroupsHeartbeatsAndJoinsStayCheap(t *testing.T) {
	const members = 500
	w := newWorld(t, Defaults())
	for i := range members {
		j := Join{Group: "g", ClientID: fmt.Sprint("c", i), SessionMs: 10000, RebalanceMs: 60000, ProtocolType: "consumer", NewID: number(i), Protocols: []Protocol{{"range", subscription("t")}}}
		if _, err := w.m.Step(w.now, coordinator.Command{Token: 1, Body: j}); err != nil {
			t.Fatal(err)
		}
		out, err := w.m.Step(w.now, coordinator.Command{Token: coordinator.Token(i + 1), Body: j})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.Records {
			w.m.Apply(r)
		}
		out.Accepted()
	}
	out, err := w.m.Step(w.now, coordinator.Command{Body: joinDue{group: "g"}})
	if err != nil {
		t.Fatal(err)
	}
	out.Accepted()
	id := w.m.groups["g"].live.leader
	beat := coordinator.Command{Token: 9, Body: Heartbeat{Group: "g", MemberID: id, Generation: 1}}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := w.m.Step(w.now, beat); err != nil {
			t.Fatal(err)
		}
	}); n > 8 {
		t.Errorf("a heartbeat in a group of %d allocates %.0f times", members, n)
	}
}

func TestIDsThatNobodyComesBackWithAreBounded(t *testing.T) {
	w := newWorld(t, Defaults())
	j := Join{Group: "g", ClientID: "c", SessionMs: 10000, ProtocolType: "consumer", Protocols: []Protocol{{Name: "range"}}, KnownIDs: true}
	w.m.Apply(coordinator.Record{Key: schema.AppendGroupKey(nil, "g"), Value: schema.AppendGroupValue(nil, schema.GroupValue{StateMs: -1})})
	d := *w.m.groups["g"].live
	for i := range maxPending {
		d.pending = append(d.pending, fmt.Sprintf("id-%05d", i))
	}
	w.m.groups["g"].live = &d
	_, out, err := w.do(j)
	if err != nil || len(out.Replies) != 1 || out.Replies[0].Body.(JoinReply).Code != wire.GroupMaxSizeReached || len(w.m.groups["g"].live.pending) != maxPending {
		t.Errorf("the %d. id: %+v, %v", maxPending+1, out.Replies, err)
	}
}
