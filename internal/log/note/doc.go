// Package note keeps one small file beside a log: what somebody above wants to
// find again as long as the log goes on from where it was. A coordinator keeps
// snapshots of its machine in it.
//
// What it is not for: anything that must not vanish. A note is dropped before
// compaction takes away records that a reader who starts from it would need,
// and whoever reads it checks it (checksum, identity) and can do without.
//
// Main type: File.
//
// Concurrency: File has a mutex, held over the I/O of its one file; it is a
// leaf.
package note
