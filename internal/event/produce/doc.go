// Package produce is how the event layer writes records by Kafka clients, whatever the
// time is that they are dated by and whatever becomes of their topics.
//
// kgo's own bound for how long a record may take (RecordDeliveryTimeout) goes by the
// record's timestamp. Those are of the domain clock, which may be moved: a record of two
// hours ago would be over before it was sent. So contexts bound it here, and nowhere in
// the event layer is that option used. A kgo client that lives longer than a topic takes
// one that was deleted and made again for the old one; nodes that are behind have it do so,
// too. It is not made to forget topics: it would fail what others have on their way, which
// may be written, and number what follows from 0, which the broker takes for repeats. So
// another client takes its place, and it ends when all that it was given is answered.
//
// It is not for asking and ordering (kadm with Client.Kafka), and does not begin or end
// transactions: Within only puts records into them, for they cannot be tried again one
// by one.
//
// Main types and functions: Client (All), Within, AtOnce and Batches (options).
// Files: produce.go (options, Within), client.go.
//
// Invariants: what is tried again was refused, or never sent, but where a node that is
// behind tells a client the id that a topic had before the one it knows: kgo then fails
// what is on its way as if it was refused. No writer ends before all that it was given is
// answered, but by Close.
// Locks: Client.mu, held for moments and while a client is made.
package produce
