// Package queue is queues: SQS's job on share-partitions. A queue is a topic, a
// share group that reads it, and an object (event/object) that says how.
//
// It is not for protocols (gateway/rest, gateway/aws), nor for who has which
// record (share, kafka/shares/lead), nor for how that is asked of other nodes
// (kafka/queues).
//
// Main types: Service; Ref, Spec and Queue (what a queue is); Message, Taken;
// Move (a task that moves messages).
//
// Files in reading order: spec.go, message.go (and as records), errors.go, service.go,
// define.go (create, change, delete), known.go (as they were read), check.go,
// place.go (whose topics and groups are), peek.go, material.go (making and deleting them),
// receipt.go, send.go, sending.go (on the way to the log), client.go (who sends),
// repeats.go, take.go, attempt.go, answer.go (ack, nack, extend, reject), stats.go,
// move.go (tasks), runner.go (who carries them out), moving.go (a task under way),
// settle.go (what an earlier one left), chosen.go (one that chooses), mover.go (moves
// that survive being killed), morgue.go (dead letters), letters.go (what lies there,
// and mending it).
//
// # Rules
//
//   - A queue's messages are the records of its topic, whoever wrote them: the
//     value is the body, headers are attributes, the key is the message group.
//     docs/queues.md says how.
//   - A queue's object says first that it is being made, or deleted, and that it is
//     made, or gone, when all of that is done: whoever makes or deletes a queue ends
//     what an earlier one was killed in. It notes by which metadata of the cluster the
//     topic was there, which nodes that are behind wait for.
//   - What is answered is durable: a message that was sent, one that was taken
//     (its lease), one that was acknowledged.
//   - Receipts name one delivery. They are good at every node and through
//     restarts, and void once the message was given out again, is done, or the
//     queue was purged; with FIFO also when their time is over.
//   - With FIFO one take has messages of a group at a time, as they follow each
//     other from the oldest that is not done; repeats of a deduplication id within
//     five minutes are dropped in the order of the log, whoever wrote them, and
//     Send answers them with the first. Without FIFO groups are served by turns.
//   - A move is carried out by the node that leads the first partition of its queue;
//     what its progress covers is acknowledged before anything else is moved.
//   - Visibility, delays, retention and deduplication go by the domain clock.
//
// Locks: Service.mu guards what is made at first use; it is held for moments.
//
// Sources: SQS API reference and developer guide; KIP-932.
package queue
