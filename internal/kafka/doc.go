// Package kafka is the Kafka door: connections, framing, pipelining and the
// dispatch table. It parses what comes, hands it to the handler families
// (data, topics, cluster, txns, …), and sends answers in the order of the
// requests.
//
// It is not for what a request means, and holds no truth about topics.
//
// Main types: Door, Options; inside, conn (one connection), inbox (its input),
// table (the dispatch table). Sub-packages: api (what families share), slab,
// wheel, pipe, and the families.
//
// Files in reading order: door.go, options.go, accept.go, buffers.go, conn.go, inbox.go,
// source_*.go, dispatch.go, table.go, api_versions.go, queue.go, writer.go,
// send_*.go, foreign.go, hold.go, astray.go, nodes.go, calls.go, advertise.go, sweep.go, settle.go, cut.go, throttle.go.
//
// How a connection lives: one goroutine reads, parses and handles, request by
// request. Answers stand in the connection's queue; whoever makes the head of
// it ready writes: the reader itself before it waits for more bytes; another
// connection's reader whose append a fetch had waited for, as far as that goes
// without waiting; else a goroutine that lives for that write only. So an idle connection is one
// goroutine blocked in the poller, without a buffer.
//
// Other nodes come by the same port: their connections begin with TLS, go to
// Options.Nodes and come back through ServeNode, outside all limits for clients.
// On a connection of calls their requests are handled side by side.
//
// Invariants: answers leave in the order of the requests, but for the calls of
// nodes; at most maxParked
// requests, or twice socket.request.max.bytes of them, are parked; one
// goroutine at a time has the writing role; memory for a frame grows with the
// bytes that came, not with the length that was promised; a panic in a handler
// costs its connection, never the process; Close leaves no goroutine.
//
// Locks: conn.mu is a leaf: nothing is called under it. Door.mu may be held
// when conn.mu is taken. Tickets may be called with any lock of another room
// held.
//
// Sources: the Kafka protocol guide; KIP-511, KIP-584, KIP-1242 (ApiVersions).
package kafka
