package known

// Native are the differences between what Kafka's own tools print and what the
// tools of `ottla kafka` print, against the same node.
var Native = []Difference{
	{
		Where: "api versions", Kafka: `out \tUNKNOWN\(9[34]\): 0,?`,
		Ottla:  `out \t(StreamsGroupTopologyDescriptionUpdate\(93\)|UnregisterController\(94\)): 0 \[usable: 0\],?`,
		What:   "The native kafka-broker-api-versions knows the names of 93 and 94.",
		Reason: "Kafka's tools of 4.3 do not.",
	},
	{
		Where: ".*", Kafka: `out (\[(main|thread)\] (ERROR|WARN) |org\.apache\.kafka\.common\.errors\.TimeoutException: null).*`,
		What:   "No log line stands beside an error.",
		Reason: "The error itself is printed; the log line repeats it with a Java stack trace.",
	},
	{
		Where: ".*", Kafka: `err (java|joptsimple|Caused by: |org\.apache\.kafka\.)\S*.*`, Ottla: absent,
		What:   "No Java exception and no chain of causes follows an error.",
		Reason: "The first line says what is wrong.",
	},
	{
		Where: ".*", Kafka: `err java\.util\.concurrent\.ExecutionException: .*`, Ottla: `err org\.apache\.kafka\.common\.errors\..*`,
		What:   "kafka-configs names the error without the ExecutionException around it.",
		Reason: "That is how Java hands errors from one thread to another.",
	},
	{
		Where: "api versions", Kafka: `out \t(ApiVersions|DeleteGroups|DeleteShareGroupOffsets|StreamsGroupHeartbeat|StreamsGroupDescribe|TxnOffsetCommit)\(\d+\): .*`,
		What:   "kafka-broker-api-versions calls newer versions usable.",
		Reason: "These tools know release 4.4, those compared 4.3.",
	},
	{
		Where: "perf warm-up", Ottla: "out In steady state.",
		What:   "kafka-producer-perf-test says when the warm-up is over, however short the run.",
		Reason: "Kafka's says it with the first line of progress after it.",
	},
	{
		Where: "group reset (beyond the end|by file)", Kafka: absent, Ottla: "err The new offset of .* lies outside the log.*",
		What:   "kafka-consumer-groups says on standard error that an offset was kept within the log.",
		Reason: "Kafka's says it in its log.",
	},
	{
		Where: "help", Kafka: "err .*", Ottla: "err .*",
		What:   "The texts of --help are Ottla's own; options, their order and the two columns are Kafka's.",
		Reason: "What an option takes is told in fewer words.",
	},
	{
		Where: "lost record", Kafka: "exit 0", Ottla: "exit 1",
		What:   "kafka-console-producer exits with 1 when a record was not written.",
		Reason: "A script would lose records without noticing; Kafka's says it in its log and exits with 0.",
	},
	{
		Where: "lost record", Ottla: "err (Error when sending message to topic|org\\.apache\\.kafka\\.common\\.errors\\.RecordTooLarge).*",
		What:   "kafka-console-producer reports a record that was not written on standard error.",
		Reason: "Kafka's says it in its log.",
	},
	{
		Where: "groups.*", Kafka: `out (console-consumer-\d+|GROUP|readers).*`,
		What:   "No group console-consumer-N remains of a console consumer without --group.",
		Reason: "Kafka's makes up a group for it, which stays listed (and widens the column) until it expires; none is needed.",
	},
	{
		Where: "consume.*", Kafka: "err The consumer rebalance protocol .* is production-ready.*", Ottla: absent,
		What:   "Nothing advertises the consumer protocol of KIP-848.",
		Reason: "It is an announcement of Kafka's Java client.",
	},
	{
		Where: "perf without size", Kafka: "err .*",
		What:   "Wrong calls of kafka-producer-perf-test are worded alike, but not broken into lines.",
		Reason: "argparse stretches its text to the width of the terminal.",
	},
	{
		Where: ".*", Kafka: `out (Caused by: |\t\.\.\. \d+ more).*`, Ottla: absent,
		What:   "No Java exception and no chain of causes follows an error.",
		Reason: "The first line says what is wrong.",
	},
}
