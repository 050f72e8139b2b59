// Package census counts, at each scrape, what has a row for each partition or
// group: /metrics/detail in Ottla's names and /metrics/kafka in those of
// kafka_exporter, which dashboards for Kafka are written to.
//
// It is not for /metrics, whose instruments count all the time and have few
// labels, and keeps nothing from one scrape to the next.
//
// Main types: Options, Limits.
//
// Files in reading order: census.go (options, limits, one scrape), partitions.go,
// groups.go (committed offsets and lag), shares.go (share groups), queues.go.
//
// Invariants: an answer is bounded by Limits, and says in a row of its own how
// much it leaves out; what stays is the first by name, so that the same rows
// stay from scrape to scrape. Groups are asked through their coordinators, in
// whose mailboxes a scrape has at most one command at a time for each shard.
// Partitions and groups of other nodes are shown by those.
//
// Ownership: a scrape is one goroutine's; any number may run.
package census
