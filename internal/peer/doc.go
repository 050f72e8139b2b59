// Package peer is what lets the nodes of a cluster speak with each other and
// with nobody else: identities, the way in, and the connections.
//
// It is not for what they say: requests are of packages wire and wire/own, and
// the Kafka door serves them; frames of the metadata quorum are opaque here.
//
// Main types: Identity (a node's certificate, the cluster's authority and
// secret), Joiner (asks to be let in), Server (the side that is connected to),
// Pool (the side that connects), Conn (TLS with few system calls), Refused.
//
// # Files, in reading order
//
//	name.go         Whose: who an identity belongs to, and its name in a certificate
//	authority.go    the authority of a cluster signs certificates
//	identity.go     Identity; Found makes a cluster's first
//	files.go        the folder cluster/ of a data directory; Save, Load
//	token.go        what an operator carries to a node that joins
//	verify.go       TLS on both sides; Refused: why somebody is not believed
//	conn.go         Conn; tune_*.go: half-open ends are noticed
//	server.go       Server: what a connection is, and who serves it
//	room.go         who has not said yet whose it is; clones; log lines
//	frame.go        frames with a length
//	join_frames.go  what is said while joining; join.go, admit.go: by whom
//	pool.go         Pool, a call, and how a connection is made
//	link.go         the shared connection to a node; answers.go: its reader
//	channel.go      the quorum's frames
//
// # How it works
//
// One port serves clients and nodes. The first byte of a node's connection is
// that of a TLS record, which no frame of Kafka's can begin with; the Kafka door
// sees it and gives the connection to Server.Handle. ALPN says what it is for:
// joining (no certificate, but the token's secret), Kafka's protocol as a node
// with answers in order or as they get done, a follower's fetches, the quorum's
// frames, or nothing but whether the other is there. All but joining ask both ends for a certificate of the cluster's authority, whatever
// address they come from. A certificate names cluster, node and directory, in
// URIs: ottla://CLUSTER/node/N and ottla://CLUSTER/directory/ID. The first byte
// that a node hears after the handshake says whether it is welcome, and if not,
// a sentence follows. A follower's fetches go on below TLS from there when both
// ends are insecure: their clients send and get the same records in the clear,
// and ciphers were a third of what replication costs. Nothing but fetches is
// served on such a connection.
//
// Every node has the authority's key, so any of them lets others in. Who joins
// knows the authority by its fingerprint in the token before it shows the
// token's secret; who shows no right secret learns nothing.
//
// # Invariants
//
//   - The folder of an identity is there whole or not at all; what is there and
//     damaged is never taken for none.
//   - A call of the pool is settled exactly once.
//   - Frames of the quorum's channel are lost, but neither cut nor reordered.
//   - Memory for what is not yet believed is bounded: maxWaiting connections,
//     64 KiB each to say what they want, ten seconds.
//   - Nothing here has a goroutine, a timer or a socket before somebody
//     connects or calls. Close leaves none behind.
//
// # Locks
//
// A link's or channel's lock may be held when the pool's is taken, which is a
// leaf, as are the server's, the waiting room's and the presence's. Functions
// given by others are called without any, but for Options.Now and Logger.
//
// Sources: RFC 8446 (TLS 1.3), RFC 7301 (ALPN); docs/format/nodes.md draws what
// is kept and said.
package peer
