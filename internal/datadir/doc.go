// Package datadir takes a data directory for one node: it makes it, locks it,
// and reads or writes what says whose it is. Whatever it cannot take it
// refuses with a *Refused, within milliseconds and before anything else of
// the node has started.
//
// What it is not for: the logs inside (package log), the quorum's files
// (package quorum), importing a directory of Apache Kafka.
//
// Main types: Dir, a directory that is held; Refused, why one is not; Options.
//
// Files in reading order: open.go (the order of checks), look.go (what kind
// of directory it is), mark.go (ottla.properties, our format version and the
// clone guard), meta.go (Kafka's meta.properties), properties.go (the text of
// both), owner.go (whose a
// directory is, without taking it), inode_unix.go (the guard's figure),
// refused.go.
//
// # Files
//
//	ottla.import      there while an import of Kafka's logs fills the directory
//	.lock             locked while a process holds the directory; holds its pid
//	meta.properties   Kafka's own: version, cluster.id, node.id, directory.id
//	ottla.properties  ours: format, the same identity, inode, a checksum
//
// The mark, ottla.properties, is the authority: meta.properties is derived
// from it and made again when it is missing or cannot be read; where both can
// be read and disagree the directory is refused.
//
// # Invariants
//
//   - A directory that is refused is left as it was found, and nothing is
//     ever written into one that is not empty and does not carry our mark.
//   - The mark is written before meta.properties, both to a temporary file,
//     synced, renamed, and the directory synced: a power cut leaves the old
//     file, the new one, or (at the first start) a directory that still
//     counts as empty.
//   - Identities never change once written: cluster, node and directory id
//     live as long as the directory.
//
// Ownership: a Dir belongs to whoever opened it until Close; the lock is held
// all that time. Nothing here starts a goroutine.
//
// Sources: KIP-112, KIP-631 and KIP-858 (meta.properties, directory ids).
package datadir
