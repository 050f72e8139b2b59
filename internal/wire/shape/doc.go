// Package shape guards the decoders of Kafka's requests. kmsg decodes into
// structs and keeps unknown tags, so a hostile count could cost many times its
// bytes in memory; Check walks a body first, without allocating, by a table of
// the shapes of all requests.
//
// It is not a decoder, and not for bodies that are parsed in place without
// structs (Produce and Fetch check themselves; their shapes stand here all the
// same).
//
// Main types: Error. Files in reading order: shapes.txt (the table and its
// notation), parse.go, compile.go, check.go.
//
// Invariants: Check never panics and allocates nothing on bodies that pass. A
// body that passes decodes to at most 16 times its size and 64 KiB. All state
// is the table and its compiled form, which only grows to one entry a version.
//
// Sources: Kafka 4.4's message schemas for the facts; KIP-482 for encodings;
// CVE-2026-111108 and CVE-2026-111115 for what happens without a guard.
package shape
