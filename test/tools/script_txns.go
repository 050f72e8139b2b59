package main

// transactionSteps look at transactions that are over, open and left alone by
// their coordinator, and end them. Steps of the tool own are made by txns.go.
func transactionSteps() []step {
	const tool = "kafka-transactions"
	return []step{
		{"transactions: none", tool, "SERVER list", ""},
		{"transactions: create", "kafka-topics", "--create --topic txns --partitions 2", ""},
		{"transactions: create for ends", "kafka-topics", "--create --topic ends --partitions 2", ""},
		{"transactions: perf", "kafka-producer-perf-test", "--topic txns --num-records 2000 --record-size 100 --throughput 2000 --transactional-id perf-txn --transaction-duration-ms 300", ""},
		{"transactions: perf without an id", "kafka-producer-perf-test", "--topic txns --num-records 100 --record-size 100 --throughput -1 --transaction-duration-ms 100", ""},
		{"transactions: end with offsets", ownTool, "commit done-txn ends 1 done-group", ""},
		{"transactions: leave one open", ownTool, "open open-txn ends 0", ""},
		{"transactions: the others have ended", ownTool, "ended perf-txn done-txn", ""},
		{"transactions: list", tool, "SERVER list --transactional-id-pattern (done|open|perf)-.*", ""},
		{"transactions: list the long ones", tool, "SERVER list --duration-filter 3600000", ""},
		{"transactions: list by pattern", tool, "SERVER list --transactional-id-pattern open-.*", ""},
		{"transactions: list by a bad pattern", tool, "SERVER list --transactional-id-pattern (", ""},
		{"transactions: describe a done one", tool, "SERVER describe --transactional-id done-txn", ""},
		{"transactions: describe an open one", tool, "SERVER describe --transactional-id open-txn", ""},
		{"transactions: describe an unknown one", tool, "SERVER describe --transactional-id none-txn", ""},
		{"transactions: producers", tool, "SERVER describe-producers --topic ends --partition 1", ""},
		{"transactions: producers of a broker", tool, "SERVER describe-producers --broker-id 1 --topic ends --partition 1", ""},
		{"transactions: offsets at read committed", "kafka-console-consumer", "--topic ends --partition 1 --offset earliest --isolation-level read_committed --max-messages 1 --timeout-ms 30000 --formatter-property print.offset=true", ""},
		{"transactions: none hangs", tool, "SERVER find-hanging --broker-id 1", ""},
		{"transactions: force an end", tool, "SERVER forceTerminateTransaction --transactionalId open-txn", ""},
		{"transactions: force an unknown end", tool, "SERVER forceTerminateTransaction --transactionalId none-txn", ""},
		{"transactions: the forced one", tool, "SERVER list --transactional-id-pattern open-.*", ""},

		{"transactions: switch verification off", "kafka-configs", "--alter --entity-type brokers --entity-name 1 --add-config transaction.partition.verification.enable=false", ""},
		{"transactions: create for one that hangs", "kafka-topics", "--create --topic hangs --partitions 1", ""},
		{"transactions: let one hang", ownTool, "hang hang-txn hangs 0", ""},
		{"transactions: switch verification on", "kafka-configs", "--alter --entity-type brokers --entity-name 1 --delete-config transaction.partition.verification.enable", ""},
		{"transactions: the one that hangs, by topic", tool, "SERVER find-hanging --topic hangs", ""},
		{"transactions: the one that hangs, by broker", tool, "SERVER find-hanging --broker-id 1", ""},
		{"transactions: none hangs for an hour", tool, "SERVER find-hanging --broker-id 1 --max-transaction-timeout 60", ""},
		{"transactions: abort at a wrong offset", tool, "SERVER abort --topic hangs --partition 0 --start-offset 7", ""},
		{"transactions: abort", tool, "SERVER abort --topic hangs --partition 0 --start-offset 0", ""},
		{"transactions: none hangs any more", tool, "SERVER find-hanging --topic hangs", ""},
		{"transactions: what hung is not read", "kafka-console-consumer", "--topic hangs --partition 0 --offset earliest --isolation-level read_committed --timeout-ms 3000", ""},
		{"transactions: group of the offsets", "kafka-consumer-groups", "--describe --group done-group --offsets", ""},

		{"transactions: log", ownTool, "dump __transaction_state --transaction-log-decoder done-txn", ""},
		{"transactions: log of offsets", ownTool, "dump __consumer_offsets --offsets-decoder done-group", ""},
		{"transactions: markers", ownTool, "dump hangs --deep-iteration", ""},
		{"transactions: group deleted", "kafka-consumer-groups", "--delete --group done-group", ""},
	}
}
