package main

import (
	"slices"
	"strings"
)

// step is one call of a tool.
type step struct {
	name  string
	tool  string
	args  string // split at blanks; SERVER is the broker (else last); FILE and others as in places.go
	stdin string
}

// unanswered tells of what Kafka printed that it did not answer: a tool that reads
// a number of records that are there gave up, which a busy machine brings about
// once in a hundred runs. Such a step changes nothing, unless it is a group's, so it
// may be run again. Of Ottla's output nobody asks: that it gives up is a difference.
func (st step) unanswered(kafka []string) bool {
	reads := st.tool == "kafka-console-consumer" && strings.Contains(st.args, "--max-messages") && !strings.Contains(st.args, "--group")
	return reads && slices.ContainsFunc(kafka, func(line string) bool { return strings.Contains(line, "TimeoutException") })
}

// script is what is run, in order.
func script() []step {
	return slices.Concat(topicSteps(), configSteps(), recordSteps(), offsetSteps(), deletionSteps(), logDirSteps(), perfSteps(), nodeSteps(), transactionSteps(), consumerSteps(), shareSteps(), streamsSteps(), endSteps())
}

// lines are what a tool reads.
func lines(text ...string) string { return strings.Join(text, "\n") + "\n" }

func topicSteps() []step {
	return []step{
		{"api versions", "kafka-broker-api-versions", "", ""},
		{"list none", "kafka-topics", "--list", ""},
		{"create", "kafka-topics", "--create --topic orders --partitions 3 --replication-factor 1 --config retention.ms=604800000", ""},
		{"create again", "kafka-topics", "--create --topic orders --partitions 3", ""},
		{"create if not exists", "kafka-topics", "--create --topic orders --partitions 3 --if-not-exists", ""},
		{"create with defaults", "kafka-topics", "--create --topic plain", ""},
		{"create dotted", "kafka-topics", "--create --topic a.b --partitions 1", ""},
		{"create colliding", "kafka-topics", "--create --topic a_b --partitions 1", ""},
		{"create with a bad name", "kafka-topics", "--create --topic not/a/name --partitions 1", ""},
		{"create with too many replicas", "kafka-topics", "--create --topic three --replication-factor 3", ""},
		{"create with no partitions", "kafka-topics", "--create --topic none --partitions 0", ""},
		{"create with a bad config", "kafka-topics", "--create --topic bad --config retention.ms=soon", ""},
		{"create with an unknown config", "kafka-topics", "--create --topic bad --config no.such=1", ""},
		{"create with an assignment", "kafka-topics", "--create --topic placed --replica-assignment 1,1", ""},
		{"create with a bad assignment", "kafka-topics", "--create --topic misplaced --replica-assignment 7", ""},
		{"list", "kafka-topics", "--list", ""},
		{"describe all", "kafka-topics", "--describe", ""},
		{"describe one", "kafka-topics", "--describe --topic orders", ""},
		{"describe by pattern", "kafka-topics", "--describe --topic (orders|plain)", ""},
		{"describe unknown", "kafka-topics", "--describe --topic nothing", ""},
		{"describe overrides", "kafka-topics", "--describe --topics-with-overrides", ""},
		{"describe under-replicated", "kafka-topics", "--describe --under-replicated-partitions", ""},
		{"describe unavailable", "kafka-topics", "--describe --unavailable-partitions", ""},
		{"alter partitions", "kafka-topics", "--alter --topic plain --partitions 4", ""},
		{"alter to fewer", "kafka-topics", "--alter --topic plain --partitions 2", ""},
		{"alter to the same", "kafka-topics", "--alter --topic plain --partitions 4", ""},
		{"alter unknown", "kafka-topics", "--alter --topic nothing --partitions 4", ""},
		{"describe altered", "kafka-topics", "--describe --topic plain", ""},
	}
}

