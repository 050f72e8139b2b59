// Package mend repairs what is damaged in the replicas of this node from those of
// others.
//
// It is not for finding damage (reads, compaction and recovery do, and tell), nor
// for writing over it (package log).
//
// Main type: Keeper.
//
// Files in reading order: keeper.go (what is to be mended, and when), range.go
// (bytes in their place), anew.go (a whole replica), ask.go (another node's
// batches), end.go (an end in doubt).
//
// When something cannot be read, all of that log is read once, and every damaged
// range is replaced by the batches that another replica has for it: the leader, or
// where this node leads, one that is in sync. The bytes are the same on every
// replica, so they fit exactly, and are checked before one is written. The replica
// stays what it is meanwhile, leader or follower.
//
// Where they do not fit (compaction left others), or nothing is left to write over
// (a file that is gone), the replica is fetched anew. It asks its leader for
// nothing until the controller has noted that nobody counts on it (and has given
// its lead away), and only then drops what it has: so at no moment may a replica
// be elected that lacks what was acknowledged. Where no other replica that has
// everything says that it is there, it stays as it is and that is said.
//
// A log that was cut at its end when it was opened may lack what it had acknowledged:
// damage above the recovery point looks like a torn write. Its partition takes no role
// until that is settled here, however often the node starts until then (package log
// keeps it on disk); nor does one of a log that lost something in what it read, whose
// producers are not known whole. Every other replica, counted on or not, is asked how
// far its log goes. Of several, of which one has everything committed, the one with the
// latest last epoch, and of these the longest, has it (the rule of Raft's elections): a
// replica of that epoch took its records from a leader that had everything committed
// before, and those of one epoch are prefixes of each other. So a replica in doubt that
// goes as far as all others is as good as any; else it gives way to the one that goes
// furthest. Those that may have more and do not answer are waited for, unless another
// that is counted on and not in doubt has told; not for ever, where there are enough for
// records to be committed, and never given up in silence (controller.SettleEnd).
//
// What does not succeed is tried again, less and less often; where a doubt keeps a
// partition from being served, every second.
//
// Goroutines: one, from the first damage on; none where it is Stepped, whoever made it
// calls Round. Close waits for it. Keeper.mu is held for moments only, with nothing
// called.
package mend
