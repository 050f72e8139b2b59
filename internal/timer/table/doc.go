// Package table holds what is known of many timers in little memory: when each
// is due, where in the log it lies, and for which topic, found by key and by
// time. The payload is not here.
//
// It is not for what timers mean (package timer) nor for their bytes (package
// timer/schema).
//
// Main types: Entry, Ref, Table.
//
// Files in reading order: table.go (entries in chunks), index.go (by hash of the
// key), heap.go (by time).
//
// Costs: 48 bytes an entry, 4 to 6 of the heap and 5 to 11 of the index: a million
// timers in 70 MB. Put, Remove, Take and Return cost the logarithm
// of what waits; Find is constant. Chunks are never moved, so growing copies no
// entries.
//
// Invariants: an entry that waits is in the heap once, one that was taken is not;
// entries of one time leave in the order of their offsets. A Ref stays good until
// its entry is removed, and is used again after that: whoever keeps one compares
// the offset.
//
// Ownership: a Table belongs to one goroutine.
package table
