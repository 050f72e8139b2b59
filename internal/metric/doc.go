// Package metric holds the instruments: counters, gauges and histograms whose
// names are declared in one table, and their exposition in Prometheus' text
// format.
//
// It is not for traces or logs, and no instrument has an unbounded label
// (client ids, keys, topics of many).
//
// Main types: Registry, Def (a row of the table), Counter, Gauge, Histogram.
//
// Files in reading order: table.go, registry.go, instruments.go, expose.go.
//
// Invariants: hot calls (Add, Set, Observe) are lock-free and allocate
// nothing; handles are resolved once, at assembly. A nil Registry gives nil
// handles, and nil handles do nothing, so that parts need no measuring to be
// tested. Any goroutine may use everything.
//
// Why not the usual client library: what Ottla needs of it is below 300 lines,
// and it would be the largest dependency of the binary.
//
// Source: Prometheus text exposition format 0.0.4.
package metric
