package broker

import (
	"math"
	"testing"
	"time"

	"ottla/internal/config"
	"ottla/internal/log"
	"ottla/internal/record"
)

func defaults(t *testing.T) config.Topic {
	t.Helper()
	static, err := config.StaticOf("test", nil)
	if err != nil {
		t.Fatal(err)
	}
	v := config.View{Static: static, NodeID: 1}
	return v.TopicConfig(nil, "t")
}

// Kafka's defaults, as a partition heeds them.
func TestDefaultsOfATopic(t *testing.T) {
	d := defaults(t)
	c := partitionConfig(&d, false, 24*time.Hour)
	want := log.Config{
		SegmentBytes: 1 << 30, SegmentAge: 7 * 24 * time.Hour, IndexBytes: 10 << 20, IndexIntervalBytes: 4096,
		Delete: true, RetentionAge: 7 * 24 * time.Hour, FileDeleteDelay: time.Minute,
		Durability: log.Fsync, MaxDecompressed: c.Log.MaxDecompressed,
		DirtyRatio: 0.5, DeleteRetention: 24 * time.Hour,
	}
	if c.Log != want {
		t.Errorf("log settings are\n%+v, want\n%+v", c.Log, want)
	}
	if c.Recompress || c.MinInsync != 1 || c.Rules.MaxBatchBytes != 1048588 || c.Rules.RequireKeys || c.Rules.AppendTime ||
		c.Rules.AfterMaxMs != time.Hour.Milliseconds() || c.ProducerExpiry != 24*time.Hour {
		t.Errorf("settings are %+v", c)
	}
}

func TestSettingsReachThePartition(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(*config.Topic)
		ok   func(c log.Config) bool
	}{
		{"no time limit", func(c *config.Topic) { c.RetentionMs = -1 }, func(c log.Config) bool { return c.RetentionAge == 0 }},
		{"nothing is kept by time", func(c *config.Topic) { c.RetentionMs = 0 }, func(c log.Config) bool { return c.RetentionAge == 1 }},
		{"nothing is kept by size", func(c *config.Topic) { c.RetentionBytes = 0 }, func(c log.Config) bool { return c.RetentionBytes == 1 }},
		{"no size limit", func(c *config.Topic) { c.RetentionBytes = -1 }, func(c log.Config) bool { return c.RetentionBytes == 0 }},
		{"size limit", func(c *config.Topic) { c.RetentionBytes = 77 }, func(c log.Config) bool { return c.RetentionBytes == 77 }},
		{"beyond all time", func(c *config.Topic) { c.SegmentMs = math.MaxInt64 }, func(c log.Config) bool { return c.SegmentAge == 0 }},
		{"flush each", func(c *config.Topic) { c.FlushMessages, c.FlushMs = 1, 5 }, func(c log.Config) bool { return c.FlushMessages == 1 && c.FlushAge == 5*time.Millisecond }},
		{"compacted", func(c *config.Topic) { c.CleanupDelete, c.CleanupCompact = false, true }, func(c log.Config) bool { return c.Compact && !c.Delete }},
		{"never too young", func(c *config.Topic) { c.MinCompactionLagMs, c.DeleteRetentionMs = math.MaxInt64, math.MaxInt64 }, func(c log.Config) bool { return c.MinCompactionLag > 1<<62 && c.DeleteRetention > 1<<62 }},
		{"segments close in time to be cleaned", func(c *config.Topic) { c.CleanupCompact, c.MaxCompactionLagMs = true, 5000 }, func(c log.Config) bool { return c.SegmentAge == 5*time.Second && c.MaxCompactionLag == 5*time.Second }},
		{"without compaction they do not", func(c *config.Topic) { c.MaxCompactionLagMs = 5000 }, func(c log.Config) bool { return c.SegmentAge == 7*24*time.Hour }},
		{"dirty share", func(c *config.Topic) { c.MinCleanableDirtyRatio = 0.1 }, func(c log.Config) bool { return c.DirtyRatio == 0.1 }},
		{"replicated", func(c *config.Topic) { c.Durability = "replicated" }, func(c log.Config) bool { return c.Durability == log.Replicated }},
		{"memory", func(c *config.Topic) { c.Durability = "memory" }, func(c log.Config) bool { return c.Durability == log.Memory }},
	} {
		d := defaults(t)
		tt.set(&d)
		if c := partitionConfig(&d, false, 0); !tt.ok(c.Log) {
			t.Errorf("%s: %+v", tt.name, c.Log)
		}
	}
	d := defaults(t)
	d.CleanupCompact, d.LogAppendTime, d.MaxMessageBytes = true, true, 99
	if c := partitionConfig(&d, true, 0); !c.Log.Internal || !c.Rules.RequireKeys || !c.Rules.AppendTime || c.Rules.MaxBatchBytes != 99 {
		t.Errorf("%+v", c)
	}
}

func TestCompressionSettings(t *testing.T) {
	for name, want := range map[string]struct {
		recompress bool
		codec      record.Codec
		level      int
	}{
		"producer": {false, record.None, 0}, "uncompressed": {true, record.None, 0}, "gzip": {true, record.Gzip, 4},
		"snappy": {true, record.Snappy, 0}, "lz4": {true, record.LZ4, 5}, "zstd": {true, record.Zstd, 6},
	} {
		d := config.Topic{CompressionType: name, GzipLevel: 4, LZ4Level: 5, ZstdLevel: 6}
		if r, c, l := compression(&d); r != want.recompress || c != want.codec || l != want.level {
			t.Errorf("%s: %v %v %d, want %+v", name, r, c, l, want)
		}
	}
}
