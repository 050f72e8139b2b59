// Package index holds the three sparse indexes of a segment as Kafka writes
// them: .index (offset to byte), .timeindex (time to offset) and .txnindex
// (aborted transactions).
//
// It is pure: bytes in, entries out and back. It opens no file, knows no
// lock, and does not decide when an entry is made: that is package log.
//
// Everything here but .txnindex can be derived from the .log file by a walk
// of batch headers, so a file that does not parse is never an error to the
// user: package log rebuilds it. None of the three formats has a checksum;
// the parsers accept only what is in order and in range, and package log
// checks the entry that it is about to use against the batch it points to.
//
// Files: offsets.go, times.go, aborted.go. Bytes: docs/format/log.md.
package index
