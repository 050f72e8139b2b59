package broker

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"

	"ottla/internal/controller"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// Topics where coordinators live.
const (
	// OffsetsTopic has groups and their offsets.
	OffsetsTopic = "__consumer_offsets"
	// TransactionsTopic has transactional ids.
	TransactionsTopic = "__transaction_state"
	// ShareStateTopic has where share groups stand.
	ShareStateTopic = "__share_group_state"
	// TimersTopic has timers.
	TimersTopic = "__ottla_timers"
)

// Topics that the event layer writes, as a client of its node. They are no internal
// topics, but grow as those do.
const (
	// ObjectsTopic has definitions of queues, schedules and the like.
	ObjectsTopic = "__ottla_objects"
	// SchedulesTopic has what has happened to schedules.
	SchedulesTopic = "__ottla_schedules"
	// WakesTopic tells which schedules are to be looked at.
	WakesTopic = "__ottla_schedule_wakes"
	// BusStateTopic has what runners of buses remember.
	BusStateTopic = "__ottla_bus_state"
	// DeliveriesTopic has what is to be delivered to addresses and functions,
	// DeliveryStateTopic how far that is, AttemptsTopic each attempt.
	DeliveriesTopic    = "__ottla_deliveries"
	DeliveryStateTopic = "__ottla_delivery_state"
	AttemptsTopic      = "__ottla_attempts"
)

// eventTopics are all of these.
var eventTopics = []string{ObjectsTopic, SchedulesTopic, WakesTopic, BusStateTopic, DeliveriesTopic, DeliveryStateTopic, AttemptsTopic}

// Ensure makes an internal topic if it is not there yet, and returns when its
// partitions serve. Their coordinators may still be loading then: see
// coordinator.Runtime.Settle. A factor above the number of live nodes is that
// number: unlike in Kafka, a single node has groups without a setting.
func (b *Broker) Ensure(ctx context.Context, topic string) error {
	if b.Image().TopicByName(topic) != nil {
		return nil
	}
	// One asks the controller, the others wait for what comes of it.
	select {
	case b.ensuring <- struct{}{}:
		defer func() { <-b.ensuring }()
	case <-ctx.Done():
		return wire.Errorf(wire.CoordinatorNotAvailable, "topic %s is not made yet: %w", topic, ctx.Err())
	}
	if b.Image().TopicByName(topic) != nil {
		return nil
	}
	cmd, err := b.internalTopic(topic)
	if err != nil {
		return err
	}
	reply, err := b.o.Control(ctx, cmd)
	if err != nil {
		return wire.Errorf(wire.CoordinatorNotAvailable, "topic %s cannot be made at the moment: %w", topic, err)
	}
	made, ok := reply.([]controller.CreatedTopic)
	if !ok || len(made) != 1 {
		return wire.Errorf(wire.UnknownServerError, "the controller answered %T to CreateTopics", reply)
	}
	if code := made[0].Code; code != wire.None && code != wire.TopicAlreadyExists {
		b.o.Logger.Error("an internal topic cannot be made", "topic", topic, "err", made[0].Message)
		return wire.Errorf(wire.CoordinatorNotAvailable, "topic %s cannot be made: %s", topic, made[0].Message)
	}
	return nil
}

// internalTopic is the command that makes a topic as Kafka makes it.
func (b *Broker) internalTopic(topic string) (controller.CreateTopics, error) {
	settings, ok := internalTopics[topic]
	if !ok {
		return controller.CreateTopics{}, wire.Errorf(wire.CoordinatorNotAvailable, "topic %s has no coordinator in this release", topic)
	}
	img := b.Image()
	factor := b.o.View.Int(img, settings+".replication.factor")
	return controller.CreateTopics{
		DefaultPartitions: int32(b.o.View.Int(img, settings+".num.partitions")),
		DefaultReplicas:   int16(factor),
		CapReplicas:       true,
		Topics:            []controller.NewTopic{{Name: topic, Partitions: -1, Replicas: -1, Configs: b.internalConfigs(topic, settings, factor)}},
	}, nil
}

