package main

import "slices"

// clusterScript is what is run on three nodes. Every step leaves the cluster
// settled before the next one, or held in the midst of a change (script_changes.go):
// what a tool shows while something goes on would hang on how fast it goes.
func clusterScript(short bool) []step {
	if short {
		return slices.Concat(clusterTopics(), clusterMoves(), clusterFlight(), clusterElections(), clusterQuorum(), clusterVoters(), clusterFeatures())
	}
	return slices.Concat(clusterTopics(), clusterMoves(), clusterFlight(), clusterElections(), clusterQuorum(), clusterVoters(), clusterFeatures(),
		clusterConfigs(), clusterRecords(), clusterAbsence(), clusterReturn(), clusterUnclean(), clusterEnd(), clusterForgotten())
}

// The topic that is moved: partition 0 from 1,2 to 3,2 and back.
const (
	placedThere = `{"version":1,"partitions":[{"topic":"placed","partition":0,"replicas":[3,2],"log_dirs":["any","any"]},{"topic":"placed","partition":1,"replicas":[1,2,3],"log_dirs":["any","any","any"]}]}`
	placedBack  = `{"version":1,"partitions":[{"topic":"placed","partition":0,"replicas":[1,2],"log_dirs":["any","any"]},{"topic":"placed","partition":1,"replicas":[2,3],"log_dirs":["any","any"]}]}`
	toNobody    = `{"version":1,"partitions":[{"topic":"placed","partition":0,"replicas":[1,9],"log_dirs":["any","any"]}]}`
	toTwice     = `{"version":1,"partitions":[{"topic":"placed","partition":0,"replicas":[1,1],"log_dirs":["any","any"]}]}`
	ofNothing   = `{"version":1,"partitions":[{"topic":"nowhere","partition":0,"replicas":[1,2]}]}`
	broken      = `{"version":1,"partitions":[`
	placedAll   = `{"version":1,"topics":[{"topic":"placed"}]}`
)

func clusterTopics() []step {
	const tool = "kafka-topics"
	return []step{
		{"topics: create with an assignment", tool, "--create --topic placed --replica-assignment 1:2,2:3", ""},
		{"topics: create with replicas", tool, "--create --topic spread --partitions 3 --replication-factor 3", ""},
		{"topics: replicas", ownTool, "replicas spread", ""},
		{"topics: create wide", tool, "--create --topic wide --replica-assignment 1:2:3,2:3:1,3:1:2 --config min.insync.replicas=2", ""},
		{"topics: create with too many replicas", tool, "--create --topic four --replication-factor 4", ""},
		{"topics: create on a node that is not there", tool, "--create --topic misplaced --replica-assignment 1:9", ""},
		{"topics: create with a node twice", tool, "--create --topic misplaced --replica-assignment 1:1", ""},
		{"topics: create with unlike replicas", tool, "--create --topic misplaced --replica-assignment 1:2,3", ""},
		{"topics: create to be late", tool, "--create --topic late --replica-assignment 1", ""},
		{"topics: create to be elected", tool, "--create --topic led --replica-assignment 1:2:3,2:3:1", ""},
		{"topics: describe placed", tool, "--describe --topic placed", ""},
		{"topics: describe under-replicated", tool, "--describe --under-replicated-partitions", ""},
		{"topics: describe under the minimum", tool, "--describe --under-min-isr-partitions", ""},
		{"topics: describe at the minimum", tool, "--describe --at-min-isr-partitions", ""},
		{"topics: describe unavailable", tool, "--describe --unavailable-partitions", ""},
		{"topics: alter with an assignment", tool, "--alter --topic placed --partitions 3 --replica-assignment 1:2,2:3,3:1", ""},
		{"topics: describe altered", tool, "--describe --topic placed", ""},
	}
}

