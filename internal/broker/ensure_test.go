package broker

import (
	"maps"
	"testing"

	"ottla/internal/metadata"
	"ottla/internal/vfs"
)

// TestTheTransactionTopicIsMadeAsKafkaMakesIt but for a single node: it asks for
// no more replicas in sync than there can be.
func TestTheTransactionTopicIsMadeAsKafkaMakesIt(t *testing.T) {
	l := startLedgers(t, vfs.NewMem(0))
	defer l.stop()
	must(t, l.broker.Ensure(t.Context(), TransactionsTopic))
	topic := l.broker.Image().TopicByName(TransactionsTopic)
	if topic == nil || len(topic.Partitions) != 50 || len(topic.Partitions[7].Replicas) != 1 {
		t.Fatalf("got %+v, want 50 partitions of one replica", topic)
	}
	want := map[string]string{
		"cleanup.policy": "compact", "compression.type": "uncompressed", "segment.bytes": "104857600",
		"unclean.leader.election.enable": "false", "min.insync.replicas": "1",
	}
	if got := l.broker.Image().Config(metadata.ResourceTopic, TransactionsTopic); !maps.Equal(got, want) {
		t.Errorf("settings: got %v, want %v", got, want)
	}
}
