package broker

import (
	"math"
	"strings"
	"time"

	"ottla/internal/config"
	"ottla/internal/log"
	"ottla/internal/partition"
	"ottla/internal/quota"
	"ottla/internal/record"
)

// partitionConfig turns a topic's settings into what its partitions heed.
// Where Kafka writes -1, or a time beyond all bounds, there is no limit.
func partitionConfig(t *config.Topic, internal bool, producerExpiry time.Duration) partition.Config {
	c := partition.Config{
		Log: log.Config{
			SegmentBytes:       t.SegmentBytes,
			SegmentAge:         age(t.SegmentMs),
			SegmentJitter:      age(t.SegmentJitterMs),
			IndexBytes:         t.SegmentIndexBytes,
			IndexIntervalBytes: t.IndexIntervalBytes,
			Delete:             t.CleanupDelete,
			Compact:            t.CleanupCompact,
			RetentionAge:       atLeast(age(t.RetentionMs), t.RetentionMs),
			RetentionBytes:     atLeast(max(t.RetentionBytes, 0), t.RetentionBytes),
			FileDeleteDelay:    age(t.FileDeleteDelayMs),
			Durability:         durability(t.Durability),
			FlushMessages:      flushMessages(t.FlushMessages),
			FlushAge:           age(t.FlushMs),
			Internal:           internal,
			MaxDecompressed:    int(t.MaxDecompressedBytes),
			DirtyRatio:         t.MinCleanableDirtyRatio,
			MinCompactionLag:   span(t.MinCompactionLagMs),
			MaxCompactionLag:   age(t.MaxCompactionLagMs),
			DeleteRetention:    span(t.DeleteRetentionMs),
		},
		Rules: record.Rules{
			MaxBatchBytes:   int(t.MaxMessageBytes),
			MaxDecompressed: int(t.MaxDecompressedBytes),
			RequireKeys:     t.CleanupCompact,
			BeforeMaxMs:     t.TimestampBeforeMaxMs,
			AfterMaxMs:      t.TimestampAfterMaxMs,
			AppendTime:      t.LogAppendTime,
		},
		MinInsync:      int(t.MinInsyncReplicas),
		ProducerExpiry: producerExpiry,
	}
	c.Throttled.Leaders, c.Throttled.Followers = quota.ParseReplicas(t.ThrottledLeaders), quota.ParseReplicas(t.ThrottledFollowers)
	c.Recompress, c.Codec, c.Level = compression(t)
	// Only closed segments are cleaned, so a record that may not wait longer
	// than max.compaction.lag.ms closes its segment in time (KIP-354).
	if l := &c.Log; l.Compact && l.MaxCompactionLag > 0 && (l.SegmentAge == 0 || l.MaxCompactionLag < l.SegmentAge) {
		l.SegmentAge = l.MaxCompactionLag
	}
	return c
}

// age turns milliseconds into a duration; no limit (-1, or more than a
// duration holds) is 0.
func age(ms int64) time.Duration {
	if ms < 0 || ms > math.MaxInt64/int64(time.Millisecond) {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

// span turns milliseconds into a duration; what is too long for one is the
// longest there is.
func span(ms int64) time.Duration {
	return time.Duration(min(max(ms, 0), math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
}

// atLeast keeps a retention of 0, which in Kafka means "nothing", apart from
// no limit: the least above zero.
func atLeast[T ~int64](v T, setting int64) T {
	if setting == 0 {
		return 1
	}
	return v
}

// flushMessages: Kafka's default of 2^63-1 means never.
func flushMessages(n int64) int64 {
	if n == math.MaxInt64 {
		return 0
	}
	return n
}

func durability(s string) log.Durability {
	switch s {
	case "replicated":
		return log.Replicated
	case "memory":
		return log.Memory
	}
	return log.Fsync
}

// compression tells whether the leader recompresses, and how.
func compression(t *config.Topic) (recompress bool, codec record.Codec, level int) {
	switch strings.ToLower(t.CompressionType) {
	case "uncompressed":
		return true, record.None, 0
	case "gzip":
		return true, record.Gzip, t.GzipLevel
	case "snappy":
		return true, record.Snappy, 0
	case "lz4":
		return true, record.LZ4, t.LZ4Level
	case "zstd":
		return true, record.Zstd, t.ZstdLevel
	}
	return false, record.None, 0
}
