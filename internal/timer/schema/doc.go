// Package schema is the codec of the records of `__ottla_timers`.
//
// It is not for what the records mean: that is package timer.
//
// Main types: Timer, Target, Entry.
//
// Files in reading order: key.go, timer.go, target.go, line.go, index.go,
// writer.go. The bytes are drawn in docs/format/timers.md.
//
// A key begins with an int16 that is the record's kind. A value begins with an
// int16, its version, 0 so far, and ends with tagged fields (KIP-482), which a
// later release may add to; who does not know them passes over them.
//
// Invariants: no bytes make a parser panic, and none make it allocate more than a
// small multiple of their length. What a parser gives is a copy, unless it says
// that it is borrowed.
package schema
