package timers

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"ottla/internal/kafka/api"
	"ottla/internal/kafka/post"
	"ottla/internal/metadata"
	"ottla/internal/record"
	"ottla/internal/timer"
	"ottla/internal/timer/schema"
	"ottla/internal/wire"
)

// CarrierDeps are what a Carrier needs of its node.
type CarrierDeps struct {
	NodeID  int32
	Cluster api.Cluster
	// Partitions finds those of the timers' topic, Office those of all others.
	Partitions Partitions
	Office     *post.Office
	Wall       func() time.Time // the domain clock
	Logger     *slog.Logger
	Metrics    Metrics
}

// Carrier appends flights. It implements timer.Carrier.
type Carrier struct {
	d      CarrierDeps
	ids    ids
	topics topics
	jobs   sync.WaitGroup
}

var _ timer.Carrier = (*Carrier)(nil)

// NewCarrier makes a Carrier; Close must follow.
func NewCarrier(d CarrierDeps) *Carrier {
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	return &Carrier{
		d: d, ids: ids{cluster: d.Cluster, node: d.NodeID},
		topics: topics{image: d.Cluster.Image, most: d.Office.MostBytes},
	}
}

// Close waits for all that was begun.
func (c *Carrier) Close() { c.jobs.Wait() }

// Topic is timer.Options.Topic.
func (c *Carrier) Topic(name string) (timer.Topic, bool) { return c.topics.topic(name) }

// ProducerID implements timer.Carrier.
func (c *Carrier) ProducerID(ctx context.Context, done func(int64, error)) {
	c.jobs.Go(func() { done(c.ids.take(ctx)) })
}

// Keys implements timer.Carrier.
func (c *Carrier) Keys(_ context.Context, shard int32, offsets []int64, done func([]string, error)) {
	c.jobs.Go(func() {
		p, code := c.d.Partitions.ByName([]byte(Topic), shard)
		if code != wire.None {
			done(nil, code)
			return
		}
		keys, err := keysAt(p, offsets)
		if err != nil {
			err = wire.Errorf(wire.KafkaStorageError, "read the keys of timers of %s-%d: %w", Topic, shard, err)
		}
		done(keys, err)
	})
}

// Carry implements timer.Carrier.
func (c *Carrier) Carry(ctx context.Context, f timer.Flight, done func(timer.Landed)) {
	c.jobs.Go(func() {
		l := c.carry(ctx, &f)
		if l.Err != nil && ctx.Err() == nil {
			c.d.Metrics.FlightsFailed.Inc()
			c.d.Logger.Debug("timers could not be appended; it is tried again", "topic", f.Topic, "partition", f.Partition, "timers", len(f.Offsets), "err", l.Err)
		}
		done(l)
	})
}

// putWithin bounds one try, of which the batch may be written without being
// committed: replicas that are slow, a leader that is cut off.
const putWithin = 15 * time.Second

func (c *Carrier) carry(ctx context.Context, f *timer.Flight) timer.Landed {
	load, err := c.load(f)
	if err != nil {
		return timer.Landed{Err: err}
	}
	l := timer.Landed{Keys: load.keys}
	topic := c.d.Cluster.Image().TopicByName(f.Topic)
	switch {
	case topic == nil || int(f.Partition) >= len(topic.Partitions):
		l.Err = wire.UnknownTopicOrPartition
		return l
	case metadata.IsInternal(f.Topic):
		l.Err = wire.InvalidTopic
		return l
	}
	box, err := c.d.Office.Box(topic, f.Partition)
	if err != nil {
		l.Err = passing(err)
		return l
	}
	if there, err := c.there(ctx, f, box); there || err != nil {
		if l.Err = passing(err); there {
			c.landed(load)
		}
		return l
	}
	batch := load.batch(f)
	if len(batch) > box.MostBytes() {
		l.Err = wire.Errorf(wire.MessageTooLarge, "a batch of %d bytes, where %s takes %d", len(batch), f.Topic, box.MostBytes())
		return l
	}
	ctx, cancel := context.WithTimeout(ctx, putWithin)
	defer cancel()
	if err := box.Put(ctx, batch); err != nil {
		l.Err = passing(err)
		return l
	}
	c.landed(load)
	return l
}

// there tells whether a flight that may have been sent long ago is in its partition,
// which may not remember the producer any more.
func (c *Carrier) there(ctx context.Context, f *timer.Flight, box post.Box) (bool, error) {
	remembered := c.d.Office.View.Duration(c.d.Office.Image(), "producer.id.expiration.ms")
	if age := c.d.Wall().Sub(time.UnixMilli(f.TimeMs)); !f.Again || age < remembered/2 && age >= 0 {
		return false, nil
	}
	return box.Has(ctx, post.Batch{SinceMs: f.TimeMs, ProducerID: f.ProducerID, Sequence: f.Sequence})
}

// passing tells a partition that is not open here yet from one that is not there:
// that the topic is there the metadata have said.
func passing(err error) error {
	switch wire.CodeOf(err) {
	case wire.UnknownTopicOrPartition, wire.UnknownTopicID:
		return wire.Errorf(wire.NotLeaderOrFollower, "the partition is not open yet: %w", err)
	}
	return err
}

// load is what the timers of a flight hold.
type load struct {
	keys   []string
	timers []schema.Timer
}

// load reads it from the log.
func (c *Carrier) load(f *timer.Flight) (*load, error) {
	p, code := c.d.Partitions.ByName([]byte(Topic), f.Shard)
	if code != wire.None {
		return nil, code
	}
	l := &load{keys: make([]string, len(f.Offsets)), timers: make([]schema.Timer, len(f.Offsets))}
	var failed error
	err := payloads(p, f.Offsets, func(i int, key, value []byte) {
		kind, rest, err := schema.ParseKey(key)
		if err == nil && kind != schema.KindTimer {
			err = errNoPayload
		}
		if err == nil {
			l.keys[i] = string(rest)
			l.timers[i], err = schema.ParseTimer(append([]byte(nil), value...))
		}
		if err != nil && failed == nil {
			failed = wire.Errorf(wire.KafkaStorageError, "the timer at offset %d of %s-%d: %w", f.Offsets[i], Topic, f.Shard, err)
		}
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

// batch is the same for the same flight, whenever it is made.
func (l *load) batch(f *timer.Flight) []byte {
	b := record.NewBuilder()
	b.ProducerID, b.ProducerEpoch, b.BaseSequence = f.ProducerID, 0, f.Sequence
	for i := range l.timers {
		t := &l.timers[i]
		b.Add(f.TimeMs, t.RecordKey, t.Value, t.Headers...)
	}
	return b.Build(0)
}

// landed measures timers that were appended.
func (c *Carrier) landed(l *load) {
	c.d.Metrics.Appended.Add(len(l.timers))
	now := c.d.Wall().UnixMilli()
	for i := range l.timers {
		c.d.Metrics.Lateness.Seconds(time.Duration(max(now-l.timers[i].DueMs, 0)) * time.Millisecond)
	}
}

// GivenUp implements timer.Carrier.
func (c *Carrier) GivenUp(f timer.Flight, l timer.Landed) {
	c.d.Metrics.GivenUp.Add(len(f.Offsets))
	c.d.Logger.Error("timers are given up: their records cannot be appended", "topic", f.Topic, "partition", f.Partition,
		"timers", len(f.Offsets), "first", first(l.Keys), "err", l.Err)
}

func first(keys []string) string {
	if len(keys) == 0 {
		return ""
	}
	return keys[0]
}