// internalTopics are the topics that can be made, each with what the names of
// its settings begin with.
var internalTopics = map[string]string{
	OffsetsTopic:      "offsets.topic",
	TransactionsTopic: "transaction.state.log",
	ShareStateTopic:   "share.coordinator.state.topic",
	TimersTopic:       "timers.topic",
}

// internalConfigs are the topic's own settings.
func (b *Broker) internalConfigs(topic, settings string, factor int64) []controller.ConfigEntry {
	img := b.Image()
	var out []controller.ConfigEntry
	set := func(name, value string) { out = append(out, controller.ConfigEntry{Name: name, Value: &value}) }
	number := func(name string, n int64) { set(name, strconv.FormatInt(n, 10)) }
	if topic == ShareStateTopic {
		set("cleanup.policy", "delete") // its coordinator cuts it
		number("retention.ms", -1)
	} else {
		set("cleanup.policy", "compact")
	}
	number("segment.bytes", b.o.View.Int(img, settings+".segment.bytes"))
	switch topic {
	case OffsetsTopic, ShareStateTopic:
		set("compression.type", "producer")
	case TimersTopic:
		set("compression.type", "producer")
		set("unclean.leader.election.enable", "false")
		number("max.message.bytes", timersBatch)
	case TransactionsTopic:
		set("compression.type", "uncompressed")
		set("unclean.leader.election.enable", "false")
	}
	if least, own := b.leastInSync(img, topic, min(factor, int64(img.BrokerCount()))); own {
		number(minInsync, least)
	}
	return out
}

// timersBatch is what a batch of the timers' topic may have: some records of the
// largest that topics take by default.
const timersBatch = 16 << 20

const minInsync = "min.insync.replicas"

// leastInSync is what an internal topic with so many replicas has as its own
// min.insync.replicas: where there are fewer nodes than replicas were asked for,
// fewer are enough, or nothing could be written. The offsets topic has the setting
// of all topics, as in Kafka; where nobody made one, two of three.
func (b *Broker) leastInSync(img *metadata.Image, topic string, replicas int64) (least int64, own bool) {
	switch {
	case topic == OffsetsTopic:
		return 2, replicas >= 3 && !b.o.View.MinInsyncSet(img)
	case slices.Contains(eventTopics, topic):
		return eventInSync(replicas), true
	}
	return max(1, min(b.o.View.Int(img, internalTopics[topic]+".min.isr"), replicas)), true
}

// factor is how many replicas an internal topic has where there are as many nodes.
func (b *Broker) factor(img *metadata.Image, topic string) int {
	if settings, ok := internalTopics[topic]; ok {
		return int(b.o.View.Int(img, settings+".replication.factor"))
	}
	return eventReplicas
}

// eventReplicas is how many replicas topics of the event layer have, and
// eventInSync how many must be in sync: more than half of three.
const eventReplicas = 3

func eventInSync(replicas int64) int64 { return max(1, (replicas+1)/2) }

// EventReplicas tells with how many replicas a topic of the event layer is made in a
// cluster of so many nodes, and how many of them must be in sync.
func EventReplicas(nodes int) (replicas, inSync int) {
	replicas = max(1, min(eventReplicas, nodes))
	return replicas, int(eventInSync(int64(replicas)))
}

// growing are the topics that get more replicas when nodes come, in the order of
// what is asked of the controller.
var growing = append([]string{OffsetsTopic, ShareStateTopic, TransactionsTopic, TimersTopic}, eventTopics...)

// Grows tells whether a topic gets more replicas when nodes come: see Widen.
func Grows(topic string) bool { return slices.Contains(growing, topic) }

// mostWidened bounds the partitions of one command.
const mostWidened = 1000

// Widen gives the partitions of internal topics more replicas where they have
// fewer than their settings ask for and there are nodes that could hold more: a
// topic that was made while the cluster was small is as safe as any other once
// it has grown. False when there is nothing to do; whoever gives the command to
// the controller asks again when nodes come.
//
// Kafka makes no internal topic before there are as many nodes, and changes none
// later.
func (b *Broker) Widen() (controller.ReassignPartitions, bool) {
	img := b.Image()
	live := serving(img)
	var cmd controller.ReassignPartitions
	for _, topic := range growing {
		t := img.TopicByName(topic)
		if t == nil || len(live) < 2 {
			continue
		}
		cmd.Partitions = append(cmd.Partitions, widened(t, live, min(b.factor(img, topic), len(live)))...)
	}
	cmd.Partitions = cmd.Partitions[:min(len(cmd.Partitions), mostWidened)]
	return cmd, len(cmd.Partitions) > 0
}

