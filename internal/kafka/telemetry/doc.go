// Package telemetry is the family of handlers for the metrics that clients push
// (KIP-714): it tells clients what is wanted of them, takes what they send, and
// sums it up by the names of metrics.
//
// It is not for the node's own metrics (package metric), and keeps nothing of a
// client but when it last came: what one client did is not told from what
// another did.
//
// Main types: Family, instance (a client that pushes), sums (what all pushed).
//
// Files in reading order:
//   - family.go: Deps, the rows
//   - subscriptions.go: which settings hold for which client
//   - instances.go: the clients known, and when each may come again
//   - get_telemetry_subscriptions.go, push_telemetry.go: the APIs
//   - otlp.go: the walk through a push
//   - sums.go: totals by name
//
// Invariants: instances, names and the bytes a push opens to are bounded; a
// push counts whole or not at all; no bytes make the walk panic.
//
// Locks: Family.mu guards instances and the sums' map; it is never held while a
// push is opened.
//
// Sources: KIP-714, Kafka's ClientMetricsManager and ClientMetricsConfigs, the
// OpenTelemetry protocol (opentelemetry/proto/metrics/v1).
package telemetry
