// Package cli is the ottla command: `ottla dev` and `ottla serve` run a node,
// the other nouns talk to a cluster through its Kafka port like any client.
//
// Rules that every command keeps: noun first (`ottla topic list`), -o for the
// output's form, errors of three lines and fixed exit codes (package fail), no
// prompt without a terminal, a connect time-out of five seconds that names
// what was tried.
//
// Reading order: root.go (the tree, Run, Kafka's tools, version), options.go
// (flags that all share, completion of live names), connect.go (reaching a
// cluster, and saying why not), dev*.go and serve*.go (running a node), topic*.go,
// produce.go, consume.go, config.go, group*.go, txn*.go, cluster*.go, doctor*.go,
// explain*.go, log*.go. Parts: fail, out and line (how commands fail, print and
// write records), demo (the shop of dev --demo), reach (is a Kafka there?), groups,
// txns, nodes, balance, moves, doctor, explain and kafkatools (what the commands of
// these names do), relay (outbox tables).
package cli
