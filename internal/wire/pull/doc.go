// Package pull is how replicas fetch from their leaders: Kafka's Fetch request
// and answer of version 18, as far as followers use them, with two fields more:
// the tagged field 1000 of a partition tells how far the follower has synced what
// it asks beyond, and 1001 is there where it could not keep what it got last.
//
// It is not for what consumers send (kafka/data reads that), nor for what anything
// means: partition does it, kafka/data/feed and replicate carry it.
//
// Main types: [Request] with an [Ask] for each partition, [Response] with a [Row]
// for each.
//
// Files in reading order: request.go, response.go, bytes.go.
//
// Ownership: a parsed message shares its records with the bytes it was parsed
// from, and reuses its own slices for the next.
//
// Invariants: no bytes panic a parser, and a count is believed only as far as the
// bytes that are left could hold it.
//
// Sources: KIP-227 (sessions), KIP-320, KIP-595 (epochs), KIP-903 (replica state),
// KIP-1166 (the follower's high watermark).
package pull
