// Package known lists the differences between Kafka's answers and Ottla's that
// are meant, each with its reason. The programs differential and tools beside
// it fail on any other; docs/compatibility.md shows the list.
//
// It is data and its look-up, nothing else. Reading order: known.go (types and
// matching), answers.go (the wire protocol), lines.go (what Kafka's
// tools print), cluster.go (of three nodes), native.go (our own tools).
//
// Invariant: a pattern is as narrow as the difference it excuses, so that a
// new difference beside it is still found.
package known
