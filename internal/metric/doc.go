// Package metric is Ottla's instruments: one table declares each metric with
// its text and buckets, and the parts of a node resolve their handles from it.
// Counting and exposition are the Prometheus client library's.
//
// It is not for traces or logs, and no instrument has an unbounded label
// (client ids, keys, topics of many): what needs one stands on a page of its own
// and is asked for at each scrape.
//
// Main types: Registry, Def (a row of the table), Counter, Gauge, Histogram, Counters
// (a bounded number of rows by a label);
// Page, Row and Sheet for what has a row for each partition or group.
//
// Files in reading order: table.go, registry.go, instruments.go, pages.go.
//
// Invariants: names are declared in the table and nowhere else. Hot calls (Inc,
// Add, Set, Observe) allocate nothing and take no lock; handles are resolved
// once, at assembly. Each node has a registry of its own, none is global. A nil
// Registry gives nil handles, and nil handles do nothing, so that parts need no
// measuring to be tested. Any goroutine may use everything.
//
// Source: Prometheus text exposition format 0.0.4.
package metric
