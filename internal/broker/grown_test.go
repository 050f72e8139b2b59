package broker

import (
	"slices"
	"testing"

	"ottla/internal/config"
	"ottla/internal/controller"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// grown is a broker whose image has the offsets topic with the replicas given,
// and four nodes, of which the last is fenced.
func grown(t *testing.T, nodes int, partitions ...metadata.PartitionRecord) *Broker {
	t.Helper()
	var records []metadata.Record
	for id := range int32(nodes) {
		records = append(records, &metadata.RegisterBrokerRecord{BrokerID: id + 1, BrokerEpoch: int64(id), Fenced: id == 3})
	}
	id := uuid.UUID{1}
	records = append(records, &metadata.TopicRecord{Name: OffsetsTopic, ID: id})
	for i := range partitions {
		p := partitions[i]
		p.TopicID, p.Partition, p.Directories = id, int32(i), make([]uuid.UUID, len(p.Replicas))
		if p.ISR == nil {
			p.ISR, p.Leader = p.Replicas, p.Replicas[0]
		}
		records = append(records, &p)
	}
	img, _, err := metadata.Empty().With(int64(len(records)), 1, records...)
	if err != nil {
		t.Fatal(err)
	}
	b := New(Options{NodeID: 1, View: &config.View{NodeID: 1}})
	b.image.Store(img)
	return b
}

func on(replicas ...int32) metadata.PartitionRecord {
	return metadata.PartitionRecord{Replicas: replicas}
}

func TestInternalTopicsGrowWithTheCluster(t *testing.T) {
	b := grown(t, 4, on(1), on(1), on(1), on(1), on(1, 2, 3), on(2), on(3, 1))
	cmd, some := b.Widen()
	if !some || len(cmd.Partitions) != 6 || cmd.KeepFactor {
		t.Fatalf("got %+v", cmd)
	}
	leads := map[int32]int{1: 1} // partition 4's
	for i, index := range []int32{0, 1, 2, 3, 5, 6} {
		r := cmd.Partitions[i]
		if r.TopicPartition != (controller.TopicPartition{Topic: OffsetsTopic, Index: index}) {
			t.Errorf("%+v, want partition %d", r, index)
		}
		leads[r.Replicas[0]]++
		if slices.Sort(r.Replicas); !slices.Equal(r.Replicas, []int32{1, 2, 3}) {
			t.Errorf("partition %d goes to %v, want all that serve", index, r.Replicas)
		}
	}
	if leads[1] != 3 || leads[2] != 2 || leads[3] != 2 {
		t.Errorf("preferred leaders %v, want them spread", leads)
	}
}

func TestReplicasGoWhereThereAreFewest(t *testing.T) {
	b := grown(t, 2, on(1), on(1))
	cmd, _ := b.Widen()
	if len(cmd.Partitions) != 2 || !slices.Equal(cmd.Partitions[0].Replicas, []int32{1, 2}) || !slices.Equal(cmd.Partitions[1].Replicas, []int32{2, 1}) {
		t.Errorf("two nodes: %+v", cmd)
	}
	topic := grown(t, 7, on(1, 2), on(1, 2), on(1, 5)).Image().TopicByName(OffsetsTopic)
	got := widened(topic, []int32{1, 2, 3, 5, 6, 7}, 3)
	for i, want := range [][]int32{{1, 2, 3}, {2, 6, 1}, {5, 7, 1}} {
		if !slices.Equal(got[i].Replicas, want) {
			t.Errorf("partition %d: %v, want %v", i, got[i].Replicas, want)
		}
	}
}

func TestWhatNeedsNoMoreReplicasIsLeftAlone(t *testing.T) {
	moving := on(1, 2)
	moving.ISR, moving.Leader, moving.Adding = []int32{1}, 1, []int32{2}
	lost := on(2)
	lost.ISR, lost.Leader = []int32{2}, -1
	for name, b := range map[string]*Broker{
		"one node":            grown(t, 1, on(1)),
		"enough":              grown(t, 4, on(3, 2, 1)),
		"under way":           grown(t, 4, moving),
		"without a leader":    grown(t, 4, lost),
		"all that there are":  grown(t, 2, on(2, 1)),
		"no topic of its own": New(Options{NodeID: 1, View: &config.View{NodeID: 1}}),
	} {
		if cmd, some := b.Widen(); some {
			t.Errorf("%s: %+v", name, cmd)
		}
	}
}

// Topics of the event layer have three replicas, whatever internal topics are set to,
// and ask for two of them.
func TestTopicsOfTheEventLayerGrow(t *testing.T) {
	b := grown(t, 3, on(1, 2, 3))
	records := []metadata.Record{&metadata.ConfigRecord{ResourceType: metadata.ResourceTopic, ResourceName: OffsetsTopic, Name: minInsync, Value: ptr("2")}}
	for i, topic := range []string{ObjectsTopic, SchedulesTopic, WakesTopic} {
		id := uuid.UUID{9, byte(i)}
		records = append(records, &metadata.TopicRecord{Name: topic, ID: id},
			&metadata.PartitionRecord{TopicID: id, Replicas: []int32{1}, ISR: []int32{1}, Leader: 1, Directories: make([]uuid.UUID, 1)},
			&metadata.ConfigRecord{ResourceType: metadata.ResourceTopic, ResourceName: topic, Name: minInsync, Value: ptr("1")})
	}
	img, _, err := b.Image().With(200, 1, records...)
	if err != nil {
		t.Fatal(err)
	}
	b.image.Store(img)
	cmd, _ := b.Widen()
	for i, topic := range []string{ObjectsTopic, SchedulesTopic, WakesTopic} {
		if len(cmd.Partitions) != 3 || cmd.Partitions[i].Topic != topic || len(cmd.Partitions[i].Replicas) != 3 {
			t.Fatalf("it grows to %+v", cmd.Partitions)
		}
	}
	if cmd, some := b.Strengthen(); some {
		t.Errorf("with one replica they ask for more in sync: %+v", cmd)
	}
	records = nil
	for i := range 3 {
		all := []int32{1, 2, 3}
		change := metadata.ChangePartition(uuid.UUID{9, byte(i)}, 0)
		change.Replicas, change.ISR, change.Directories = all, all, make([]uuid.UUID, 3)
		records = append(records, change)
	}
	if img, _, err = img.With(300, 1, records...); err != nil {
		t.Fatal(err)
	}
	b.image.Store(img)
	strong, _ := b.Strengthen()
	if len(strong.Resources) != 3 || *strong.Resources[2].Entries[0].Value != "2" {
		t.Errorf("with three replicas: %+v", strong)
	}
	for nodes, want := range map[int][2]int{0: {1, 1}, 1: {1, 1}, 2: {2, 1}, 3: {3, 2}, 7: {3, 2}} {
		if r, s := EventReplicas(nodes); [2]int{r, s} != want {
			t.Errorf("%d nodes: %d replicas, %d in sync, want %v", nodes, r, s, want)
		}
	}
}

func ptr(s string) *string { return &s }

// TestInternalTopicsAskForTwoOnceTheyHaveThree: not while replicas come, nor before
// as many are in sync everywhere, and not against what somebody has set.
func TestInternalTopicsAskForTwoOnceTheyHaveThree(t *testing.T) {
	coming, lagging := on(1, 2, 3), on(1, 2, 3)
	coming.ISR, coming.Leader, coming.Adding = []int32{1, 2}, 1, []int32{3}
	lagging.ISR, lagging.Leader = []int32{1}, 1
	two := "2"
	for name, c := range map[string]struct {
		b    *Broker
		want bool
	}{
		"three of each":        {grown(t, 3, on(1, 2, 3), on(2, 3, 1)), true},
		"one has two":          {grown(t, 3, on(1, 2, 3), on(2, 3)), false},
		"replicas come":        {grown(t, 3, on(1, 2, 3), coming), false},
		"too few are in sync":  {grown(t, 3, on(1, 2, 3), lagging), false},
		"it has that already":  {with(grown(t, 3, on(1, 2, 3)), metadata.ResourceTopic, OffsetsTopic, &two), false},
		"it was set for all":   {with(grown(t, 3, on(1, 2, 3)), metadata.ResourceBroker, "", &two), false},
		"there is no topic":    {New(Options{NodeID: 1, View: &config.View{NodeID: 1}}), false},
		"a partition that has": {grown(t, 4, on(1, 2, 3, 4)), true},
	} {
		cmd, some := c.b.Strengthen()
		if some != c.want {
			t.Errorf("%s: %+v", name, cmd)
		}
		if some && (len(cmd.Resources) != 1 || cmd.Resources[0].Name != OffsetsTopic || *cmd.Resources[0].Entries[0].Value != "2") {
			t.Errorf("%s: %+v", name, cmd)
		}
	}
}

// with is a broker with a setting of its cluster's: min.insync.replicas.
func with(b *Broker, kind int8, of string, value *string) *Broker {
	img, _, err := b.Image().With(100, 1, &metadata.ConfigRecord{ResourceType: kind, ResourceName: of, Name: minInsync, Value: value})
	if err != nil {
		panic(err)
	}
	b.image.Store(img)
	return b
}
