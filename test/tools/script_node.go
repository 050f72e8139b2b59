package main

// nodeSteps asks the tools for what one node tells of itself and lets be
// changed: features, quorum, reassignments, subscriptions, groups' settings.
func nodeSteps() []step {
	const (
		plan   = `{"version":1,"partitions":[{"topic":"moved","partition":0,"replicas":[1],"log_dirs":["any"]},{"topic":"moved","partition":1,"replicas":[1],"log_dirs":["any"]}]}`
		nobody = `{"version":1,"partitions":[{"topic":"moved","partition":0,"replicas":[7],"log_dirs":["any"]}]}`
		topics = `{"version":1,"topics":[{"topic":"moved"}]}`
		gone   = `{"version":1,"partitions":[{"topic":"nowhere","partition":0,"replicas":[1]}]}`
	)
	return []step{
		{"features", "kafka-features", "SERVER describe", ""},
		{"features lowered", "kafka-features", "SERVER downgrade --feature transaction.version=1", ""},
		{"features lowered, described", "kafka-features", "SERVER describe", ""},
		{"features raised", "kafka-features", "SERVER upgrade --feature transaction.version=2", ""},
		{"features raised too far", "kafka-features", "SERVER upgrade --feature transaction.version=9", ""},
		{"features raised, tried", "kafka-features", "SERVER upgrade --feature transaction.version=2 --dry-run", ""},
		{"features unknown", "kafka-features", "SERVER upgrade --feature no.such.version=1", ""},
		{"features disabled", "kafka-features", "SERVER disable --feature transaction.version", ""},
		{"features enabled again", "kafka-features", "SERVER upgrade --feature transaction.version=2", ""},
		{"metadata lowered", "kafka-features", "SERVER downgrade --metadata 3.3", ""},
		{"version mapping", "kafka-features", "SERVER version-mapping --release-version 4.0", ""},

		{"quorum status", "kafka-metadata-quorum", "SERVER describe --status", ""},
		{"quorum replication", "kafka-metadata-quorum", "SERVER describe --replication", ""},

		{"create to be moved", "kafka-topics", "--create --topic moved --partitions 2", ""},
		{"reassignment generated", "kafka-reassign-partitions", "--generate --topics-to-move-json-file FILE --broker-list 1", topics},
		{"reassignment executed", "kafka-reassign-partitions", "--execute --reassignment-json-file FILE", plan},
		{"reassignment verified", "kafka-reassign-partitions", "--verify --reassignment-json-file FILE", plan},
		{"reassignments listed", "kafka-reassign-partitions", "--list", ""},
		{"reassignment cancelled", "kafka-reassign-partitions", "--cancel --reassignment-json-file FILE", plan},
		{"reassignment to nobody", "kafka-reassign-partitions", "--execute --reassignment-json-file FILE", nobody},
		{"reassignment of nothing", "kafka-reassign-partitions", "--execute --reassignment-json-file FILE", gone},
		{"reassignment throttled", "kafka-reassign-partitions", "--execute --throttle 1000000 --replica-alter-log-dirs-throttle 2000000 --reassignment-json-file FILE", plan},
		{"reassignment throttled, verified", "kafka-reassign-partitions", "--verify --reassignment-json-file FILE", plan},
		{"log dirs of the moved", "kafka-log-dirs", "--describe --topic-list moved", ""},

		{"subscription made", "kafka-client-metrics", "--alter --name basic --metrics org.apache.kafka.producer.,org.apache.kafka.consumer. --interval 60000 --match client_id=abc.*", ""},
		{"subscription described", "kafka-client-metrics", "--describe --name basic", ""},
		{"subscriptions listed", "kafka-client-metrics", "--list", ""},
		{"subscription with a bad interval", "kafka-client-metrics", "--alter --name basic --interval 1", ""},
		{"subscription deleted", "kafka-client-metrics", "--delete --name basic", ""},
		{"subscriptions listed after", "kafka-client-metrics", "--list", ""},

		{"configs of a group", "kafka-configs", "--describe --entity-type groups --entity-name billing", ""},
		{"alter a group", "kafka-configs", "--alter --entity-type groups --entity-name billing --add-config consumer.session.timeout.ms=50000,share.auto.offset.reset=earliest", ""},
		{"configs of a group after", "kafka-configs", "--describe --entity-type groups --entity-name billing", ""},
		{"all configs of a group", "kafka-configs", "--describe --all --entity-type groups --entity-name billing", ""},
		{"configs of all groups", "kafka-configs", "--describe --entity-type groups", ""},
		{"alter a group beyond", "kafka-configs", "--alter --entity-type groups --entity-name billing --add-config consumer.session.timeout.ms=1", ""},
		{"alter a group with an unknown name", "kafka-configs", "--alter --entity-type groups --entity-name billing --add-config no.such=1", ""},
		{"alter a group back", "kafka-configs", "--alter --entity-type groups --entity-name billing --delete-config consumer.session.timeout.ms,share.auto.offset.reset", ""},
		{"configs of a subscription", "kafka-configs", "--describe --entity-type client-metrics --entity-name basic", ""},
		{"alter a subscription", "kafka-configs", "--alter --entity-type client-metrics --entity-name basic --add-config interval.ms=1000", ""},
		{"alter a logger", "kafka-configs", "--alter --entity-type broker-loggers --entity-name 1 --add-config no.such.logger=DEBUG", ""},
	}
}
