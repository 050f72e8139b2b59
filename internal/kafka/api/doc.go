// Package api is what the handler families of the Kafka door share: the shape
// of a handler and of a row in the dispatch table. The door (package kafka)
// gathers the families' rows into one table, from which ApiVersions answers
// and docs/compatibility.md is generated.
//
// It is not for handlers, and knows nothing of sockets.
//
// Main types: API (a row; Row makes one), Conn (what a handler may know of its
// connection), Cluster (the metadata, and how to change them with Do), and for
// the hot path, which is served without a codec and without allocating:
// Request, Answer, Ticket, Out.
//
// Files in reading order: api.go, row.go, decode.go, cluster.go, operations.go (what a
// client may do), text.go (what Kafka says beside a code), request.go, answer.go, out.go,
// late.go (answers that come late, with a codec).
//
// Ownership: a Request's bytes are borrowed until Serve returns; an Answer
// belongs to the connection's queue from then until its Build returns true or
// it is dropped. Out belongs to the connection's writer.
package api