// clusterMoves reassigns replicas, also with throttles.
func clusterMoves() []step {
	const tool = "kafka-reassign-partitions"
	return []step{
		{"moves: generate", ownTool, "generate placed", ""},
		{"moves: generate for a node that is not there", tool, "--generate --topics-to-move-json-file FILE --broker-list 1,9", placedAll},
		{"moves: execute", tool, "--execute --reassignment-json-file FILE", placedThere},
		{"moves: settled", ownTool, "settled", ""},
		{"moves: verify", tool, "--verify --reassignment-json-file FILE", placedThere},
		{"moves: verify another plan", tool, "--verify --reassignment-json-file FILE", placedBack},
		{"moves: describe", "kafka-topics", "--describe --topic placed", ""},
		{"moves: list none", tool, "--list", ""},
		{"moves: cancel what is done", tool, "--cancel --reassignment-json-file FILE", placedThere},
		{"moves: back, throttled", tool, "--execute --throttle 1000000 --replica-alter-log-dirs-throttle 2000000 --reassignment-json-file FILE", placedBack},
		{"moves: settled back", ownTool, "settled", ""},
		{"moves: throttles of the nodes", "kafka-configs", "--describe --entity-type brokers --entity-name 2", ""},
		{"moves: throttles of the topic", "kafka-configs", "--describe --entity-type topics --entity-name placed", ""},
		{"moves: verify and keep the throttle", tool, "--verify --preserve-throttles --reassignment-json-file FILE", placedBack},
		{"moves: verify back", tool, "--verify --reassignment-json-file FILE", placedBack},
		{"moves: throttles of the nodes are gone", "kafka-configs", "--describe --entity-type brokers --entity-name 2", ""},
		{"moves: throttles of the topic are gone", "kafka-configs", "--describe --entity-type topics --entity-name placed", ""},
		{"moves: to nobody", tool, "--execute --reassignment-json-file FILE", toNobody},
		{"moves: to one twice", tool, "--execute --reassignment-json-file FILE", toTwice},
		{"moves: of nothing", tool, "--execute --reassignment-json-file FILE", ofNothing},
		{"moves: broken JSON", tool, "--execute --reassignment-json-file FILE", broken},
	}
}

func clusterElections() []step {
	const (
		tool  = "kafka-leader-election"
		file  = `{"partitions":[{"topic":"led","partition":0},{"topic":"led","partition":1}]}`
		wrong = `{"partitions":[{"topic":"led","partition":7},{"topic":"nowhere","partition":0}]}`
		turn  = `{"version":1,"partitions":[{"topic":"led","partition":0,"replicas":[3,1,2]},{"topic":"led","partition":1,"replicas":[1,2,3]}]}`
	)
	return []step{
		{"elections: nothing to do", tool, "--election-type preferred --topic led --partition 0", ""},
		{"elections: other preferences", "kafka-reassign-partitions", "--execute --reassignment-json-file FILE", turn},
		{"elections: settled", ownTool, "settled", ""},
		{"elections: described before", "kafka-topics", "--describe --topic led", ""},
		{"elections: preferred, one", tool, "--election-type preferred --topic led --partition 0", ""},
		{"elections: preferred, by file", tool, "--election-type preferred --path-to-json-file FILE", file},
		{"elections: described", "kafka-topics", "--describe --topic led", ""},
		{"elections: preferred, again", tool, "--election-type preferred --path-to-json-file FILE", file},
		{"elections: preferred, wrong ones", tool, "--election-type preferred --path-to-json-file FILE", wrong},
		{"elections: unclean, none needed", tool, "--election-type unclean --topic led --partition 0", ""},
		{"elections: unclean, by file", tool, "--election-type unclean --path-to-json-file FILE", file},
		{"elections: preferred, all", tool, "--election-type preferred --all-topic-partitions", ""},
		{"elections: no such type", tool, "--election-type other --all-topic-partitions", ""},
		{"elections: a topic without a partition", tool, "--election-type preferred --topic led", ""},
	}
}

func clusterQuorum() []step {
	const tool = "kafka-metadata-quorum"
	return []step{
		{"quorum: status", tool, "SERVER describe --status", ""},
		{"quorum: replication", tool, "SERVER describe --replication", ""},
		{"quorum: remove who is no voter", tool, "SERVER remove-controller --controller-id 9 --controller-directory-id AAAAAAAAAAAAAAAAAAAACQ", ""},
		{"quorum: remove another directory", tool, "SERVER remove-controller --controller-id 2 --controller-directory-id AAAAAAAAAAAAAAAAAAAACQ", ""},
		{"quorum: remove, tried", tool, "SERVER remove-controller --controller-id 2 --controller-directory-id AAAAAAAAAAAAAAAAAAAACQ --dry-run", ""},
	}
}

func clusterFeatures() []step {
	const tool = "kafka-features"
	return []step{
		{"features: described", tool, "SERVER describe", ""},
		{"features: lowered", tool, "SERVER downgrade --feature transaction.version=1", ""},
		{"features: lowered, described", tool, "SERVER describe", ""},
		{"features: raised", tool, "SERVER upgrade --feature transaction.version=2", ""},
		{"features: raised too far", tool, "SERVER upgrade --feature transaction.version=9", ""},
		{"features: unknown", tool, "SERVER upgrade --feature no.such.version=1", ""},
		{"features: disabled", tool, "SERVER disable --feature transaction.version", ""},
		{"features: enabled again", tool, "SERVER upgrade --feature transaction.version=2", ""},
		{"features: the cluster's own lowered", tool, "SERVER downgrade --metadata 3.3", ""},
		{"features: version mapping", tool, "SERVER version-mapping --release-version 4.0", ""},
	}
}

