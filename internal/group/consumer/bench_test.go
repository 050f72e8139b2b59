package consumer

import (
	"fmt"
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/group/kind"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// settledKind is a group of so many members and partitions that has settled,
// and how many heartbeats a member that took.
func settledKind(tb testing.TB, members, partitions int) (*Kind, *metadata.Image, int) {
	records := []metadata.Record{&metadata.TopicRecord{Name: "t", ID: uuid.UUID{1}}}
	for p := range partitions {
		records = append(records, &metadata.PartitionRecord{TopicID: uuid.UUID{1}, Partition: int32(p), Replicas: []int32{1}, ISR: []int32{1}, Leader: 1, Directories: []uuid.UUID{{9}}})
	}
	img, _, err := metadata.Empty().With(1, 1, records...)
	if err != nil {
		tb.Fatal(err)
	}
	s := Defaults()
	s.Image = func() *metadata.Image { return img }
	k := New(s)(&fakeHost{k: func(string) bool { return false }}).(*Kind)
	now := began
	clients := make([]client, members)
	for i := range clients {
		clients[i] = client{id: fmt.Sprintf("m%04d", i)}
		beatOnce(tb, k, now, &clients[i])
		now = now.Add(time.Millisecond)
	}
	for round := 1; round < 20; round++ {
		now = now.Add(time.Second)
		for i := range clients {
			beatOnce(tb, k, now, &clients[i])
		}
		if k.Groups["g"].state() == "Stable" {
			return k, img, round
		}
	}
	tb.Fatalf("%d members of %d partitions are %s after 20 heartbeats each", members, partitions, k.Groups["g"].state())
	return nil, nil, 0
}

func beatOnce(tb testing.TB, k *Kind, now time.Time, c *client) {
	b := Heartbeat{Group: "g", MemberID: c.id, Epoch: c.epoch, RebalanceMs: -1, Owned: c.owned.parts(false), SaidOwned: true, Version: 1}
	if c.epoch == joining {
		b.RebalanceMs, b.Topics, b.SaidTopics = 60000, []string{"t"}, true
	}
	t := &kind.Turn{Now: now, Wall: now, Token: 1, Out: &coordinator.Output{}}
	if _, err := k.Step(t, b); err != nil {
		tb.Fatal(err)
	}
	for _, r := range t.Out.Records {
		applyTo(k, r)
	}
	if t.Out.Accepted != nil {
		t.Out.Accepted()
	}
	beat := t.Out.Replies[0].Body.(Beat)
	c.epoch = beat.Epoch
	if beat.Assigned {
		c.owned = slotsOf(beat.Assignment)
	}
}

// A thousand members that all come within a second are settled a few
// heartbeats later: at 2 s each, which is what a node gives so many, within 5 s
// of the last join that is two or three.
func TestAThousandMembersSettleInFewHeartbeats(t *testing.T) {
	for _, c := range []struct{ members, partitions, most int }{{50, 100, 2}, {1000, 1000, 3}, {1000, 100, 3}} {
		if _, _, rounds := settledKind(t, c.members, c.partitions); rounds > c.most {
			t.Errorf("%d members of %d partitions took %d heartbeats each, want at most %d", c.members, c.partitions, rounds, c.most)
		}
	}
}

// What a member says that has no news costs the group's size nothing.
func TestAQuietHeartbeatAllocatesLittleWhateverTheGroupsSize(t *testing.T) {
	for _, members := range []int{10, 1000} {
		k, _, _ := settledKind(t, members, members)
		m := k.Groups["g"].members["m0003"]
		beat := Heartbeat{Group: "g", MemberID: m.id, Epoch: m.epoch, RebalanceMs: -1, Version: 1}
		body := any(beat)
		n := testing.AllocsPerRun(200, func() {
			turn := &kind.Turn{Now: began, Wall: began, Token: 1, Out: &coordinator.Output{}}
			if _, err := k.Step(turn, body); err != nil || len(turn.Out.Records) > 0 {
				t.Fatalf("%v, %d records", err, len(turn.Out.Records))
			}
		})
		if n > 30 {
			t.Errorf("with %d members a quiet heartbeat allocates %v times, want at most 30", members, n)
		}
	}
}

func BenchmarkQuietHeartbeat(b *testing.B) {
	for _, members := range []int{10, 1000} {
		b.Run(fmt.Sprint(members, " members"), func(b *testing.B) {
			k, _, _ := settledKind(b, members, members)
			m := k.Groups["g"].members["m0003"]
			body := any(Heartbeat{Group: "g", MemberID: m.id, Epoch: m.epoch, RebalanceMs: -1, Version: 1})
			b.ReportAllocs()
			for b.Loop() {
				turn := &kind.Turn{Now: began, Wall: began, Token: 1, Out: &coordinator.Output{}}
				if _, err := k.Step(turn, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkThousandMembersJoinAndSettle(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		settledKind(b, 1000, 1000)
	}
}
