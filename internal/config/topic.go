package config

import (
	"fmt"
	"reflect"
	"strconv"
)

// Topic is a topic's effective settings, typed, as partitions need them. -1
// stands where Kafka writes -1.
type Topic struct {
	CleanupDelete, CleanupCompact                               bool
	CompressionType                                             string // producer, uncompressed, gzip, snappy, lz4, zstd
	GzipLevel, LZ4Level, ZstdLevel                              int
	Durability                                                  string // fsync, replicated, memory
	FileDeleteDelayMs                                           int64
	FlushMessages, FlushMs                                      int64
	IndexIntervalBytes                                          int64
	MaxMessageBytes                                             int32
	MaxDecompressedBytes                                        int32
	TimestampBeforeMaxMs, TimestampAfterMaxMs                   int64
	LogAppendTime                                               bool
	MinInsyncReplicas                                           int32
	RetentionBytes, RetentionMs                                 int64
	SegmentBytes, SegmentIndexBytes, SegmentMs, SegmentJitterMs int64
	UncleanLeaderElection                                       bool
	DeadLetters                                                 bool   // share groups may write theirs here
	DeliverTo                                                   string // of a delay line: where its records go; empty for none
	// Throttled replicas (KIP-73): *, or PARTITION:BROKER,…
	ThrottledLeaders, ThrottledFollowers string
	// compaction
	DeleteRetentionMs, MinCompactionLagMs, MaxCompactionLagMs int64
	MinCleanableDirtyRatio                                    float64
}

// TopicConfig resolves all of a topic's settings. It is cheap for many topics:
// what follows from the broker's settings is resolved once for as long as they
// stay the same maps, and per topic only its overrides are read.
func (v *View) TopicConfig(d Dynamic, topic string) Topic {
	base := v.topicBase(v.brokerMaps(d))
	own := overrides(d, ScopeTopic, topic)
	if len(own) == 0 {
		return base
	}
	return base.with(own)
}

// with puts a topic's own settings over what follows from the broker's.
func (t Topic) with(own map[string]string) Topic {
	for name, value := range own {
		set, def := topicFields[name], Lookup(ScopeTopic, name)
		if set == nil || def == nil {
			continue
		}
		// Stored by another version, or by hand, it may not fit: the default
		// then holds, since a topic must not stop serving for it.
		if normal, err := def.Check(value); err == nil {
			set(&t, normal)
		}
	}
	return t
}

func (v *View) topicBase(m brokerMaps) Topic {
	b := &v.base
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.valid && sameMap(b.broker, m.own) && sameMap(b.dynDefault, m.cluster) {
		return b.topic
	}
	var t Topic
	for name, set := range topicFields {
		def := must(ScopeTopic, name)
		value, _ := v.resourceDefault(m, def)
		normal, err := def.Check(value)
		if err != nil {
			normal = def.Default
		}
		set(&t, normal)
	}
	b.broker, b.dynDefault, b.topic, b.valid = m.own, m.cluster, t, true
	return t
}

// sameMap tells whether two maps are one. The view keeps the map it compares
// with, so its address cannot be given to another meanwhile.
func sameMap(a, b map[string]string) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

const groupDeadLetters = "errors.deadletterqueue.group.enable"

// topicFields fills Topic's fields from values in normal form.
var topicFields = map[string]func(*Topic, string){
	"cleanup.policy": func(t *Topic, s string) {
		policies := splitList(s)
		t.CleanupDelete, t.CleanupCompact = contains(policies, "delete"), contains(policies, "compact")
	},
	"compression.type":               func(t *Topic, s string) { t.CompressionType = s },
	"compression.gzip.level":         func(t *Topic, s string) { t.GzipLevel = int(number(s)) },
	"compression.lz4.level":          func(t *Topic, s string) { t.LZ4Level = int(number(s)) },
	"compression.zstd.level":         func(t *Topic, s string) { t.ZstdLevel = int(number(s)) },
	"durability":                     func(t *Topic, s string) { t.Durability = s },
	"file.delete.delay.ms":           func(t *Topic, s string) { t.FileDeleteDelayMs = number(s) },
	"flush.messages":                 func(t *Topic, s string) { t.FlushMessages = number(s) },
	"flush.ms":                       func(t *Topic, s string) { t.FlushMs = number(s) },
	"index.interval.bytes":           func(t *Topic, s string) { t.IndexIntervalBytes = number(s) },
	"max.message.bytes":              func(t *Topic, s string) { t.MaxMessageBytes = int32(number(s)) },
	"max.decompressed.message.bytes": func(t *Topic, s string) { t.MaxDecompressedBytes = int32(number(s)) },
	"message.timestamp.before.max.ms": func(t *Topic, s string) {
		t.TimestampBeforeMaxMs = number(s)
	},
	"message.timestamp.after.max.ms":          func(t *Topic, s string) { t.TimestampAfterMaxMs = number(s) },
	"message.timestamp.type":                  func(t *Topic, s string) { t.LogAppendTime = s == "LogAppendTime" },
	"min.insync.replicas":                     func(t *Topic, s string) { t.MinInsyncReplicas = int32(number(s)) },
	"retention.bytes":                         func(t *Topic, s string) { t.RetentionBytes = number(s) },
	"retention.ms":                            func(t *Topic, s string) { t.RetentionMs = number(s) },
	"segment.bytes":                           func(t *Topic, s string) { t.SegmentBytes = number(s) },
	"segment.index.bytes":                     func(t *Topic, s string) { t.SegmentIndexBytes = number(s) },
	"segment.ms":                              func(t *Topic, s string) { t.SegmentMs = number(s) },
	"segment.jitter.ms":                       func(t *Topic, s string) { t.SegmentJitterMs = number(s) },
	"unclean.leader.election.enable":          func(t *Topic, s string) { t.UncleanLeaderElection = s == "true" },
	"leader.replication.throttled.replicas":   func(t *Topic, s string) { t.ThrottledLeaders = s },
	"follower.replication.throttled.replicas": func(t *Topic, s string) { t.ThrottledFollowers = s },
	"deliver.to":                              func(t *Topic, s string) { t.DeliverTo = s },
	groupDeadLetters:                          func(t *Topic, s string) { t.DeadLetters = s == "true" },
	"delete.retention.ms":                     func(t *Topic, s string) { t.DeleteRetentionMs = number(s) },
	"min.compaction.lag.ms":                   func(t *Topic, s string) { t.MinCompactionLagMs = number(s) },
	"max.compaction.lag.ms":                   func(t *Topic, s string) { t.MaxCompactionLagMs = number(s) },
	"min.cleanable.dirty.ratio": func(t *Topic, s string) {
		t.MinCleanableDirtyRatio, _ = strconv.ParseFloat(s, 64)
	},
}

// number reads a value that Check let in.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("config: the topic setting %q is no whole number", s))
	}
	return n
}
