// Package data is the family of handlers that move records: Produce, Fetch,
// ListOffsets, OffsetForLeaderEpoch, DescribeProducers.
//
// It is not for what makes a record valid or committed: that is package
// partition and below. Handlers here parse, call one partition after the
// other, and map the result.
//
// Main types: Family (the rows and what they share), produceAnswer and
// fetchAnswer (answers parked in a connection's queue), session (KIP-227).
//
// Files in reading order: family.go, scan.go, produce.go, produce_vouch.go, produce_answer.go, produce_lapse.go, fetch_lapse.go,
// fetch.go, prefer.go, fetch_parse.go, fetch_answer.go, fetch_write.go, session.go,
// session_cache.go, hints.go, list_offsets.go, offset_for_leader_epoch.go,
// describe_producers.go.
// Part: feed (what other nodes fetch).
//
// Invariants: the steady produce and fetch paths allocate nothing; a request's
// bytes are not kept past Serve; memory taken for a request is a small
// multiple of its bytes, and of the records it asked for only those between
// files and sockets. An answer goes back to its pool only when nobody can call
// it any more (refs). Only for the coordinator of a transaction does Serve wait,
// so that later requests of the connection do not overtake.
//
// Locks: session.mu, then nothing; cache.mu, then nothing. Waiters are called
// under partitions' locks, so Committed and Readable take none but the
// connection's queue's.
//
// Sources: KIP-74, KIP-98, KIP-101, KIP-110, KIP-227, KIP-320, KIP-392, KIP-467,
// KIP-516, KIP-595, KIP-890, KIP-951.
package data
