// Package checkpoint reads and writes the small files of a log directory:
// Ottla's own checkpoint (binary, checksummed, versioned), and Kafka's text
// files beside it (recovery-point-offset-checkpoint,
// log-start-offset-checkpoint, replication-offset-checkpoint,
// cleaner-offset-checkpoint, leader-epoch-checkpoint, partition.metadata).
//
// Ottla's checkpoint is what a restart goes by; Kafka's files are written so
// that Kafka's tools, and Kafka itself, can read the directory, and are read
// when there is no checkpoint of ours. A file that does not parse is an
// error here; what it means is decided by package log, where damaged never
// means empty.
//
// Main types: Log (one log's entry), File (the whole checkpoint), Offsets.
//
// Files: write.go (replace a file so that it is whole or the old one),
// file.go, encode.go, decode.go (the checkpoint), offsets.go, epochs.go,
// metadata.go (Kafka's text files). Bytes: docs/format/log.md.
//
// Nothing here holds state or locks.
package checkpoint
