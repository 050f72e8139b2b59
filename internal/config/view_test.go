package config

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

// fakeDynamic holds overrides by scope and name.
type fakeDynamic map[Scope]map[string]map[string]string

func (f fakeDynamic) ConfigOf(s Scope, name string) map[string]string { return f[s][name] }

func viewOf(t *testing.T, static map[string]string) *View {
	t.Helper()
	s, err := StaticOf("test", static)
	if err != nil {
		t.Fatal(err)
	}
	return &View{Static: s, NodeID: 1}
}

func chainText(v Value) []string {
	var out []string
	for _, o := range v.Chain {
		out = append(out, map[Source]string{1: "topic", 2: "broker", 3: "cluster", 4: "static", 5: "default", 8: "group"}[o.Source]+":"+o.Name+"="+o.Value)
	}
	return out
}

func TestANodesNumberStandsUnderBothItsNames(t *testing.T) {
	for what, given := range map[string]map[string]string{
		"given out": {}, "by its name": {"node.id": "7"}, "by its older name": {"broker.id": "7"}, "older name unset": {"broker.id": "-1", "log.dirs": "/a"},
	} {
		s := viewOf(t, given).Static
		v := View{Static: s.WithNode(7, "/data"), NodeID: 7}
		for name, want := range map[string]string{"node.id": "[static:node.id=7]", "broker.id": "[static:broker.id=7 default:broker.id=-1]"} {
			got := v.Broker(nil, name)
			if got.Value != "7" || got.Source != SourceStatic || fmt.Sprint(chainText(got)) != want {
				t.Errorf("%s: %s is %q from %d, %v, want 7 from 4, %s", what, name, got.Value, got.Source, chainText(got), want)
			}
		}
		if before, _ := s.Get("broker.id"); before != given["broker.id"] {
			t.Errorf("%s: the settings that it was made from have broker.id %q now", what, before)
		}
		if dirs, _ := v.Static.Get("log.dirs"); dirs != given["log.dirs"] {
			t.Errorf("%s: log.dirs is %q, want %q", what, dirs, given["log.dirs"])
		}
	}
	named := viewOf(t, map[string]string{"node.id": "7"}).Static
	if at, _ := named.WithNode(7, "/data").Origin("broker.id"); at.String() != "test" {
		t.Errorf("broker.id is from %s, want where node.id was set", at)
	}
	var none *Static
	if at, ok := none.WithNode(3, "/data").Origin("node.id"); !ok || at.String() != "/data" {
		t.Errorf("a number that was given out is from %s, want /data", at)
	}
}

func TestTopicRetentionFollowsKafkasChain(t *testing.T) {
	for _, c := range []struct {
		what   string
		static map[string]string
		dyn    fakeDynamic
		value  string
		source Source
		chain  []string
	}{
		{"all default", nil, nil, "604800000", SourceDefault, nil},
		{"static hours alone leave the chain empty", map[string]string{"log.retention.hours": "24"}, nil, "86400000", SourceDefault, nil},
		{"static ms", map[string]string{"log.retention.ms": "5", "log.retention.hours": "24"}, nil, "5", SourceStatic,
			[]string{"static:log.retention.ms=5", "static:log.retention.hours=24", "default:log.retention.hours=168"}},
		{"cluster-wide over minutes", map[string]string{"log.retention.minutes": "2"}, fakeDynamic{ScopeBroker: {"": {"log.retention.ms": "7"}}}, "7", SourceDynamicDefault,
			[]string{"cluster:log.retention.ms=7", "static:log.retention.minutes=2", "default:log.retention.hours=168"}},
		{"own override", nil, fakeDynamic{ScopeTopic: {"t": {"retention.ms": "9"}}}, "9", SourceTopic, []string{"topic:retention.ms=9"}},
		{"negative hours mean without limit", map[string]string{"log.retention.hours": "-1"}, nil, "-1", SourceDefault, nil},
		{"this broker over the cluster", nil, fakeDynamic{ScopeBroker: {"": {"log.retention.ms": "7"}, "1": {"log.retention.ms": "8"}}}, "8", SourceDynamicBroker,
			[]string{"broker:log.retention.ms=8", "cluster:log.retention.ms=7", "default:log.retention.hours=168"}},
	} {
		got := viewOf(t, c.static).Topic(c.dyn, "t", "retention.ms")
		if got.Value != c.value || got.Null || got.Source != c.source || !slices.Equal(chainText(got), c.chain) {
			t.Errorf("%s: got %s source %d chain %q, want %s source %d chain %q", c.what, got.Value, got.Source, chainText(got), c.value, c.source, c.chain)
		}
	}
}

