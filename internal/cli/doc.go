// Package cli is the ottla command: `ottla dev` and `ottla serve` run a node,
// the other nouns talk to a cluster through its Kafka port like any client.
//
// Rules that every command keeps: noun first (`ottla topic list`), -o for the
// output's form, errors of three lines and fixed exit codes (package fail), no
// prompt without a terminal, a connect time-out of five seconds that names
// what was tried.
//
// Here are the tree and the commands that run nodes. Reading order: root.go (the tree, Run,
// Kafka's tools, version), complete.go (which words are completed with what), dev*.go and
// serve*.go over node.go (running a node), cluster_token.go (what others join it with),
// aws.go.
//
// The other commands are packages by what users call things: topics (topic, config,
// produce, consume, group, txn, log), queues (queue, schedule, dlq), events (bus, rule and
// what goes over them, apply), admin (cluster, doctor, explain) and outbox. They share
// package ask, and know this one not. Parts: fail and out (how commands fail and print),
// demo (the shop of dev --demo), devnodes (the processes of dev --nodes), reach (is a Kafka
// there?), native (a node's HTTP port), groups, dlq, txns, nodes, balance, moves, doctor,
// explain and kafkatools (what the commands of these names do), relay (outbox tables).
//
// Tests that call whole command lines against nodes are here; what looks into a command
// is tested beside it.
package cli