func clusterConfigs() []step {
	const tool = "kafka-configs"
	return []step{
		{"configs: one node", tool, "--alter --entity-type brokers --entity-name 2 --add-config log.cleaner.threads=2", ""},
		{"configs: all nodes", tool, "--alter --entity-type brokers --entity-default --add-config log.retention.ms=86400000", ""},
		{"configs: of one node", tool, "--describe --entity-type brokers --entity-name 2", ""},
		{"configs: of another", tool, "--describe --entity-type brokers --entity-name 3", ""},
		{"configs: of every node", tool, "--describe --entity-type brokers", ""},
		{"configs: of all nodes", tool, "--describe --entity-type brokers --entity-default", ""},
		{"configs: of nobody", tool, "--describe --entity-type brokers --entity-name 9", ""},
		{"configs: throttles", tool, "--alter --entity-type brokers --entity-name 2 --add-config leader.replication.throttled.rate=1000000,follower.replication.throttled.rate=1000000", ""},
		{"configs: throttled replicas", tool, "--alter --entity-type topics --entity-name wide --add-config leader.replication.throttled.replicas=[0:1,1:2],follower.replication.throttled.replicas=*", ""},
		{"configs: throttled replicas, wrong", tool, "--alter --entity-type topics --entity-name wide --add-config leader.replication.throttled.replicas=some", ""},
		{"configs: of throttled replicas", tool, "--describe --entity-type topics --entity-name wide", ""},
		{"configs: throttles back", tool, "--alter --entity-type brokers --entity-name 2 --delete-config leader.replication.throttled.rate,follower.replication.throttled.rate,log.cleaner.threads", ""},
		{"configs: throttled replicas back", tool, "--alter --entity-type topics --entity-name wide --delete-config leader.replication.throttled.replicas,follower.replication.throttled.replicas", ""},
		{"configs: all nodes back", tool, "--alter --entity-type brokers --entity-default --delete-config log.retention.ms", ""},
		{"configs: a minimum below the replicas", tool, "--alter --entity-type topics --entity-name wide --add-config min.insync.replicas=3", ""},
		{"configs: at the minimum", "kafka-topics", "--describe --at-min-isr-partitions --topic wide", ""},
		{"configs: a minimum back", tool, "--alter --entity-type topics --entity-name wide --add-config min.insync.replicas=2", ""},
	}
}

