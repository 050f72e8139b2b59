// Package inspect reads the files of a log directory, Ottla's or Kafka's, for
// people and for checks: it shows what is in them, says what is wrong, and sums
// them up. It changes nothing and needs no node.
//
// It is not for opening logs (package log recovers them) nor for mending what
// it finds.
//
// Main types: Line (one thing that a file holds), Problem (one thing that is
// wrong), Sum (what a partition's files come to).
//
// Files in reading order:
//   - line.go: Line and its fields
//   - dump.go, dump_log.go, dump_small.go: a file as lines
//   - records.go: the content of internal records: metadata, groups
//   - segments.go: the segments of a partition directory, batch by batch
//   - verify.go, verify_partition.go, verify_index.go: the checks
//   - sum.go: counts and checksums
//
// Invariants: no bytes make it panic, and what it allocates is bounded by the
// size of a file, never by a number inside it; a file that cannot be read is
// told with its name and byte.
//
// Ownership: every call is its caller's goroutine and keeps nothing.
//
// Sources: docs/format/log.md, docs/format/metadata.md, Kafka's DumpLogSegments
// for what people look for in such files.
package inspect
