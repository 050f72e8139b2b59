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
// Nor is it told of another id than the first that it was told of a topic (Steady): it
// would fail what is on its way for that, too, though a node that is behind told it.
//
// It is not for asking and ordering (kadm with Client.Kafka), and does not begin or end
// transactions: Within only puts records into them, for they cannot be tried again one
// by one.
//
// Main types and functions: Client (All), Steady, Within, AtOnce and Batches (options).
// Files: produce.go (options, Within), client.go, ids.go (Steady).
//
// Invariants: what is tried again was refused, or never sent, or was on its way to a topic
// of which no node told any more for as long as records are tried. No writer ends before
// all that it was given is answered, but by Close.
// Locks: Client.mu, held for moments and while a client is made; ids.mu and steadyConn.mu,
// for moments. None is held while another is taken.
package produce