// Strengthen has internal topics ask for more replicas in sync, once they have been
// given more: all of a topic's partitions, and so many are in sync everywhere that
// none is refused by it. False when there is nothing to do; it is asked again when
// partitions of internal topics change.
func (b *Broker) Strengthen() (controller.AlterConfigs, bool) {
	img := b.Image()
	cmd := controller.AlterConfigs{Incremental: true}
	for _, topic := range growing {
		t := img.TopicByName(topic)
		if t == nil {
			continue
		}
		replicas, synced := fewest(t)
		least, own := b.leastInSync(img, topic, replicas)
		has, err := strconv.ParseInt(img.Config(metadata.ResourceTopic, topic)[minInsync], 10, 64)
		if own && (err != nil && topic == OffsetsTopic || has < least) && synced >= least {
			value := strconv.FormatInt(least, 10)
			cmd.Resources = append(cmd.Resources, controller.AlterResource{
				Type: metadata.ResourceTopic, Name: topic, Entries: []controller.AlterEntry{{Name: minInsync, Op: controller.OpSet, Value: &value}},
			})
		}
	}
	return cmd, len(cmd.Resources) > 0
}

// fewest tells how many replicas, and how many in sync, the partition of a topic has
// that has the fewest; none while replicas come or go.
func fewest(t *metadata.Topic) (replicas, synced int64) {
	replicas, synced = math.MaxInt64, math.MaxInt64
	for _, p := range t.Partitions {
		if len(p.Adding)+len(p.Removing) > 0 {
			return 0, 0
		}
		replicas, synced = min(replicas, int64(len(p.Replicas))), min(synced, int64(len(p.ISR)))
	}
	return replicas, synced
}

// serving are the nodes that may be given replicas, in order.
func serving(img *metadata.Image) []int32 {
	var out []int32
	for n := range img.Brokers() {
		if n.Live() {
			out = append(out, n.ID)
		}
	}
	return out
}

// widened are the new replicas of a topic's partitions that have fewer than
// factor: those they have, and the nodes with the fewest of the topic. The first
// of them, which shall lead, is the one that shall lead the fewest.
func widened(t *metadata.Topic, live []int32, factor int) []controller.Reassignment {
	holds, leads := map[int32]int{}, map[int32]int{}
	for _, p := range t.Partitions {
		for _, id := range p.Replicas {
			holds[id]++
		}
		if !lacks(p, factor) && len(p.Replicas) > 0 {
			leads[p.Replicas[0]]++
		}
	}
	by := func(count map[int32]int) func(a, b int32) int {
		return func(a, b int32) int { return cmp.Or(cmp.Compare(count[a], count[b]), cmp.Compare(a, b)) }
	}
	var out []controller.Reassignment
	for _, p := range t.Partitions {
		if !lacks(p, factor) {
			continue
		}
		replicas := slices.Clone(p.Replicas)
		for _, id := range slices.SortedFunc(slices.Values(live), by(holds)) {
			if len(replicas) < factor && !slices.Contains(replicas, id) {
				replicas = append(replicas, id)
				holds[id]++
			}
		}
		if len(replicas) == len(p.Replicas) {
			continue
		}
		slices.SortFunc(replicas, by(leads))
		leads[replicas[0]]++
		out = append(out, controller.Reassignment{TopicPartition: controller.TopicPartition{Topic: t.Name, Index: p.Index}, Replicas: replicas})
	}
	return out
}

// lacks tells whether a partition has too few replicas and nobody changes that
// yet; one without a leader has nothing to copy from.
func lacks(p *metadata.Partition, factor int) bool {
	return len(p.Replicas) < factor && len(p.Adding)+len(p.Removing) == 0 && p.Leader >= 0
}