func configSteps() []step {
	return []step{
		{"configs of a topic", "kafka-configs", "--describe --entity-type topics --entity-name orders", ""},
		{"all configs of a topic", "kafka-configs", "--describe --all --entity-type topics --entity-name orders", ""},
		{"alter a topic", "kafka-configs", "--alter --entity-type topics --entity-name orders --add-config segment.bytes=1048576,cleanup.policy=[compact,delete]", ""},
		{"alter back", "kafka-configs", "--alter --entity-type topics --entity-name orders --delete-config cleanup.policy", ""},
		{"alter with a bad value", "kafka-configs", "--alter --entity-type topics --entity-name orders --add-config segment.bytes=few", ""},
		{"alter with an unknown name", "kafka-configs", "--alter --entity-type topics --entity-name orders --add-config no.such=1", ""},
		{"delete what is not set", "kafka-configs", "--alter --entity-type topics --entity-name orders --delete-config flush.ms", ""},
		{"alter an unknown topic", "kafka-configs", "--alter --entity-type topics --entity-name nothing --add-config retention.ms=1", ""},
		{"configs of an unknown topic", "kafka-configs", "--describe --entity-type topics --entity-name nothing", ""},
		{"configs after", "kafka-configs", "--describe --entity-type topics --entity-name orders", ""},
		{"configs of all topics", "kafka-configs", "--describe --entity-type topics", ""},
		{"configs of a broker", "kafka-configs", "--describe --entity-type brokers --entity-name 1", ""},
		{"alter a broker", "kafka-configs", "--alter --entity-type brokers --entity-name 1 --add-config log.cleaner.threads=2", ""},
		{"alter all brokers", "kafka-configs", "--alter --entity-type brokers --entity-default --add-config log.retention.ms=86400000", ""},
		{"alter a broker's fixed setting", "kafka-configs", "--alter --entity-type brokers --entity-name 1 --add-config node.id=2", ""},
		{"configs of a broker after", "kafka-configs", "--describe --entity-type brokers --entity-name 1", ""},
		{"configs of all brokers", "kafka-configs", "--describe --entity-type brokers --entity-default", ""},
		{"alter a broker back", "kafka-configs", "--alter --entity-type brokers --entity-name 1 --delete-config log.cleaner.threads", ""},
		{"alter all brokers back", "kafka-configs", "--alter --entity-type brokers --entity-default --delete-config log.retention.ms", ""},
	}
}

func recordSteps() []step {
	return []step{
		{"produce", "kafka-console-producer", "--topic orders --reader-property parse.key=true --reader-property key.separator=: --sync", lines("a:one", "b:two", "c:three", "a:four", "d:five")},
		{"produce with headers", "kafka-console-producer", "--topic orders --reader-property parse.key=true --reader-property parse.headers=true --reader-property null.marker=NULL", lines("h1:v1,h2:v2\tk\twith headers", "h1:v1\tk\tNULL")},
		{"produce gzip", "kafka-console-producer", "--topic plain --compression-codec gzip --reader-property parse.key=true --reader-property key.separator=: --sync", lines("a:1", "b:2", "c:3")},
		{"produce zstd", "kafka-console-producer", "--topic plain --compression-codec zstd --command-property acks=1 --reader-property parse.key=true --reader-property key.separator=: --sync", lines("a:4", "d:5")},
		// Nothing is in partition 0. Of the others a count ends it: a time-out may
		// come before the first record on a busy machine.
		{"consume 0", "kafka-console-consumer", "--topic orders --partition 0 --offset earliest --timeout-ms 2500 --formatter-property print.key=true --formatter-property print.offset=true --formatter-property print.partition=true --formatter-property print.headers=true", ""},
		{"consume 1", "kafka-console-consumer", "--topic orders --partition 1 --offset earliest --max-messages 3 --timeout-ms 60000 --formatter-property print.key=true --formatter-property print.offset=true --formatter-property print.headers=true", ""},
		{"consume 2", "kafka-console-consumer", "--topic orders --partition 2 --offset earliest --max-messages 4 --timeout-ms 60000 --formatter-property print.key=true --formatter-property print.offset=true --formatter-property print.headers=true", ""},
		{"consume one message", "kafka-console-consumer", "--topic orders --partition 1 --offset 1 --max-messages 1 --timeout-ms 60000 --formatter-property print.offset=true", ""},
		{"consume read committed", "kafka-console-consumer", "--topic orders --partition 1 --offset earliest --max-messages 1 --timeout-ms 60000 --isolation-level read_committed", ""},
		{"consume a partition that is not there", "kafka-console-consumer", "--topic orders --partition 9 --offset earliest --timeout-ms 2500", ""},
	}
}

