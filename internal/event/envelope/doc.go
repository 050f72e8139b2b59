// Package envelope is one stored event and its two views: CloudEvents 1.0 (binary
// mode in Kafka headers is what is stored) and EventBridge's envelope. It is pure.
//
// It is not for which events fit which rules (event/pattern), nor for HTTP.
//
// Main type: Event. Files in reading order: event.go.
//
// Invariants: whatever bytes a record has, it reads as an event; both views are
// lossless both ways.
//
// Sources: CloudEvents 1.0.2 and its Kafka protocol binding; EventBridge's "events
// structure reference".
package envelope
