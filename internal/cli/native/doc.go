// Package native is how commands ask a node over HTTP: its native doors, for what
// the Kafka protocol has no words for. A refusal comes back as a failure with the
// door's own words, and a node that is not there with what was tried.
//
// It is not for what is asked: commands know paths and shapes.
//
// Main type: Client. File: native.go.
package native
