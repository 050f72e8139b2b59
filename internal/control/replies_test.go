package control

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"ottla/internal/controller"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// story is one run of a real controller in which every command succeeds.
func story(t *testing.T, step func(cmd any) any) {
	t.Helper()
	dir := uuid.UUID{7}
	step(controller.Bootstrap{Features: map[string]int16{metadata.MetadataVersion: 33}})
	step(controller.AdmitNode{NodeID: 9, DirectoryID: uuid.UUID{99}})
	step(controller.UnregisterBroker{ID: 9})
	epoch, ok := step(controller.RegisterBroker{Broker: metadata.Broker{ID: 1, Incarnation: uuid.UUID{1}, Directories: []uuid.UUID{dir, {8}}}}).(int64)
	if !ok {
		t.Fatal("a registration is not answered with an epoch")
	}
	step(controller.UnfenceBroker{ID: 1, Epoch: epoch})
	topics, ok := step(controller.CreateTopics{Topics: []controller.NewTopic{{Name: "orders", Partitions: 1, Replicas: 1}}}).([]controller.CreatedTopic)
	if !ok || len(topics) != 1 || topics[0].Code != 0 {
		t.Fatalf("no topic was made: %+v", topics)
	}
	step(controller.CreatePartitions{Topics: []controller.MorePartitions{{Name: "orders", Count: 2}}})
	value := "1000"
	step(controller.AlterConfigs{Incremental: true, Resources: []controller.AlterResource{{Type: 2, Name: "orders",
		Entries: []controller.AlterEntry{{Name: "retention.ms", Value: &value}}}}})
	step(controller.AllocateProducerIDs{BrokerID: 1})
	step(controller.AlterPartition{Broker: 1, Epoch: epoch, Partitions: []controller.NewISR{{TopicID: topics[0].ID, ISR: []controller.BrokerState{{Broker: 1, BrokerEpoch: epoch}}}}})
	step(controller.RenewReplicas{ID: 1, Epoch: epoch, Partitions: []controller.TopicIDPartition{{TopicID: topics[0].ID}}})
	step(controller.YieldLeads{ID: 1, Epoch: epoch, Partitions: []controller.TopicIDPartition{{TopicID: topics[0].ID}}})
	step(controller.ElectLeaders{})
	step(controller.Rebalance{})
	step(controller.ReassignPartitions{Partitions: []controller.Reassignment{{TopicPartition: controller.TopicPartition{Topic: "orders"}}}})
	step(controller.UpdateFeatures{ValidateOnly: true})
	step(controller.ExplainPartition{Topic: "orders"})
	step(controller.ExplainLosses{})
	step(controller.SettleEnd{ID: 1, Epoch: epoch, TopicID: topics[0].ID, Heir: -1, Away: []int32{9}})
	step(controller.AssignDirectories{ID: 1, Epoch: epoch})
	step(controller.CordonDirectories{ID: 1, Epoch: epoch, Directories: []uuid.UUID{dir}})
	step(controller.FailDirectories{ID: 1, Epoch: epoch, Directories: []uuid.UUID{dir}})
	step(controller.DeleteTopics{Topics: []controller.TopicRef{{Name: "orders"}}})
	step(controller.FenceBroker{ID: 1, Epoch: epoch})
	step(controller.ShutdownBroker{ID: 1, Epoch: epoch})
}

// The replies in the table are those that the controller gives, and they come
// out of the wire as they were.
func TestTheControllersRepliesAreThoseOfTheTable(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 3))
	c := controller.New(controller.Options{NewID: func() (id uuid.UUID) {
		for i := range id {
			id[i] = byte(random.Uint32())
		}
		return id
	}})
	seen := map[string]bool{"UnregisterController": true} // needs a registered one; it is answered as UnregisterBroker is
	story(t, func(cmd any) any {
		t.Helper()
		k := byType[reflect.TypeOf(cmd)]
		records, reply, err := c.Step(time.Unix(1, 0), cmd)
		if err != nil {
			t.Fatalf("%s: %v", k.name, err)
		}
		for _, r := range records {
			c.Apply(r)
		}
		seen[k.name] = true
		if reflect.TypeOf(reply) != k.reply {
			t.Fatalf("%s is answered with %T, the table says %v", k.name, reply, k.reply)
		}
		replyRoundTrip(t, k, reply)
		return reply
	})
	for _, k := range kinds {
		if !seen[k.name] {
			t.Errorf("the story has no %s", k.name)
		}
	}
}
