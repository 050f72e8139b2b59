// Package own holds the requests that nodes of one cluster send each other
// beside Kafka's: their keys begin at First (wire.OwnFirst), ApiVersions never
// lists them, and the door refuses them to everybody who is not a node.
//
// It is not for what the requests mean, nor for who may send them: the
// packages named beside each key carry them out, and the Kafka door gates
// them.
//
// Main types: the requests and responses, which are kmsg.Request and
// kmsg.Response, so that doors, pools and tables treat them like Kafka's own;
// RequestForKey makes one from a key, as kmsg.RequestForKey does for Kafka's.
//
// Files in reading order: keys.go (the keys, RequestForKey), message.go (what
// all messages share), command.go, progress.go, join.go, heartbeat.go,
// queue.go, queue_pick.go and queue_firsts.go (queues), timers.go,
// history.go, losses.go, closed.go and doubt.go (not requests: tagged fields of Kafka's), writer.go,
// reader.go.
//
// The form is Kafka's flexible one (KIP-482): compact strings and arrays, and
// a section of tagged fields at the end of each message and array element. A
// later release may add tagged fields: who does not know them skips them. All
// nodes of a cluster understand version 0.
//
// Invariants: no bytes panic a decoder; a count is believed only as far as the
// bytes that are left could hold it; what a decoder returns shares no memory
// with what it read.
//
// Ownership: messages are plain values that belong to whoever has them.
package own
