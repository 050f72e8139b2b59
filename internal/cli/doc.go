// Package cli is the ottla command: `ottla dev` and `ottla serve` run a node,
// the other nouns talk to a cluster through its Kafka port like any client.
//
// Rules that every command keeps: noun first (`ottla topic list`), -o for the
// output's form, errors of three lines and fixed exit codes (package fail), no
// prompt without a terminal, a connect time-out of five seconds that names
// what was tried.
//
// Reading order: root.go (the tree, Run), options.go (flags that all share),
// connect.go (reaching a cluster, and saying why not), dev.go and serve.go
// (running a node), topic*.go, produce.go, consume.go, config.go, version.go.
package cli
