// Package replicate keeps the followers of this node up with their leaders: it
// fetches from the nodes that lead and hands what comes to the partitions.
//
// It is not for what a follower does with what it gets (package partition), nor
// for who follows whom (package broker tells), nor for the leader's side
// (kafka/data/feed).
//
// Main types: Fetchers (Follow, Unfollow, Close), fetcher (one for each node that
// leads something for us), part (a partition that follows).
//
// Files in reading order: fetchers.go, fetcher.go (connections and turns),
// part.go, ask.go (what is sent), take.go (what comes), frame.go.
//
// One connection serves all partitions that a node leads, in one session
// (KIP-227): a request names the partitions that ask something new, an answer
// those that have news. Usually one fetch is under way, parked at the leader until
// there is something; when partitions are added or due again a second one follows
// and ends the wait of the first. At rest that is one request each
// replica.fetch.wait.max.ms, whatever the number of partitions.
//
// The follower asks from its appended end. What it has synced goes along, and when
// a sync ends while a fetch is parked, in a message of its own that gets no answer
// (ReplicaProgress): so the leader learns of it at once, and a sync never holds up
// what comes next.
//
// Throttled replicas (KIP-73) that are not in sync are not asked about while the
// rate of this node's followers is reached; the others are. In sync is who is noted
// as that when it begins to follow, and who had all that was committed at its
// leader's last word. What any throttled replica gets counts.
//
// A partition whose leader answers an error waits a little, longer each time. So
// does one whose disk is full, which it tells with its next question: the leader goes
// on without it, where there are enough others. A connection that fails takes the
// session with it, and all is asked anew.
//
// Goroutines: two for each node that leads something followed here, one that
// connects and reads, one that writes; Close waits for them. A node that follows
// nothing has none.
//
// Locks: Fetchers.mu, then fetcher.mu, held for moments only, with no partition
// called; fetcher.sending is held over writes to the connection.
package replicate
