// Package feed answers the fetches of other nodes: it gives followers what the
// partitions led here have.
//
// It is not for consumers (package data, beside it), nor for what progress means
// (package partition), nor for the follower's side (replicate).
//
// Main types: Feeder (what the rows Fetch and ReplicaProgress call), session (what
// one connection of a follower has asked for), answer (a fetch parked in its
// connection's queue).
//
// Files in reading order: feeder.go, session.go, part.go, answer.go, throttle.go,
// write.go.
//
// A consumer's session is looked through at every fetch. Here a node may follow
// thousands of partitions, of which few have news: each partition of a session is
// fed (partition.Feed) from the first request on and puts itself into the
// session's queue when something stirs; an answer looks at that queue alone. So
// what is idle costs nothing, however much of it there is.
//
// What an answer gave records, an error or a diverging epoch for is left alone
// until the follower asks for it again, from where it stands then. A new high
// watermark leaves with the next answer, and makes one leave by itself only after
// a few milliseconds: at rest it would be one message more for every record.
//
// Throttled replicas (KIP-73) that are not in sync get nothing while the rate of
// this node's leaders is reached: an answer leaves them out, with nothing held up
// for the others, and the session looks at them again when there may be room. Those
// in sync get all, and it counts.
//
// A second fetch on the connection ends the wait of the first: so a follower adds
// a partition without waiting.
//
// Locks: Feeder.mu, then session.mu, which is held while partitions are
// called; session.news, a leaf, guards the queue, which partitions fill with their own
// lock held.
//
// Sources: KIP-73, KIP-227, KIP-320, KIP-595, KIP-903.
package feed
