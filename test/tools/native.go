package main

import (
	"regexp"
	"slices"
	"strings"
)

// nativeTools are those that `ottla kafka` has.
var nativeTools = map[string]bool{
	"kafka-topics": true, "kafka-configs": true, "kafka-console-producer": true, "kafka-console-consumer": true, "kafka-get-offsets": true,
	"kafka-delete-records": true, "kafka-broker-api-versions": true, "kafka-log-dirs": true, "kafka-producer-perf-test": true,
	"kafka-consumer-perf-test": true, "kafka-consumer-groups": true,
}

// ownSteps are those of ownTool that any side can do.
var ownSteps = map[string]bool{"members": true, "members-leave": true, "timed": true}

// notNative are steps of those tools that show what only steps of the others
// made.
var notNative = regexp.MustCompile(`^(transactions: (offsets at read committed|what hung is not read|group of the offsets|group deleted)|list at the end)$`)

// native tells whether ottla kafka can do a step.
func (st step) native() bool {
	if st.tool == ownTool {
		return ownSteps[strings.Fields(st.args)[0]]
	}
	return nativeTools[st.tool] && !notNative.MatchString(st.name)
}

// oddScript are calls that are wrong, old or odd, which a broker never sees: they
// compare tools alone, and come last.
func oddScript() []step {
	return slices.Concat(oddTopics(), oddConfigs(), oddRecords(), oddOffsets(), groupCalls())
}

func oddTopics() []step {
	return []step{
		{"two actions", "kafka-topics", "--create --list", ""},
		{"create without a name", "kafka-topics", "--create", ""},
		{"alter without partitions", "kafka-topics", "--alter --topic plain", ""},
		{"unknown option", "kafka-topics", "--list --wrong", ""},
		{"an option twice", "kafka-topics", "--describe --topic a --topic b", ""},
		{"partitions of a list", "kafka-topics", "--list --partitions 3", ""},
		{"partitions that are no number", "kafka-topics", "--create --topic x --partitions many", ""},
		{"one dash", "kafka-topics", "-list --topic orders", ""},
		{"equals sign", "kafka-topics", "--describe --topic=plain", ""},
	}
}

func oddConfigs() []step {
	return []step{
		{"no action for configs", "kafka-configs", "--topic plain", ""},
		{"no entity", "kafka-configs", "--describe", ""},
		{"wrong entity", "kafka-configs", "--describe --entity-type things", ""},
		{"broker that is no number", "kafka-configs", "--describe --broker one", ""},
		{"nothing to alter", "kafka-configs", "--alter --topic plain", ""},
		{"pair without equals sign", "kafka-configs", "--alter --topic plain --add-config retention.ms", ""},
		{"default broker by short name", "kafka-configs", "--describe --broker-defaults", ""},
	}
}

func oddRecords() []step {
	return []step{
		{"old producer flags", "kafka-console-producer", "--topic plain --property parse.key=true --property key.separator=: --producer-property linger.ms=1", lines("x:old")},
		{"help", "kafka-topics", "--help", ""},
		{"lost record", "kafka-console-producer", "--topic orders --command-property max.request.size=600", lines(strings.Repeat("x", 700))},
		{"line without a key", "kafka-console-producer", "--topic plain --reader-property parse.key=true", lines("nokey")},
		{"equal separators", "kafka-console-producer", "--topic plain --reader-property headers.delimiter=, --reader-property parse.headers=true", lines("x")},
		{"producer without a topic", "kafka-console-producer", "", lines("x")},
		{"old consumer flags", "kafka-console-consumer", "--topic orders --partition 1 --offset earliest --max-messages 1 --property print.key=true --property print.epoch=true --property print.delivery=true --consumer-property fetch.max.wait.ms=50", ""},
		{"consume in words", "kafka-console-consumer", "--topic orders --partition 1 --from-beginning --max-messages 1 --formatter-property null.literal=N --formatter-property line.separator=; --formatter-property print.headers=true", ""},
		{"consume a long", "kafka-console-consumer", "--topic long --from-beginning --max-messages 1 --timeout-ms 20000 --formatter-property value.deserializer=org.apache.kafka.common.serialization.IntegerDeserializer", ""},
		{"consume without a topic", "kafka-console-consumer", "", ""},
		{"offset without a partition", "kafka-console-consumer", "--topic orders --offset 3", ""},
		{"offset that is no number", "kafka-console-consumer", "--topic orders --partition 0 --offset soon", ""},
	}
}

