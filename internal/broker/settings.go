package broker

import (
	"strconv"
	"time"

	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/quota"
)

// Names of the broker settings that the broker itself heeds.
const (
	retentionInterval = "log.retention.check.interval.ms"
	producerExpiry    = "producer.id.expiration.ms"
	maxLag            = "replica.lag.time.max.ms"
	verifyTxns        = "transaction.partition.verification.enable"
	leaderRate        = "leader.replication.throttled.rate"
	followerRate      = "follower.replication.throttled.rate"
	quotaSamples      = "replication.quota.window.num"
	quotaSpan         = "replication.quota.window.size.seconds"
)

// configOf resolves what a topic's partitions heed.
func (b *Broker) configOf(img *metadata.Image, name string) partition.Config {
	t := b.o.View.TopicConfig(img, name)
	c := partitionConfig(&t, metadata.IsInternal(name), b.o.View.Duration(img, producerExpiry))
	c.VerifyTransactions = b.o.View.Bool(img, verifyTxns)
	if x := b.o.Stepping; x != nil && x.Adjust != nil {
		x.Adjust(&c)
	}
	return c
}

// reconfigure brings changed settings to the partitions they hold for: a
// topic's own, or, when a broker default moved, those of all topics.
func (b *Broker) reconfigure(img *metadata.Image, changes []metadata.ConfigChange) {
	if b.o.Nodes != nil {
		b.heedPulling(img)
	}
	if b.leading != nil {
		b.leading.Limit(b.o.View.Int(img, leaderRate))
		b.following.Limit(b.o.View.Int(img, followerRate))
	}
	all := false
	for _, c := range changes {
		switch {
		case c.Type == metadata.ResourceBroker && (c.Name == "" || c.Name == strconv.Itoa(int(b.o.NodeID))):
			all = true
		case c.Type == metadata.ResourceTopic && !all:
			b.configure(img, b.table.byName([]byte(c.Name)))
		}
	}
	if all {
		for t := range b.table.topics() {
			b.configure(img, t)
		}
	}
}

func (b *Broker) configure(img *metadata.Image, t *topic) {
	if t == nil {
		return
	}
	c := b.configOf(img, t.name)
	for _, h := range t.parts {
		if h != nil {
			h.configure(c)
		}
	}
}

// makeQuotas makes the rates of throttled replicas (KIP-73), without limits yet.
func (b *Broker) makeQuotas() {
	o := quota.Options{
		Samples: int(b.o.View.Int(nil, quotaSamples)), Span: time.Duration(b.o.View.Int(nil, quotaSpan)) * time.Second,
		Now: b.o.Now, Metrics: b.o.Metrics.Leading,
	}
	b.leading = quota.New(o)
	o.Metrics = b.o.Metrics.Following
	b.following = quota.New(o)
}

// LeaderQuota is what throttled replicas that are led here may be sent; nil where
// there are no other nodes.
func (b *Broker) LeaderQuota() *quota.Quota { return b.leading }
