// Package name tells how objects of the event layer are called: a kind, an
// account, a region and a name; as an ARN, as a key of the object store, and
// as the topic that holds what is in them. It is pure.
//
// It is not for what objects are (event/object), nor for which exist.
//
// Main types: Kind, Ref. Files in reading order: name.go (Ref, keys, topics),
// check.go (which names may be), arn.go.
//
// Invariants: Key and ParseKey, ARN and ParseARN are inverse to each other for
// every Ref that passes Check.
//
// Sources: AWS's service authorization reference (forms of ARNs), SQS and
// EventBridge Scheduler API references (names).
package name
