// Package lead runs the share-partitions whose partitions this node leads: it
// loads their states, reads the log for members, has acknowledgements stored
// and watches over locks.
//
// It is not for what the states mean (package share), for how they are stored
// (share/store), nor for sessions and requests (kafka/shares, and whoever else
// takes records by groups).
//
// Main types: Manager (all of them), Part (one), Want and Given (a read).
//
// Files in reading order: manager.go, part.go, load.go, give.go, batches.go
// (what was read), acknowledge.go, lease.go (for those who are no members), bykey.go (the same where keys
// matter), dedup.go and firsts.go (repeats),
// bury.go (dead letters), flush.go
// (storing), watch.go (waiting), standing.go (for metrics), survey.go (counts),
// contents.go (what is not done, one by one; picking some out), settings.go.
//
// # Rules
//
//   - A state is loaded under the leader epoch of its partition, which keeps
//     earlier leaders out. Where the state has no start yet, the start is found
//     by share.auto.offset.reset and stored before the first record is given.
//
//   - Acknowledgements change the state at once and are answered when the write
//     that holds them is durable. While one write is on its way, all that
//     change meanwhile go with the next: many acknowledgements share one.
//
//   - A write that fails means that nobody knows what is stored: the state is
//     thrown away and loaded again, and everybody who waits for a write hears
//     why. Their locks are gone; the records come again, or are done.
//
//   - Records that are given up wait as Archiving until their dead letters are
//     committed; the archiving is stored after that, so a crash in between
//     writes a letter again.
//
//   - Deliveries to members are not stored before they are made: a record that
//     was out when the node died comes again with the count that it had before.
//     Leases are stored before anybody sees what they hold, and so are waits
//     before a release is answered: neither ends early by a crash.
//
//   - A state is at most once in a node: a part that the manager lets go of is
//     gone before another takes its place, and serves nobody then.
//
// # Locks
//
// Part.mu guards a part, and is held while its log is read; Manager.mu the maps
// of parts. Order: Manager.mu, never together with Part.mu; Part.mu, then those
// of the partition. Nobody is told anything while a Part.mu is held. The store
// is called without any lock, and its answers are taken up by a goroutine of
// the manager's, for which Close waits.
package lead
