// Package record is Kafka's record batch, version 2: parse it in place, judge
// what a producer sent, patch what the leader assigns, build batches of our
// own, open and remake compressed ones.
//
// It is not for magic 0 and 1, which no supported API version carries, nor for
// what a batch means to a partition: offsets, epochs, sequences.
//
// Main types: Header, Rules, Error, Record, Builder.
//
// Files in reading order:
//   - header.go: the 61 bytes before the records
//   - patch.go: what the leader changes in place, the CRC
//   - varint.go, parse.go: the bytes of a record
//   - validate.go, check.go: what a leader demands of a produced batch
//   - opener.go: compressed records come out piece by piece; how memory is bounded
//   - snappy.go, lz4.go, xxh32.go, zstd.go: the codecs' framings (gzip is in opener.go)
//   - stream.go: judging records while they come out
//   - walk.go, find.go: reading records, one by one or by time; cutting batches off a buffer
//   - sift.go: what compaction leaves of a batch
//   - builder.go, control.go: batches of our own, control records
//   - packer.go, recompress.go: compressing, another codec for the same records
//   - key.go: which partition a key means
//   - errors.go: what can be wrong
//
// Invariants: no bytes make it panic; every length is checked against the
// bytes at hand before it is used; validating a plain batch allocates nothing,
// a compressed one nothing in steady traffic; a batch that opens to gigabytes
// is judged in a few MiB (40 at worst), and only few at once take more than 256 KiB.
//
// Where we are stricter than Kafka: a record's offset delta must be its index,
// also in plain batches (Kafka stores records that lie beyond their batch);
// compressed records that clients could not read back (dependent lz4 blocks,
// checksums that do not match, S2 in Snappy's name, bytes after the frame) are
// refused, as is a zstd window above 8 MiB for more than 16 MiB of records and
// a raw snappy block above 8 MiB that refers back farther than 4 MiB.
//
// Ownership: every []byte is borrowed until return unless a function says that
// what it returns is the caller's. Nothing here is safe to share while a Set
// function changes it; everything else may run in parallel. Validate and
// Recompress may wait for each other when all slots for large batches are
// taken; Walk and Find never wait, since they run a caller's code meanwhile.
//
// Sources: KIP-98 (the format), KIP-82 (headers), KIP-467 (record errors),
// KIP-110 (zstd), KIP-534 (delete horizon), KIP-853 (voter control records);
// RFC 1952, RFC 8878, Snappy's format description, the LZ4 frame format 1.6.
package record