func offsetSteps() []step {
	return []step{
		{"offsets", "kafka-get-offsets", "--topic orders", ""},
		{"offsets earliest", "kafka-get-offsets", "--topic orders --time earliest", ""},
		{"offsets latest", "kafka-get-offsets", "--topic orders --time -1", ""},
		{"create for times", "kafka-topics", "--create --topic timed --partitions 1", ""},
		{"produce at times", ownTool, "timed timed", ""},
		{"offsets max timestamp", "kafka-get-offsets", "--topic timed --time max-timestamp", ""},
		{"offsets earliest local", "kafka-get-offsets", "--topic orders --time earliest-local", ""},
		{"offsets latest tiered", "kafka-get-offsets", "--topic orders --time latest-tiered", ""},
		{"offsets earliest pending upload", "kafka-get-offsets", "--topic orders --time earliest-pending-upload", ""},
		{"offsets at a time", "kafka-get-offsets", "--topic orders --time 1700000000000", ""},
		{"offsets at a time to come", "kafka-get-offsets", "--topic orders --time 4000000000000", ""},
		{"offsets of one partition", "kafka-get-offsets", "--topic orders --partitions 1,2", ""},
		{"offsets by pattern", "kafka-get-offsets", "--topic-partitions orders:0-2,pl.*", ""},
		{"offsets of all", "kafka-get-offsets", "", ""},
		{"offsets of an unknown topic", "kafka-get-offsets", "--topic nothing", ""},
	}
}

func deletionSteps() []step {
	return []step{
		{"delete records", "kafka-delete-records", "--offset-json-file FILE", `{"partitions":[{"topic":"orders","partition":0,"offset":1},{"topic":"orders","partition":1,"offset":0}],"version":1}`},
		{"delete all records", "kafka-delete-records", "--offset-json-file FILE", `{"partitions":[{"topic":"plain","partition":0,"offset":-1}],"version":1}`},
		{"delete too many records", "kafka-delete-records", "--offset-json-file FILE", `{"partitions":[{"topic":"orders","partition":0,"offset":1000}],"version":1}`},
		{"offsets earliest after", "kafka-get-offsets", "--topic orders --time -2", ""},
	}
}

func logDirSteps() []step {
	return []step{
		{"log dirs", "kafka-log-dirs", "--describe --topic-list orders,plain", ""},
		{"log dirs of a broker", "kafka-log-dirs", "--describe --broker-list 1 --topic-list orders", ""},
		{"log dirs of an unknown broker", "kafka-log-dirs", "--describe --broker-list 9", ""},
	}
}

func perfSteps() []step {
	return []step{
		{"perf", "kafka-producer-perf-test", "--topic perf --num-records 20000 --record-size 100 --throughput -1", ""},
		{"perf with a codec", "kafka-producer-perf-test", "--topic perf --num-records 5000 --record-size 1000 --throughput -1 --command-property compression.type=lz4 --command-property acks=1", ""},
		{"create small segments", "kafka-topics", "--create --topic rolled --partitions 1 --config segment.bytes=1048576", ""},
		{"perf through small segments", "kafka-producer-perf-test", "--topic rolled --num-records 40000 --record-size 100 --throughput -1", ""},
		{"offsets of perf", "kafka-get-offsets", "--topic perf", ""},
	}
}

func endSteps() []step {
	return []step{
		{"cluster id", "kafka-cluster", "cluster-id", ""},
		{"leader election", "kafka-leader-election", "--election-type preferred --topic orders --partition 0", ""},
		{"delete", "kafka-topics", "--delete --topic placed", ""},
		{"delete again", "kafka-topics", "--delete --topic placed", ""},
		{"delete if exists", "kafka-topics", "--delete --topic placed --if-exists", ""},
		{"list at the end", "kafka-topics", "--list", ""},
	}
}
