package cluster

import (
	"context"
	"time"

	"ottla/internal/broker"
	"ottla/internal/coordinator"
	"ottla/internal/group"
	"ottla/internal/group/consumer"
	"ottla/internal/group/kind"
	"ottla/internal/metadata"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// shards are the coordinators of a node: what coordinator.Runtime does, as events.
type shards struct {
	p      *process
	groups *topicShards
	txns   *topicShards
}

// topicShards are those of one internal topic. It implements broker.Coordinator.
type topicShards struct {
	p       *process
	topic   string
	machine func() coordinator.Machine
	all     map[int32]*shard
}

// shard is one partition's coordinator.
type shard struct {
	of    *topicShards
	core  *coordinator.Stepped
	rung  bool
	alarm time.Time // of the clock that is set, zero when none is
}

func newShards(p *process) *shards {
	s := &shards{p: p}
	settings := group.Defaults()
	settings.MinSession, settings.InitialDelay = time.Second, 300*time.Millisecond
	modern := consumer.Defaults()
	modern.Image = func() *metadata.Image { return p.broker.Image() }
	modern.Of = func(string) consumer.Times {
		return consumer.Times{Session: 3 * time.Second, Heartbeat: 500 * time.Millisecond, Assignment: -1}
	}
	settings.Kinds = []func(kind.Host) kind.Kind{consumer.New(modern)}
	s.groups = &topicShards{p: p, topic: broker.OffsetsTopic, all: map[int32]*shard{}, machine: func() coordinator.Machine { return group.New(settings) }}
	o := txn.Options{
		Settings: txn.Defaults(), Markers: markers{p},
		Level: func() int16 { return p.broker.Image().FeatureLevel(metadata.TransactionVersion) },
	}
	o.AbortInterval = 2 * time.Second
	s.txns = &topicShards{p: p, topic: broker.TransactionsTopic, all: map[int32]*shard{}, machine: func() coordinator.Machine { return txn.New(o) }}
	return s
}

func (s *shards) byTopic() map[string]broker.Coordinator {
	return map[string]broker.Coordinator{s.groups.topic: s.groups, s.txns.topic: s.txns}
}

// close ends them with the node.
func (s *shards) close() {
	for _, t := range []*topicShards{s.groups, s.txns} {
		for i := range int32(coordinatorParts) {
			if x := t.all[i]; x != nil {
				x.core.Close()
			}
		}
	}
}

// coordinatorParts is how many partitions internal topics have.
const coordinatorParts = 2

// home is the partition of a key.
func home(key string) int32 {
	n := 0
	for _, c := range []byte(key) {
		n += int(c)
	}
	return int32(n % coordinatorParts)
}

func (t *topicShards) make(partition int32) *shard {
	x := t.all[partition]
	if x == nil {
		x = &shard{of: t}
		t.all[partition] = x
		x.core = coordinator.NewStepped(coordinator.SteppedOptions{
			Options: coordinator.Options{
				Topic: t.topic, New: func(int32) coordinator.Machine { return t.machine() }, Now: t.p.w.live, Wall: t.p.wall,
				SnapshotBytes: t.p.w.o.SnapshotBytes, Logger: t.p.logger(),
			},
			Partition: partition,
			Later:     func(do func()) { t.p.after(t.p.n.syncDelay(), do) },
			Ring:      x.ring,
		})
	}
	return x
}

// Lead implements broker.Coordinator.
func (t *topicShards) Lead(partition int32, tail coordinator.Tail) { t.make(partition).core.Lead(tail) }

// Expect implements broker.Coordinator: until Lead, commands are refused.
func (t *topicShards) Expect(int32) {}

// Resign implements broker.Coordinator.
func (t *topicShards) Resign(partition int32) {
	if x := t.all[partition]; x != nil {
		x.core.Resign()
	}
}

// ring has the shard step soon.
func (x *shard) ring() {
	if !x.rung {
		x.rung = true
		x.of.p.after(0, x.step)
	}
}

// step does what there is to do, and sets the clock.
func (x *shard) step() {
	x.rung = false
	now := x.of.p.w.live()
	at, ok := x.core.Step(now)
	if !ok || !x.alarm.IsZero() && !at.Before(x.alarm) {
		return
	}
	x.alarm = at
	x.of.p.after(max(at.Sub(now), time.Millisecond), func() {
		if x.alarm.Equal(at) {
			x.alarm = time.Time{}
			x.ring()
		}
	})
}

// said is what a coordinator answered.
type said struct {
	body any
	err  error
}

// do gives a command to the coordinator of a partition, as coordinator.Runtime does.
func (t *topicShards) do(partition int32, cmd any, answer func(said)) {
	x := t.all[partition]
	if x == nil {
		answer(said{err: wire.NotCoordinator})
		return
	}
	if _, exact := cmd.(coordinator.Exact); exact && !t.p.w.live().Before(t.p.speaker.trust) {
		t.p.w.hit("coordinator in doubt")
		answer(said{err: wire.NotCoordinator})
		return
	}
	x.core.Do(context.Background(), cmd, func(body any, err error) {
		t.p.after(0, func() { answer(said{body, err}) })
	})
}

// coordinate gives a command to whoever leads a coordinator's partition; then is
// called once, with NETWORK_EXCEPTION when no answer came.
func (p *process) coordinate(topic string, partition int32, cmd any, then func(said)) {
	leader := int32(-1)
	if t := p.broker.Image().TopicByName(topic); t != nil && int(partition) < len(t.Partitions) {
		leader = t.Partitions[partition].Leader
	}
	switch leader {
	case -1:
		then(said{err: wire.CoordinatorNotAvailable})
	case p.n.id:
		p.shards.of(topic).do(partition, cmd, then)
	default:
		p.ask(request{
			to: leader, timeout: 2 * time.Second,
			serve: func(q *process, answer func(any)) {
				q.shards.of(topic).do(partition, cmd, func(x said) { answer(x) })
			},
			done: func(answer any, _ bool) {
				x, ok := answer.(said)
				if !ok {
					x.err = wire.NetworkException
				}
				then(x)
			},
		})
	}
}

func (s *shards) of(topic string) *topicShards {
	if topic == s.groups.topic {
		return s.groups
	}
	return s.txns
}