func TestTopicConfigOfDefaultsIsKafkas(t *testing.T) {
	got := viewOf(t, nil).TopicConfig(nil, "t")
	want := Topic{
		CleanupDelete: true, CompressionType: "producer", GzipLevel: -1, LZ4Level: 9, ZstdLevel: 3,
		Durability: "fsync", FileDeleteDelayMs: 60000, FlushMessages: 1<<63 - 1, FlushMs: 1<<63 - 1,
		IndexIntervalBytes: 4096, MaxMessageBytes: 1048588, MaxDecompressedBytes: 2147483639,
		TimestampBeforeMaxMs: 1<<63 - 1, TimestampAfterMaxMs: 3600000, MinInsyncReplicas: 1,
		RetentionBytes: -1, RetentionMs: 604800000, SegmentBytes: 1 << 30, SegmentIndexBytes: 10485760,
		SegmentMs: 604800000, DeleteRetentionMs: 86400000, MaxCompactionLagMs: 1<<63 - 1, MinCleanableDirtyRatio: 0.5,
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestTopicConfigSeesChangedBrokerSettings(t *testing.T) {
	v := viewOf(t, map[string]string{"log.roll.hours": "2"})
	d := fakeDynamic{ScopeBroker: {"": {"durability": "memory"}}, ScopeTopic: {"t": {"segment.bytes": "2097152", "cleanup.policy": "compact,delete"}}}
	got := v.TopicConfig(d, "t")
	if got.Durability != "memory" || got.SegmentMs != 2*3600*1000 || got.SegmentBytes != 2097152 || !got.CleanupCompact || !got.CleanupDelete {
		t.Errorf("got %+v", got)
	}
	changed := maps.Clone(d)
	changed[ScopeBroker] = map[string]map[string]string{"": {"durability": "replicated"}}
	if got := v.TopicConfig(changed, "other"); got.Durability != "replicated" || got.SegmentBytes != 1<<30 {
		t.Errorf("after the change got %+v", got)
	}
}

func TestStoredNonsenseLeavesTheDefault(t *testing.T) {
	d := fakeDynamic{ScopeTopic: {"t": {"retention.ms": "soon", "unheard.of": "1"}}, ScopeBroker: {"": {"log.segment.bytes": "many"}}}
	v := viewOf(t, nil)
	if got := v.TopicConfig(d, "t"); got.RetentionMs != 604800000 || got.SegmentBytes != 1<<30 {
		t.Errorf("got %+v", got)
	}
	if got := v.Int(d, "log.segment.bytes"); got != 1<<30 {
		t.Errorf("Int: got %d", got)
	}
}

func TestTypedShortcuts(t *testing.T) {
	v := viewOf(t, map[string]string{"connections.max.idle.ms": "1000", "log.roll.hours": "3", "auto.create.topics.enable": "false"})
	if got := v.Duration(nil, "connections.max.idle.ms"); got != time.Second {
		t.Errorf("idle: got %v", got)
	}
	if got := v.Duration(nil, "log.roll.ms"); got != 3*time.Hour {
		t.Errorf("roll: got %v", got)
	}
	if v.Bool(nil, "auto.create.topics.enable") || !v.Bool(nil, "delete.topic.enable") {
		t.Error("booleans: got the wrong ones")
	}
	if got := v.Duration(nil, "log.cleaner.max.compaction.lag.ms"); got != 1<<63-1 {
		t.Errorf("longest: got %v", got)
	}
	if got := v.Int(nil, "num.replica.alter.log.dirs.threads"); got != -1 {
		t.Errorf("without a value: got %d", got)
	}
	if got := v.String(nil, "broker.rack"); got != "" {
		t.Errorf("rack: got %q", got)
	}
}
