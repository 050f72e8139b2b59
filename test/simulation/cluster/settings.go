package cluster

import (
	"strconv"

	"ottla/internal/metadata"
	"ottla/internal/partition"
)

// settings are what nodes are started with.
func settings(o Options) map[string]string {
	return map[string]string{
		"min.insync.replicas":      "2",
		"replica.lag.time.max.ms":  strconv.FormatInt(o.MaxLag.Milliseconds(), 10),
		"durability":               o.Durability,
		"replica.fetch.backoff.ms": "1000",
		// What a clock that jumps by a year makes too old is not looked at here.
		"log.retention.ms": "-1",
	}
}

// adjust makes segments smaller than a setting may.
func (o Options) adjust(c *partition.Config) {
	c.Log.SegmentBytes = o.SegmentBytes
	if c.Log.Internal {
		c.Log.SegmentBytes, c.Log.DirtyRatio = max(c.Log.SegmentBytes, leastInternal), .2
	}
	c.Log.IndexIntervalBytes = 200
}

// leastInternal is room for one record of a coordinator's.
const leastInternal = 8000

// features are the levels that a node understands, and the cluster begins with.
func (o Options) features() map[string][2]int16 {
	return map[string][2]int16{
		metadata.MetadataVersion: {33, 33}, metadata.TransactionVersion: {0, 2}, metadata.GroupVersion: {0, 1}, metadata.ELRVersion: {0, 1},
	}
}

func (o Options) fresh() map[string]int16 {
	out := map[string]int16{}
	for name, r := range o.features() {
		out[name] = r[1]
	}
	return out
}
