package main

// The steps that look at a cluster in the midst of a change. What goes on is held
// where it is: a throttle of a byte a second lets no move end.

// The topic with moves on their way: its partitions go from 1,2 and 2,1 to 1,3 and
// 2,3.
const (
	bigFirst  = `{"version":1,"partitions":[{"topic":"big","partition":0,"replicas":[1,3],"log_dirs":["any","any"]}]}`
	bigSecond = `{"version":1,"partitions":[{"topic":"big","partition":1,"replicas":[2,3],"log_dirs":["any","any"]}]}`
	bigBoth   = `{"version":1,"partitions":[{"topic":"big","partition":0,"replicas":[1,3],"log_dirs":["any","any"]},{"topic":"big","partition":1,"replicas":[2,3],"log_dirs":["any","any"]}]}`
	bigTurned = `{"version":1,"partitions":[{"topic":"big","partition":0,"replicas":[3,2],"log_dirs":["any","any"]}]}`
)

// clusterFlight looks at moves on their way: more of them, another throttle, another
// aim, an end before they are done.
func clusterFlight() []step {
	const (
		tool, topics, configs = "kafka-reassign-partitions", "kafka-topics", "kafka-configs"
		execute               = "--execute --reassignment-json-file FILE"
		verify                = "--verify --reassignment-json-file FILE"
		cancel                = "--cancel --reassignment-json-file FILE"
	)
	return []step{
		{"flight: create", topics, "--create --topic big --replica-assignment 1:2,2:1", ""},
		{"flight: fill the first", ownTool, "fill big 0", ""},
		{"flight: fill the second", ownTool, "fill big 1", ""},
		{"flight: one", tool, execute + " --throttle 1", bigFirst},
		{"flight: list one", tool, "--list", ""},
		{"flight: verify one", tool, verify, bigFirst},
		{"flight: verify what was not asked for", tool, verify, bigSecond},
		{"flight: describe", topics, "--describe --topic big", ""},
		{"flight: under-replicated", topics, "--describe --under-replicated-partitions", ""},
		{"flight: another without saying so", tool, execute, bigSecond},
		{"flight: another", tool, execute + " --additional --throttle 1", bigSecond},
		{"flight: list both", tool, "--list", ""},
		{"flight: verify both", tool, verify, bigBoth},
		{"flight: throttles of the topic", configs, "--describe --entity-type topics --entity-name big", ""},
		{"flight: throttles of a node", configs, "--describe --entity-type brokers --entity-name 3", ""},
		{"flight: another throttle", tool, execute + " --additional --throttle 2", bigBoth},
		{"flight: another throttle of a node", configs, "--describe --entity-type brokers --entity-name 3", ""},
		{"flight: another aim", tool, execute + " --additional --throttle 1", bigTurned},
		{"flight: list with another aim", tool, "--list", ""},
		{"flight: describe with another aim", topics, "--describe --topic big", ""},
		{"flight: election", "kafka-leader-election", "--election-type preferred --topic big --partition 0", ""},
		{"flight: more partitions", topics, "--alter --topic big --partitions 3 --replica-assignment 1,2,3", ""},
		{"flight: cancel one and keep the throttle", tool, cancel + " --preserve-throttles", bigTurned},
		{"flight: list after one is cancelled", tool, "--list", ""},
		{"flight: verify a cancelled one", tool, verify + " --preserve-throttles", bigTurned},
		{"flight: cancel all", tool, cancel, bigBoth},
		{"flight: cancel again", tool, cancel, bigBoth},
		{"flight: list none", tool, "--list", ""},
		{"flight: settled", ownTool, "settled", ""},
		{"flight: describe as it was", topics, "--describe --topic big", ""},
		{"flight: throttles are gone", configs, "--describe --entity-type topics --entity-name big", ""},
		{"flight: throttles of a node are gone", configs, "--describe --entity-type brokers --entity-name 3", ""},
		{"flight: unhindered", tool, execute, bigBoth},
		{"flight: unhindered, settled", ownTool, "settled", ""},
		{"flight: unhindered, verified", tool, verify, bigBoth},
		{"flight: unhindered, described", topics, "--describe --topic big", ""},
		{"flight: delete", topics, "--delete --topic big", ""},
	}
}

