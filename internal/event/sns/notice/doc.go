// Package notice is one message of an SNS topic and what its subscribers get of it:
// how it lies in its record, the document that filter policies see, the JSON of
// notifications, and what is signed of it. It is pure.
//
// It is not for topics and subscriptions (event/sns), nor for how anything is sent
// (event/run, event/delivery).
//
// Main types: Message, Filter, Notification.
//
// Files in reading order: message.go (as a record), structure.go (other bodies for
// some protocols), document.go, filter.go (policies), notification.go, function.go
// (what Lambda gets), retry.go (delivery policies).
//
// Invariants: whatever bytes a record has, it reads as a message; what Headers wrote
// Read reads.
//
// Sources: the SNS developer guide ("Message and JSON formats", "Verifying the
// signatures", "Filter policies", "Delivery retries"), API version 2010-03-31.
package notice
