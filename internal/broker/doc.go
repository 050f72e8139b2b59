// Package broker is the life of a node in its cluster: from every change of
// the metadata image to partitions opened, given their role, reconfigured,
// closed and deleted; and the loops that their log directories need.
//
// What it is not for: deciding anything about the cluster (package
// controller), what a replica does with batches (package partition), talking
// to clients (the doors).
//
// Main types: Broker, Options.
//
// Files in reading order: broker.go (the type and its look-ups), table.go
// (where they look), held.go (one partition and where it stands), follow.go
// (OnImage), roles.go (topics and partitions that changed), open.go (at once
// and in the background), again.go (logs that could not be opened), place.go (which directory), stray.go, move.go (from
// one directory to another), failed.go (what the controller hears of them),
// settings.go and config.go (from settings to what a partition heeds), loops.go,
// clean.go, metrics.go, close.go; tail.go and tail_note.go (a partition as its
// coordinator sees it), ensure.go (internal topics are made when needed, and
// grow with the cluster).
//
// Parts: insync (which followers are in sync, told to the controller), mend (what is
// damaged here is taken from other replicas). Followers
// are kept up with their leaders by package replicate: held.go has a partition
// follow or not with every role it takes. The rates of throttled replicas (KIP-73)
// are the broker's: settings.go.
//
// # Rules
//
//   - OnImage calls come one after the other, from the quorum. When one
//     returns, the partitions it created serve: they have no directory yet and
//     open in microseconds. Partitions found on disk at the start open in the
//     background, internal topics first, and answer NOT_LEADER_OR_FOLLOWER
//     until they are ready: where a log's end is in doubt and there are other
//     replicas, until package mend has settled that (Trust).
//   - Look-ups take no lock and allocate nothing: they read immutable maps
//     behind atomic pointers, in shards, so that one more topic copies a
//     shard and not the world.
//   - A directory that failed answers KAFKA_STORAGE_ERROR for its partitions
//     from that moment on; all others live. The controller hears of it, and the
//     node ends where that is not possible, or the metadata log lies there.
//   - A partition that the metadata have in a directory that does not work is
//     not made anew elsewhere: it would be empty, or an older copy.
//   - What belongs to a topic that the metadata do not know is set aside
//     (-stray), said in the log, and never deleted here.
//   - Deleting a topic ends when its directories are renamed: after that
//     neither a crash nor a topic of the same name brings anything back.
//
// # Ownership
//
// The quorum's goroutine owns following (Broker.begun, the writing of the
// table). held.mu orders opening and ending of one partition, whoever does
// it; it is held over the I/O of that partition and never while another is
// taken. Goroutines: per directory one that syncs and one that keeps (
// checkpoint, housekeeping), one for retention and producer expiry, one that
// moves partitions between directories, one that tells the controller of
// directories, one that cleans (with as many more as there are threads
// while it does), and the recovery's workers until they are through; Close waits
// for all of them.
package broker