// clusterVoters takes a vote and gives it back.
func clusterVoters() []step {
	const tool = "kafka-metadata-quorum"
	return []step{
		{"voters: add one that votes", tool, "SERVER --command-config PROPERTIES-3 add-controller", ""},
		{"voters: add, tried", tool, "SERVER --command-config PROPERTIES-3 add-controller --dry-run", ""},
		{"voters: remove, tried", tool, "SERVER remove-controller --controller-id 3 --controller-directory-id DIRECTORY-3 --dry-run", ""},
		{"voters: remove", tool, "SERVER remove-controller --controller-id 3 --controller-directory-id DIRECTORY-3", ""},
		{"voters: two", ownTool, "voters 2 1", ""},
		{"voters: status with two", tool, "SERVER describe --status", ""},
		{"voters: replication with two", tool, "SERVER describe --replication", ""},
		{"voters: remove who has no vote", tool, "SERVER remove-controller --controller-id 3 --controller-directory-id DIRECTORY-3", ""},
		{"voters: add", tool, "SERVER --command-config PROPERTIES-3 add-controller", ""},
		{"voters: three", ownTool, "voters 3 0", ""},
		{"voters: status with three", tool, "SERVER describe --status", ""},
		{"voters: replication with three", tool, "SERVER describe --replication", ""},
	}
}

// clusterUnclean loses the only replica in sync and has the one elected that is
// behind.
func clusterUnclean() []step {
	const (
		topics, configs, election = "kafka-topics", "kafka-configs", "kafka-leader-election"
		file                      = `{"partitions":[{"topic":"cut","partition":0}]}`
	)
	return []step{
		{"unclean: create", topics, "--create --topic cut --replica-assignment 3:1", ""},
		{"unclean: throttle who follows", configs, "--alter --entity-type brokers --entity-name 1 --add-config follower.replication.throttled.rate=1", ""},
		{"unclean: throttle the replica", configs, "--alter --entity-type topics --entity-name cut --add-config follower.replication.throttled.replicas=0:1", ""},
		{"unclean: the first node stops", ownTool, "stop 1", ""},
		{"unclean: fill", ownTool, "fill cut 0", ""},
		{"unclean: it need not be in sync", ownTool, "behind cut", ""},
		{"unclean: the first node starts", ownTool, "start 1", ""},
		{"unclean: describe who is behind", topics, "--describe --topic cut", ""},
		{"unclean: none is needed", election, "--election-type unclean --topic cut --partition 0", ""},
		{"unclean: the third node stops", ownTool, "stop 3", ""},
		{"unclean: describe nobody", topics, "--describe --topic cut", ""},
		{"unclean: unavailable", topics, "--describe --unavailable-partitions", ""},
		{"unclean: a clean election", election, "--election-type preferred --path-to-json-file FILE", file},
		{"unclean: an unclean election", election, "--election-type unclean --path-to-json-file FILE", file},
		{"unclean: describe who was behind", topics, "--describe --topic cut", ""},
		{"unclean: once more", election, "--election-type unclean --path-to-json-file FILE", file},
		{"unclean: the third node starts", ownTool, "start 3", ""},
		{"unclean: all are to be in sync", ownTool, "behind", ""},
		{"unclean: throttles back", configs, "--alter --entity-type brokers --entity-name 1 --delete-config follower.replication.throttled.rate", ""},
		{"unclean: settled", ownTool, "settled", ""},
		{"unclean: describe all in sync", topics, "--describe --topic cut", ""},
		{"unclean: election of all", election, "--election-type unclean --all-topic-partitions", ""},
		{"unclean: describe the end", topics, "--describe --topic cut", ""},
	}
}

// clusterForgotten unregisters a node that runs. Ottla's stops then, and is taken in
// anew by nobody; so it is the end.
func clusterForgotten() []step {
	const tool = "kafka-cluster"
	return []step{
		{"forgotten: unregister", tool, "unregister --id 3", ""},
		{"forgotten: the node is ended", ownTool, "kill 3", ""},
		{"forgotten: endpoints", tool, "list-endpoints", ""},
		{"forgotten: endpoints with fenced ones", tool, "list-endpoints --include-fenced-brokers", ""},
		{"forgotten: unregister again", tool, "unregister --id 3", ""},
		{"forgotten: describe led", "kafka-topics", "--describe --topic led", ""},
	}
}
