// Package tail writes records to topics and reads them, for doors whose callers have no
// Kafka client: a page of what is there, or a stream of what comes. It keeps nothing of
// its readers: where one stands is a Cursor, which he keeps.
//
// It is not for groups, whose positions are kept, nor for buses, which take events
// (event/bus).
//
// Main types: Service (Write, Read, Stream), From and Cursor (places in a topic). Files
// in reading order: place.go, service.go, write.go, turns.go (one at a time), read.go
// (what is there), stream.go (what comes).
//
// # Rules
//
//   - only what is committed is read, in the order of each partition; a page has its
//     records by their timestamps, as far as that order allows.
//   - a Cursor holds the offset to go on at in each partition. A partition that it does
//     not have came to be later, and is read from its beginning.
//   - memory is bounded: a page by what it may hold and a fetch of each partition, a
//     stream by one fetch of each node. Who reads slowly is sent slowly.
//
// Locks: turns.mu is held for moments; a topic's turn while one large record is written to
// it, so that no other gets into its batch.
package tail