// clusterRecords uses topics, groups and transactions whose partitions and
// coordinators lie on several nodes.
func clusterRecords() []step {
	return []step{
		{"records: produce", "kafka-console-producer", "--topic led --reader-property parse.key=true --reader-property key.separator=: --sync", lines("a:one", "b:two", "c:three", "d:four", "e:five")},
		{"records: consume 0", "kafka-console-consumer", "--topic led --partition 0 --offset earliest --max-messages 4 --timeout-ms 60000 --formatter-property print.key=true --formatter-property print.offset=true", ""},
		{"records: consume 1", "kafka-console-consumer", "--topic led --partition 1 --offset earliest --max-messages 1 --timeout-ms 60000 --formatter-property print.key=true --formatter-property print.offset=true", ""},
		{"records: offsets", "kafka-get-offsets", "--topic led", ""},
		{"records: offsets of several topics", "kafka-get-offsets", "--topic-partitions led,late,placed", ""},
		{"records: delete", "kafka-delete-records", "--offset-json-file FILE", `{"partitions":[{"topic":"led","partition":0,"offset":1},{"topic":"led","partition":1,"offset":0},{"topic":"placed","partition":0,"offset":5}],"version":1}`},
		{"records: offsets after", "kafka-get-offsets", "--topic led --time earliest", ""},
		{"records: log dirs", "kafka-log-dirs", "--describe --topic-list led,late", ""},
		{"records: log dirs of some nodes", "kafka-log-dirs", "--describe --broker-list 1,3 --topic-list led", ""},
		{"records: log dirs of nobody", "kafka-log-dirs", "--describe --broker-list 9,1 --topic-list led", ""},
		{"records: in a group", "kafka-console-consumer", "--topic led --group first --from-beginning --max-messages 1 --timeout-ms 60000 --formatter org.apache.kafka.tools.consumer.NoOpMessageFormatter", ""},
		{"records: in a second group", "kafka-console-consumer", "--topic led --group second --from-beginning --max-messages 1 --timeout-ms 60000 --formatter org.apache.kafka.tools.consumer.NoOpMessageFormatter", ""},
		{"records: in a third group", "kafka-console-consumer", "--topic led --group third --from-beginning --max-messages 1 --timeout-ms 60000 --formatter org.apache.kafka.tools.consumer.NoOpMessageFormatter", ""},
		{"groups: reset", "kafka-consumer-groups", "--reset-offsets --group first --group second --group third --topic led --to-latest --execute", ""},
		{"groups: list", "kafka-consumer-groups", "--list --state", ""},
		{"groups: offsets", "kafka-consumer-groups", "--describe --group first --group second", ""},
		{"groups: offsets of all", "kafka-consumer-groups", "--describe --all-groups --offsets", ""},
		{"groups: delete", "kafka-consumer-groups", "--delete --group first --group second --group nobody", ""},
		{"groups: list after", "kafka-consumer-groups", "--list", ""},
		{"transactions: end one", ownTool, "commit one-txn led 0 third", ""},
		{"transactions: end another", ownTool, "commit two-txn led 1 third", ""},
		{"transactions: end a third", ownTool, "commit three-txn led 0 third", ""},
		{"transactions: leave one open", ownTool, "open open-txn led 0", ""},
		{"transactions: the others have ended", ownTool, "ended one-txn two-txn three-txn", ""},
		{"transactions: list", "kafka-transactions", "SERVER list", ""},
		{"transactions: list by pattern", "kafka-transactions", "SERVER list --transactional-id-pattern t.*", ""},
		{"transactions: describe", "kafka-transactions", "SERVER describe --transactional-id two-txn", ""},
		{"transactions: producers", "kafka-transactions", "SERVER describe-producers --topic led --partition 1", ""},
		{"transactions: producers of who leads", "kafka-transactions", "SERVER describe-producers --topic led --partition 0 --broker-id 3", ""},
		{"transactions: producers of nobody", "kafka-transactions", "SERVER describe-producers --topic led --partition 0 --broker-id 9", ""},
		{"transactions: force an end", "kafka-transactions", "SERVER forceTerminateTransaction --transactionalId open-txn", ""},
		{"transactions: none hangs", "kafka-transactions", "SERVER find-hanging --topic led", ""},
		{"transactions: none hangs at a node", "kafka-transactions", "SERVER find-hanging --broker-id 2", ""},
	}
}

// clusterAbsence looks at the cluster while its third node is away.
func clusterAbsence() []step {
	const tool = "kafka-topics"
	return []step{
		{"absence: one that only node 3 has", tool, "--create --topic lonely --replica-assignment 3", ""},
		{"absence: a node stops", ownTool, "stop 3", ""},
		{"absence: describe led", tool, "--describe --topic led", ""},
		{"absence: describe placed", tool, "--describe --topic placed", ""},
		{"absence: under-replicated", tool, "--describe --under-replicated-partitions --topic (led|placed|lonely)", ""},
		{"absence: unavailable", tool, "--describe --unavailable-partitions --topic (led|placed|lonely)", ""},
		{"absence: create with three replicas", tool, "--create --topic later --replication-factor 3 --partitions 1", ""},
		{"absence: election of who is away", "kafka-leader-election", "--election-type preferred --topic led --partition 0", ""},
		{"absence: unclean, nobody else", "kafka-leader-election", "--election-type unclean --topic lonely --partition 0", ""},
		{"absence: offsets", "kafka-get-offsets", "--topic led", ""},
		{"absence: produce", "kafka-console-producer", "--topic led --reader-property parse.key=true --reader-property key.separator=: --sync", lines("f:six", "g:seven")},
	}
}

// clusterReturn looks at it when the third node is back.
func clusterReturn() []step {
	const tool = "kafka-topics"
	return []step{
		{"return: the node starts", ownTool, "start 3", ""},
		{"return: election", "kafka-leader-election", "--election-type preferred --topic led --partition 0", ""},
		{"return: describe led again", tool, "--describe --topic led", ""},
		{"return: describe placed again", tool, "--describe --topic placed", ""},
		{"return: unavailable no more", tool, "--describe --unavailable-partitions", ""},
		{"return: under-replicated no more", tool, "--describe --under-replicated-partitions", ""},
		{"return: offsets again", "kafka-get-offsets", "--topic led", ""},
	}
}

func clusterEnd() []step {
	return []step{
		{"end: cluster id", "kafka-cluster", "cluster-id", ""},
		{"end: endpoints", "kafka-cluster", "list-endpoints", ""},
		{"end: unregister nobody", "kafka-cluster", "unregister --id 9", ""},
		{"end: api versions", "kafka-broker-api-versions", "", ""},
		{"end: delete", "kafka-topics", "--delete --topic placed", ""},
		{"end: list", "kafka-topics", "--list --exclude-internal", ""},
	}
}
