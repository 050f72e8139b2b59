package broker

import (
	"context"
	"maps"
	"testing"

	"ottla/internal/coordinator"
	"ottla/internal/metadata"
	"ottla/internal/vfs"
	"ottla/internal/wire"
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

// TestNobodyHearsOfATopicBeforeItsCoordinatorsAreLed: while a broker is late in
// following the image that has the topic, whoever asks for it waits; after that
// every coordinator can be waited for, and answers.
func TestNobodyHearsOfATopicBeforeItsCoordinatorsAreLed(t *testing.T) {
	comes, goOn := make(chan struct{}), make(chan struct{})
	var rt *coordinator.Runtime
	r := start(t, vfs.NewMem(0), 1, func(r *rig, o *Options) {
		rt = coordinator.NewRuntime(coordinator.Options{
			Topic: OffsetsTopic, Now: r.now,
			Partitions: func() int { return 50 },
			New: func(partition int32) coordinator.Machine {
				if partition == 7 {
					close(comes)
					<-goOn
				}
				return newLedger(partition)
			},
		})
		o.Coordinators = map[string]*coordinator.Runtime{OffsetsTopic: rt}
	})
	defer func() { rt.Close(); r.stop() }()
	first := make(chan error, 1)
	go func() { first <- r.broker.Ensure(context.Background(), OffsetsTopic) }()
	<-comes
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.broker.Ensure(ended, OffsetsTopic); wire.CodeOf(err) != wire.CoordinatorNotAvailable {
		t.Errorf("with no time to wait: got %v, want COORDINATOR_NOT_AVAILABLE", err)
	}
	if len(first) > 0 {
		t.Errorf("whoever made the topic is answered (%v), and the broker does not follow yet", <-first)
	}
	close(goOn)
	must(t, r.broker.Ensure(t.Context(), OffsetsTopic))
	must(t, rt.SettleAll(t.Context()))
	answers := rt.Each(t.Context(), allNumbers{})
	if len(answers) != 50 {
		t.Errorf("%d coordinators are led, want 50", len(answers))
	}
	for _, a := range answers {
		must(t, a.Err)
	}
	must(t, <-first)
}
