// Package share decides for one share-partition (KIP-932): which records of a
// partition are free, which are locked for whom and until when, which are done.
// It is pure: everything comes in as arguments, the time too, in milliseconds.
//
// It is not for reading the log, for sessions and requests (kafka/shares), nor
// for keeping the state durable (share/store); it tells what is to be stored.
//
// Main types: Partition (all of it), Settings, Want and Batch (what Acquire
// gets), Ack (what Acknowledge gets), Range (what somebody was given), Receipt
// and Word (how those answer who are no members), Write (what is to be stored).
//
// Files in reading order: state.go, settings.go, span.go (the list that holds
// the records), partition.go, acquire.go, acknowledge.go, receipt.go (leases),
// release.go (locks that end, members that go), take.go (takers where keys matter), lanes.go (key order), turns.go and
// loud.go (fairness among groups), write.go (what is stored
// and how it comes back), stats.go, undone.go (what is
// not done, one by one; picking one out).
//
// The records between Start and End are spans: neighbours that share state,
// delivery count, owner and times are one span, so a batch that one member got
// and acknowledged costs one, however many records it has. Beyond End all is
// free and was never touched; below Start all is done.
//
// # Rules
//
//   - A record is given to one member at a time. It comes back when it is
//     released, when its lock ends, or when its member goes; after as many
//     deliveries as the limit allows it is given up instead: archived, or kept
//     as Archiving until its dead letter is written.
//   - A lease is a lock that is stored, with its end. It is held by a receipt,
//     which names the delivery: whatever is said of an earlier delivery, or of a
//     state that was made anew since, is refused.
//   - The window counts records that are locked; a batch that finds room in it
//     may go beyond. Those that wait for another
//     try, for their time, or for an earlier record of their key are spans
//     under a bound of their own (maxSpans, maxFiled).
//   - Whatever is acknowledged is never given out again, by this state or by
//     one that was loaded from what Write told.
//   - State moves ahead of what is stored; whoever answers an acknowledgement
//     waits for the write that covers it, and when a write fails the whole
//     state is thrown away and loaded again. So there is no way back to code.
//   - With key order one member, or one take, has records of a key at a time: a
//     member one, a take those that follow each other from the oldest that is not
//     done. While one of them is out, nobody gets any of the key; what came back
//     goes before what follows. A key whose record waits for another try is
//     parked, and holds up nobody else. A key goes on when it is stored that the
//     record before is done (Stored): nobody sees what comes after a record that
//     a crash may bring back.
//   - With fairness takers get one record of each group in turn; groups that have
//     much of what is out go behind the others (SQS's fair queues). What is known
//     of groups is read from the log again, not stored, and it is bounded: a group
//     with a million records has a thousand filed.
//
// Ownership: a Partition is used by one goroutine at a time. Slices that are
// handed in are borrowed, those that come out belong to the caller.
//
// Sources: KIP-932, KIP-1191 (dead letters), KIP-1206 (record limits),
// KIP-1222 (renewal), KIP-1226 (lag).
package share
