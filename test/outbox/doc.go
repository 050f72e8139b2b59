// Command outbox kills what takes rows of an outbox table into a topic, and looks
// whether each row that was committed is there exactly once.
//
// Writers change a table and insert what is to be told of it in one transaction, of
// which some wait before they commit and some roll back. Meanwhile `ottla outbox run` is
// killed with SIGKILL at any moment, now and then while a second takes over, and so are
// the node and a server of Postgres. In the end the topic has what the changed table
// has: nothing twice, nothing else, and of each writer in its order. What tables of
// Postgres may be is looked at first, as go test has no server of it.
//
// It is not part of the product and not of go test; the relay's own tests lie beside it.
//
// Reading order: main.go (the run), database.go (both databases, and what they must be
// able to do), postgres.go (a server of our own), kinds.go (columns of Postgres's types),
// writers.go, verdict.go.
package main
