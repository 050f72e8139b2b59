package broker

import (
	"testing"

	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// A process that starts finds in its metadata what an earlier one led; others may
// lead it by now, so it leads nothing before the metadata have itself.
func TestNothingIsLedBeforeTheMetadataHaveThisProcess(t *testing.T) {
	topic := uuid.UUID{7}
	old := []metadata.Record{
		(&metadata.Broker{ID: 1, Epoch: 1, Incarnation: uuid.UUID{1}}).Record(),
		(&metadata.Broker{ID: 2, Epoch: 2, Incarnation: uuid.UUID{2}}).Record(),
		&metadata.TopicRecord{Name: "orders", ID: topic},
		&metadata.PartitionRecord{TopicID: topic, Replicas: []int32{1, 2}, ISR: []int32{1}, Leader: 1, LeaderEpoch: 4, PartitionEpoch: 9, Directories: make([]uuid.UUID, 2)},
	}
	r := start(t, vfs.NewMem(0), 1)
	b := New(Options{NodeID: 1, Incarnation: uuid.UUID{3}, Dirs: r.dirs, View: r.broker.o.View, Now: r.now})
	defer b.Close()
	step := func(img *metadata.Image, records ...metadata.Record) *metadata.Image {
		t.Helper()
		next, d, err := img.With(img.Offset+int64(len(records)), 1, records...)
		if err != nil {
			t.Fatal(err)
		}
		b.OnImage(next, d)
		return next
	}
	img := step(metadata.Empty(), old...)
	if _, code := b.ByName([]byte("orders"), 0); code != wire.NotLeaderOrFollower {
		t.Errorf("before: %v, want NOT_LEADER_OR_FOLLOWER", code)
	}
	raised := metadata.ChangePartition(topic, 0)
	raised.Leader = 1
	step(img, (&metadata.Broker{ID: 1, Epoch: 20, Incarnation: uuid.UUID{3}}).Record(), raised)
	p, code := b.ByName([]byte("orders"), 0)
	if code != wire.None {
		t.Fatalf("after its registration: %v", code)
	}
	if epoch := p.Offsets().LeaderEpoch; epoch != 5 {
		t.Errorf("it leads in epoch %d, want 5", epoch)
	}
}
