// Package dlq reads the dead letters of share groups (KIP-1191) as people need
// them, and puts them back into the topics that they came from. It prints
// nothing and asks nobody.
//
// A dead letter is a record in a topic that groups name in
// errors.deadletterqueue.topic.name; headers that begin with __dlq.errors. tell
// where it came from, who gave it up, why, and after how many deliveries.
//
// Dead letters of queues are not for it: they are messages of another queue, which
// keeps what is done (event/queue).
//
// How far letters were put back is a committed offset of a group of its own for
// each dead-letter topic (GroupOf). The offset is that of the first letter that
// waits; the commit's metadata list those after it that are done, so that a
// redrive of chosen letters is remembered too. Records and that commit are one
// transaction: whatever is killed when, a letter is put back once. Who begins to
// put letters of a topic back keeps those out who were about it.
//
// Reading order: record.go (the record that a letter becomes again),
// progress.go (which letters are done), find.go (the topics and what waits in
// them), read.go (reading letters), redrive.go (putting them back), commit.go (in
// transactions).
//
// One goroutine uses a Queue at a time; nothing here holds a lock.
package dlq
