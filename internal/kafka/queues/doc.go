// Package queues gives out the records of share-partitions by receipts to those
// who are no members of a share group, wherever their partitions are led: what
// Kafka's protocol cannot say. Queues (event/queue) are made of it.
//
// It is not for what a queue is, nor for messages (event/queue), nor for how
// leases are kept (kafka/shares/lead, share).
//
// Main types: Leases; Part (a share-partition), Want and Lease (a take).
//
// Files in reading order: leases.go, near.go (share-partitions of this node),
// doubt.go (where it may lead no more), far.go (those of others), watch.go
// (waiting), firsts.go (repeats), rows.go (what other nodes ask), identity.go
// (what messages are called).
//
// # Rules
//
//   - A question goes to the node that leads the partition as this node's
//     metadata have it, and to no other: NOT_LEADER_OR_FOLLOWER tells that it is
//     another by now. Requests of other nodes are answered here or refused, so
//     nothing goes round in circles.
//   - Nothing is leased for somebody who waits: a waiter learns that there may be
//     something, and takes it himself. So no lease is stranded with a caller who
//     has gone.
//   - What was taken is stored before anybody sees it.
//   - A node that may lead no more tells of no receipt that it is not good, and one
//     that is cut off does not say that there is nothing to take (doubt.go).
package queues
