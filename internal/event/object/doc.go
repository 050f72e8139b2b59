// Package object keeps what objects of the event layer are: queues, schedules,
// later buses and rules. They are records of one compacted topic,
// `__ottla_objects`, which every node mirrors in memory through its own Kafka
// door.
//
// It is not for what an object means, nor for what is in it: whoever owns a
// kind writes and reads its Spec.
//
// Main types: Object, Store.
//
// Files in reading order: object.go, store.go, mirror.go, write.go, gone.go
// (deletions that are asked for again), watch.go,
// holder.go (whose topic a topic is), near.go (is it there, and which one was meant),
// invalid.go (what is wrong with a Spec).
//
// # Rules
//
//   - A change names the version that it changes. Changes are transactions
//     under one transactional id, so that whoever begins one keeps all earlier
//     writers out; then it reads to the end, compares, and writes. A writer
//     that was kept out meanwhile begins again.
//   - A topic is of one object alone: who names a topic in its Spec ("topic") that is
//     another's by then is refused as one who comes late. What belongs to an object is
//     put only while that is there (PutUnder).
//   - Put and Delete answer when this node's mirror has the change.
//   - What is not found is looked for again after reading to the end, so that
//     what was made at another node is there; and a node that is cut off for all
//     that it knows says of nothing that it is not there.
//   - Nothing is made, and nobody reads, before somebody asks; asking for what
//     is not there makes no topic.
//
// Ownership: Spec belongs to the store; nobody changes its bytes.
//
// Locks: Store.mu guards the mirror's map and watchers; Store.writing is held
// by the one who writes. Order: writing, then mu. Watchers are called by the
// mirror's goroutine, in the order of the log, without a lock.
package object
