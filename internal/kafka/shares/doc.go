// Package shares is the family of handlers of share groups (KIP-932):
// ShareFetch and ShareAcknowledge for members, ShareGroupHeartbeat and
// ShareGroupDescribe, what operators ask of share groups' offsets, and what
// brokers ask of the share coordinator.
//
// It is not for what a share-partition decides (package share), how it is run
// and stored (kafka/shares/lead, share/store), nor what a share group is
// (group/sharegroup).
//
// Main types: Family; session (a member at this node, KIP-932); fetchAnswer (a
// ShareFetch on its way).
//
// Files in reading order: family.go, settings.go, session.go, acks.go,
// share_fetch.go, fetch_answer.go, fetch_write.go, share_acknowledge.go,
// share_group_heartbeat.go, share_group_describe.go, share_group_offsets.go,
// ends.go (high watermarks, wherever they are), share_group_state.go,
// dead_letters.go and dead_records.go, morgue.go (queues) (KIP-1191), hints.go (who leads
// what is not led here), codes.go.
//
// What other nodes lead is reached through Persister (states) and Peers
// (partitions). Requests about states are answered from this node's coordinator
// alone, so that nothing goes round in circles.
//
// A ShareFetch, in words: its session step is taken and its acknowledgements
// are given to their share-partitions when it comes; when it is at the head of
// its connection's queue and its acknowledgements are durable, records are
// locked and the answer is built, bytes untouched. When there is nothing to
// give it waits at its share-partitions and costs no goroutine. Records are
// locked at the very moment of the answer, so an answer that is never built
// locks nothing.
//
// When a connection ends, the sessions that were opened on it end too, and what
// their members hold is free again.
//
// Locks: sessions.mu, then session.mu; neither is held over a call into lead.
//
// Sources: KIP-932, KIP-1191, KIP-1206, KIP-1222, KIP-1226, KIP-227 (the idea of
// sessions).
package shares
