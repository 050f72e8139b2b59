package broker

import (
	"time"

	"ottla/internal/broker/mend"
	"ottla/internal/log"
	"ottla/internal/metric"
	"ottla/internal/quota"
	"ottla/internal/replicate"
)

// Metrics are what the loops measure. A nil handle measures nothing.
type Metrics struct {
	SyncDuration       *metric.Histogram
	Syncs, SyncsFailed *metric.Counter

	Cleanings, CleaningsFailed  *metric.Counter
	CleanerRead, CleanerWritten *metric.Counter // bytes
	CleanerDropped              *metric.Counter // records

	Replicas replicate.Metrics
	Mending  mend.Metrics
	// Leading and Following are of throttled replicas (KIP-73).
	Leading, Following quota.Metrics
}

// syncRound runs one round and measures it. On a directory that is offline a
// round syncs nothing, it only tells the logs' owners, and does not count. A
// failed round takes the directory offline, which says so itself.
func (b *Broker) syncRound(d *log.Dir) {
	offline, began := d.Err() != nil, b.o.Now()
	err := d.SyncRound()
	if !offline {
		b.o.Metrics.synced(b.o.Now().Sub(began), err)
	}
}

func (m *Metrics) synced(dur time.Duration, err error) {
	m.Syncs.Inc()
	m.SyncDuration.Seconds(dur)
	if err != nil {
		m.SyncsFailed.Inc()
	}
}
