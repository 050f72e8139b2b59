// Package produce is how the event layer writes records by Kafka clients, whatever the
// time is that they are dated by and whatever becomes of their topics.
//
// kgo's own bound for how long a record may take (RecordDeliveryTimeout) goes by the
// record's timestamp. Those are of the domain clock, which may be moved: a record of two
// hours ago would be over before it was sent. So contexts bound it here, and nowhere in
// the event layer is that option used. A client that lives longer than a topic takes one
// that was deleted and made again for the old one until it is made to forget it; then it
// fails what others are writing to it, and that is written once more.
//
// It is not for asking and ordering (kadm with Client.Kafka), and does not begin or end
// transactions: Within only puts records into them, for they cannot be tried again one
// by one.
//
// Main types and functions: Client (All), Within, AtOnce and Batches (options).
// Files: produce.go (options, Within), client.go.
//
// Invariant: between two readings of what a topic is, a client forgets it once.
// Locks: Client.mu is held for moments; Client.forgetting, which is taken first, while
// the client forgets a topic.
package produce
