// Package walk reads the batches of a segment file one after the other: the
// headers alone, or whole batches with their checksums. It is how package log
// finds a position, rebuilds an index, recovers a tail and looks for rot.
//
// A Reader is one goroutine's; it comes from a pool and goes back to it, so a
// look-up allocates nothing. It never trusts a length: a header that claims
// more than the file holds is a *Bad, and no buffer grows beyond the bytes
// that are there.
//
// Files: reader.go, check.go (checksums), resync.go (go on after rot).
package walk
