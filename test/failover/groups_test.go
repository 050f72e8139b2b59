package failover

import (
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/group"
	"ottla/internal/group/consumer"
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
	"ottla/internal/group/sharegroup"
	"ottla/internal/group/streams"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

var ordersID = uuid.UUID{1}

// orders is an image with the topic "orders" of four partitions.
func orders(t *testing.T) func() *metadata.Image {
	records := []metadata.Record{&metadata.TopicRecord{Name: "orders", ID: ordersID}}
	for i := range int32(4) {
		records = append(records, &metadata.PartitionRecord{
			Partition: i, TopicID: ordersID, Replicas: []int32{1}, ISR: []int32{1}, Leader: 1, Directories: make([]uuid.UUID, 1),
		})
	}
	img, _, err := metadata.Empty().With(int64(len(records)), 1, records...)
	if err != nil {
		t.Fatal(err)
	}
	return func() *metadata.Image { return img }
}

// groupPair are two nodes with groups of all kinds.
func groupPair(t *testing.T) *pair {
	t.Helper()
	img := orders(t)
	return newPair(t, func(int) coordinator.Machine {
		c, s, x := consumer.Defaults(), sharegroup.Defaults(), streams.Defaults()
		c.Image, s.Image, x.Image = img, img, img
		set := group.Defaults()
		set.InitialDelay = 0
		set.Kinds = []func(kind.Host) kind.Kind{consumer.New(c), sharegroup.New(s), streams.New(x)}
		return group.New(set)
	})
}

func commit(offset int64, member string, generation int32) group.Commit {
	return group.Commit{
		Group: "g", MemberID: member, Generation: generation, RetentionMs: -1, TellsNotFound: true, Version: 9,
		Topics: []group.CommitTopic{{Name: "orders", ID: ordersID, Partitions: []group.CommitPartition{{Index: 1, Offset: offset, LeaderEpoch: -1}}}},
	}
}

// committed is the offset that the group has.
func committed(p *pair) int64 {
	p.t.Helper()
	r := do[group.FetchReply](p, group.Fetch{Group: "g", Epoch: -1, Topics: []group.FetchTopic{{Name: "orders", ID: ordersID, Partitions: []int32{1}}}})
	return r.Topics[0].Partitions[0].Offset
}

func TestAClassicGroupGoesOnAtAnotherNode(t *testing.T) {
	both(t, func(t *testing.T, told bool) {
		p := groupPair(t)
		join := group.Join{
			Group: "g", NewID: uuid.UUID{9}, ClientID: "c", SessionMs: 10_000, RebalanceMs: 10_000, ProtocolType: "consumer",
			Protocols: []group.Protocol{{Name: "range"}},
		}
		j := p.start(join)
		p.clock.advance(time.Second) // the initial delay is over
		s := <-j
		r, _ := s.body.(group.JoinReply)
		if s.err != nil || r.Code != wire.None || r.Generation != 1 {
			t.Fatalf("join: %+v, %v", s.body, s.err)
		}
		beat := group.Heartbeat{Group: "g", MemberID: r.MemberID, Generation: 1}
		synced := do[group.SyncReply](p, group.Sync{Group: "g", MemberID: r.MemberID, Generation: 1, Assignments: []group.Assignment{{MemberID: r.MemberID, Bytes: []byte("all")}}})
		if synced.Code != wire.None || string(synced.Assignment) != "all" {
			t.Fatalf("sync: %+v", synced)
		}
		do[group.CommitReply](p, commit(7, r.MemberID, 1))
		p.log.hold()
		lost := p.start(commit(8, r.MemberID, 1))
		p.clock.advance(9 * time.Second) // its session is nearly over

		p.move(told)
		p.refused("a commit that was under way", lostOr(p, lost, told), wire.NotCoordinator)
		p.refused("a commit at the old node", p.startAt(p.old(), commit(9, r.MemberID, 1)), wire.NotCoordinator)
		if got := committed(p); got != 7 {
			t.Errorf("offset %d at the new node, want 7", got)
		}
		p.clock.advance(9 * time.Second) // its session began anew
		do[any](p, beat)
		if again := do[group.SyncReply](p, group.Sync{Group: "g", MemberID: r.MemberID, Generation: 1}); string(again.Assignment) != "all" {
			t.Errorf("assignment %q at the new node", again.Assignment)
		}
		do[group.CommitReply](p, commit(10, r.MemberID, 1))

		p.move(told) // and back, where it was forgotten
		if got := committed(p); got != 10 {
			t.Errorf("offset %d back at the first node, want 10", got)
		}
		p.clock.advance(11 * time.Second) // and now it stays away
		p.refused("a member that was silent", p.start(beat), wire.UnknownMemberID)
	})
}

// lostOr is a command that was under way at an old leader: one that is not told
// hears of it with its next write.
func lostOr(p *pair, c <-chan said, told bool) <-chan said {
	if !told {
		news := commit(1, "", -1)
		news.Group = "other"
		<-p.startAt(p.old(), news)
	}
	return c
}

func TestAConsumerGroupGoesOnAtAnotherNode(t *testing.T) {
	both(t, func(t *testing.T, told bool) {
		p := groupPair(t)
		beat := consumer.Heartbeat{
			Group: "g", MemberID: "m", RebalanceMs: 10_000, Topics: []string{"orders"}, SaidTopics: true,
			Owned: []schema.TopicPartitions{}, SaidOwned: true, Version: 1,
		}
		joined := do[consumer.Beat](p, beat)
		if joined.Epoch < 1 || len(joined.Assignment) != 1 || len(joined.Assignment[0].Partitions) != 4 {
			t.Fatalf("joined: %+v", joined)
		}
		on := consumer.Heartbeat{Group: "g", MemberID: "m", Epoch: joined.Epoch, RebalanceMs: -1, Version: 1}
		on.Owned, on.SaidOwned = joined.Assignment, true
		do[consumer.Beat](p, on)
		p.clock.advance(40 * time.Second)
		p.move(told)
		p.refused("a heartbeat with news at the old node", p.startAt(p.old(), consumer.Heartbeat{
			Group: "g", MemberID: "n", RebalanceMs: 10_000, Topics: []string{"orders"}, SaidTopics: true, SaidOwned: true, Owned: []schema.TopicPartitions{}, Version: 1,
		}), wire.NotCoordinator)
		p.clock.advance(40 * time.Second)
		if b := do[consumer.Beat](p, on); b.Epoch != joined.Epoch {
			t.Errorf("epoch %d at the new node, want %d", b.Epoch, joined.Epoch)
		}
		p.move(told)
		p.clock.advance(46 * time.Second)
		p.refused("a member that was silent", p.start(on), wire.UnknownMemberID)
	})
}

func TestAShareGroupGoesOnAtAnotherNode(t *testing.T) {
	both(t, func(t *testing.T, told bool) {
		p := groupPair(t)
		beat := sharegroup.Heartbeat{Group: "g", MemberID: "m", Topics: []string{"orders"}, SaidTopics: true}
		joined := do[sharegroup.Beat](p, beat)
		on := sharegroup.Heartbeat{Group: "g", MemberID: "m", Epoch: joined.Epoch}
		p.clock.advance(40 * time.Second)
		p.move(told)
		p.refused("a member's joining at the old node", p.startAt(p.old(), sharegroup.Heartbeat{Group: "g", MemberID: "n", Topics: []string{"orders"}, SaidTopics: true}), wire.NotCoordinator)
		p.clock.advance(40 * time.Second)
		b := do[sharegroup.Beat](p, on)
		if b.Epoch != joined.Epoch {
			t.Errorf("epoch %d at the new node, want %d", b.Epoch, joined.Epoch)
		}
		if d := do[sharegroup.Described](p, sharegroup.Describe{Group: "g"}); len(d.Members) != 1 || len(d.Members[0].Assigned) != 1 || len(d.Members[0].Assigned[0].Partitions) != 4 {
			t.Errorf("at the new node: %+v", d)
		}
		p.move(told)
		p.clock.advance(46 * time.Second)
		p.refused("a member that was silent", p.start(on), wire.UnknownMemberID)
	})
}

func TestAStreamsGroupGoesOnAtAnotherNode(t *testing.T) {
	both(t, func(t *testing.T, told bool) {
		p := groupPair(t)
		process := "p"
		beat := streams.Heartbeat{
			Group: "g", MemberID: "m", RebalanceMs: 10_000, ProcessID: &process, Version: 1,
			Topology:   &schema.StreamsTopologyValue{Epoch: 1, Subtopologies: []schema.Subtopology{{ID: "0", Sources: []string{"orders"}}}},
			SaidActive: true, SaidStandby: true, SaidWarmup: true,
		}
		joined := do[streams.Beat](p, beat)
		for tries := 0; len(joined.Tasks.Active) == 0 && tries < 10; tries++ { // it is assigned after a delay
			p.clock.advance(5 * time.Second)
			joined = do[streams.Beat](p, streams.Heartbeat{Group: "g", MemberID: "m", Epoch: joined.Epoch, RebalanceMs: -1, Version: 1})
		}
		if len(joined.Tasks.Active) != 1 || len(joined.Tasks.Active[0].Partitions) != 4 {
			t.Fatalf("joined: %+v", joined)
		}
		on := streams.Heartbeat{Group: "g", MemberID: "m", Epoch: joined.Epoch, RebalanceMs: -1, Version: 1}
		on.Owned, on.SaidActive, on.SaidStandby, on.SaidWarmup = joined.Tasks, true, true, true
		do[streams.Beat](p, on)
		p.clock.advance(40 * time.Second)
		p.move(told)
		other := beat
		other.MemberID = "n"
		p.refused("a member's joining at the old node", p.startAt(p.old(), other), wire.NotCoordinator)
		p.clock.advance(40 * time.Second)
		if b := do[streams.Beat](p, on); b.Epoch != joined.Epoch {
			t.Errorf("epoch %d at the new node, want %d", b.Epoch, joined.Epoch)
		}
		p.move(told)
		p.clock.advance(46 * time.Second)
		p.refused("a member that was silent", p.start(on), wire.UnknownMemberID)
	})
}