func oddOffsets() []step {
	return []step{
		{"offsets at a time that is none", "kafka-get-offsets", "--topic orders --time soon", ""},
		{"offsets in two ways", "kafka-get-offsets", "--topic orders --topic-partitions orders:0", ""},
		{"offsets of partition words", "kafka-get-offsets", "--topic orders --partitions zero", ""},
		{"delete with broken JSON", "kafka-delete-records", "--offset-json-file FILE", "{"},
		{"delete twice", "kafka-delete-records", "--offset-json-file FILE", `{"partitions":[{"topic":"orders","partition":0,"offset":1},{"topic":"orders","partition":0,"offset":1}]}`},
		{"delete another version", "kafka-delete-records", "--offset-json-file FILE", `{"partitions":[],"version":2}`},
		{"delete nothing", "kafka-delete-records", "", ""},
		{"perf without size", "kafka-producer-perf-test", "--topic perf --num-records 1 --throughput -1", ""},
		{"perf old flags", "kafka-producer-perf-test", "--topic perf --num-records 100 --record-size 10 --throughput -1 --producer-props acks=1", ""},
		{"perf warm-up", "kafka-producer-perf-test", "--topic perf --num-records 1000 --record-size 10 --throughput -1 --warmup-records 100", ""},
		{"consumer perf without count", "kafka-consumer-perf-test", "--topic perf", ""},
	}
}

func groupCalls() []step {
	return []step{
		{"consume in a group", "kafka-console-consumer", "--topic plain --group readers --from-beginning --max-messages 3 --timeout-ms 20000 --formatter org.apache.kafka.tools.consumer.NoOpMessageFormatter", ""},
		{"groups", "kafka-consumer-groups", "--list", ""},
		{"groups with state", "kafka-consumer-groups", "--list --state", ""},
		{"groups with type", "kafka-consumer-groups", "--list --type --state", ""},
		{"groups in a state that is none", "kafka-consumer-groups", "--list --state junk", ""},
		{"group state", "kafka-consumer-groups", "--describe --group readers --state", ""},
		{"group members", "kafka-consumer-groups", "--describe --group readers --members", ""},
		{"group that is none", "kafka-consumer-groups", "--describe --group nobody", ""},
		{"group reset", "kafka-consumer-groups", "--reset-offsets --group readers --topic plain --to-earliest --execute", ""},
		{"group described", "kafka-consumer-groups", "--describe --group readers", ""},
		{"group described in full", "kafka-consumer-groups", "--describe --group readers --verbose", ""},
		{"group reset by file", "kafka-consumer-groups", "--reset-offsets --group readers --from-file FILE --dry-run", "plain,0,1\nplain,1,0\n"},
		{"group reset beyond the end", "kafka-consumer-groups", "--reset-offsets --group readers --topic plain --to-offset 1000000 --dry-run", ""},
		{"group reset by time", "kafka-consumer-groups", "--reset-offsets --group readers --topic plain --to-datetime 2020-01-01T00:00:00.000 --dry-run --export", ""},
		{"group reset for show", "kafka-consumer-groups", "--reset-offsets --group readers --all-topics --to-current", ""},
		{"group reset to nowhere", "kafka-consumer-groups", "--reset-offsets --group readers --topic plain", ""},
		{"group offsets deleted", "kafka-consumer-groups", "--delete-offsets --group readers --topic plain:0", ""},
		{"group without action", "kafka-consumer-groups", "--group readers", ""},
		{"group described without a name", "kafka-consumer-groups", "--describe", ""},
		{"groups deleted", "kafka-consumer-groups", "--delete --group readers --group nobody", ""},
		{"log dirs without describe", "kafka-log-dirs", "--topic-list orders", ""},
	}
}
